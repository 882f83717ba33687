import type { z } from 'zod';
import { VetchError } from '../api/error.ts';
import { interfaceName, objectName } from '../api/schemas/common.ts';
import { endpointName } from '../api/schemas/endpoint.ts';

/** Callers that the HTTP schemas do not stand before (Docker, CNI) are judged by the same rules. */
function check(schema: z.ZodType, what: string, name: string): void {
  const result = schema.safeParse(name);
  if (result.success) return;
  const reason = result.error.issues[0]?.message ?? 'is not valid';
  throw new VetchError('INVALID', `'${name.replaceAll(/\p{Cc}/gu, '?')}' cannot name ${what}`, `the name ${reason}`);
}

/** @throws VetchError INVALID */
export function checkNetworkName(name: string): void {
  check(objectName, 'a network', name);
}

/** @throws VetchError INVALID */
export function checkEndpointName(name: string): void {
  check(endpointName, 'an endpoint', name);
}

/** @throws VetchError INVALID */
export function checkInterfaceName(name: string): void {
  check(interfaceName, 'a device', name);
}
