import type { ErrorCode } from '../../api/error.ts';
import { VetchError } from '../../api/error.ts';
import type { ErrorView } from '../../api/schemas/error.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  IN_USE: 409,
  INVALID: 400,
  SUBNET_OVERLAP: 409,
  ADDRESS_TAKEN: 409,
  ADDRESS_OUTSIDE_POOL: 400,
  PORT_ALLOCATED: 409,
  UNSUPPORTED: 501,
  MAP_FULL: 507,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

export interface ErrorReply {
  readonly status: number;
  readonly body: ErrorView;
}

/** What a client is told of anything that was thrown. */
export function errorReply(thrown: unknown): ErrorReply {
  if (thrown instanceof VetchError) return reply(statuses[thrown.code], thrown.code, thrown.message, thrown.hint);
  const refused = refusedByParser(thrown);
  if (refused) return refused;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return reply(500, 'INTERNAL', message || 'failed without saying why', hintOf(thrown));
}

function reply(status: number, code: ErrorCode, message: string, hint: string): ErrorReply {
  return { status, body: { error: { code, message: oneLine(message), hint: oneLine(hint) } } };
}

/** Fastify's own refusals of a request carry a status of 4xx; its words are for developers, ours name what to do. */
function refusedByParser(thrown: unknown): ErrorReply | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined;
  const status = Number(thrown.statusCode);
  if (!(status >= 400 && status < 500)) return undefined;
  if (status === 404) return reply(404, 'NOT_FOUND', thrown.message, 'see /v1/openapi.json for what there is');
  const hints: Record<number, string> = {
    413: 'send less in one request',
    415: 'send application/json',
  };
  return reply(
    status,
    'INVALID',
    `unreadable request: ${thrown.message}`,
    hints[status] ?? 'send a JSON body as /v1/openapi.json says',
  );
}

/** Errors of the kernel bring their own advice. */
function hintOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'hint' in thrown && typeof thrown.hint === 'string') {
    return thrown.hint;
  }
  return "the daemon's log has the details";
}

export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
}
