/** Every code that a failure of the API or the CLI can carry. They are stable: scripts may rely on them. */
export const errorCodes = [
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'IN_USE',
  'INVALID',
  'SUBNET_OVERLAP',
  'ADDRESS_TAKEN',
  'ADDRESS_OUTSIDE_POOL',
  'PORT_ALLOCATED',
  'UNSUPPORTED',
  'MAP_FULL',
  'UNAVAILABLE',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * A refusal that the user can act on.
 *
 * `message` says what happened to which object, `hint` what to do about it; both are one line without a final stop.
 */
export class VetchError extends Error {
  override readonly name = 'VetchError';
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
