import { type ErrorCode, VetchError } from '../api/error.ts';

/** Another record has what this one was to have, or another host was faster. Planned anew, the change may succeed. */
export class ConflictError extends VetchError {
  constructor(
    code: Extract<
      ErrorCode,
      'ADDRESS_TAKEN' | 'ALREADY_EXISTS' | 'IN_USE' | 'NOT_FOUND' | 'SUBNET_OVERLAP' | 'UNAVAILABLE'
    >,
    message: string,
    hint: string,
  ) {
    super(code, message, hint);
  }
}

/** What a transaction was planned with is not true any more. */
export function overtaken(what: string): ConflictError {
  return new ConflictError('UNAVAILABLE', `another host has changed ${what} at the same moment`, 'try again');
}
