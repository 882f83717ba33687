import { errnoName, errnoText } from './ffi/errno.ts';

export interface KernelErrorOptions {
  /** The kernel's own explanation, where it gives one: netlink's extended acknowledgement. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A refusal of the kernel. The message is one line without a final stop: what was tried on which object, the errno's
 * name, and the best explanation at hand.
 */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** `ENOENT`; stable, what callers decide by. */
  readonly code: string;
  /** Positive. */
  readonly errno: number;
  /** A verb phrase: `attach from_host to TCX`. */
  readonly operation: string;
  /** What it was done to: a path, a device, an address. */
  readonly object: string;
  /** What the user can do about it. */
  declare readonly hint?: string;
  /** The kernel's own words. */
  declare readonly detail?: string;

  constructor(errno: number, operation: string, object: string, hint?: string, options: KernelErrorOptions = {}) {
    const { detail, cause } = options;
    const why = detail ? detail.replace(/\.$/, '') : errnoText(errno);
    super(
      `cannot ${operation} ${object}: ${errnoName(errno)}: ${why}${hint ? `; ${hint}` : ''}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = errnoName(errno);
    this.errno = errno;
    this.operation = operation;
    this.object = object;
    if (hint !== undefined) this.hint = hint;
    if (detail !== undefined) this.detail = detail;
  }

  /** Whether something is a refusal with one of these names: `KernelError.is(error, 'ENOENT', 'ENODEV')`. */
  static is(error: unknown, ...codes: readonly string[]): error is KernelError {
    return error instanceof KernelError && (codes.length === 0 || codes.includes(error.code));
  }
}
