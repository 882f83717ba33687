import type { DoctorCheck } from '../../api/schemas/status.ts';
import type { Observer } from '../../observe/observer.ts';
import type { Context } from '../context.ts';
import { engineNamesCheck } from '../domain-names/engine-names.ts';
import { resolverCheck } from '../resolver-health.ts';
import { encryptionCheck, tunnelCheck } from '../tunnel-check.ts';

export async function doctor(context: Context, observer: Observer): Promise<DoctorCheck[]> {
  const [checks, resolver] = await Promise.all([observer.doctor(), resolverCheck(context)]);
  const own = [resolver, engineNamesCheck(context), tunnelCheck(context), encryptionCheck(context)];
  return [...checks, ...own.filter((check) => check !== undefined)];
}
