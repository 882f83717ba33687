import type { ErrorCode } from '../api/error.ts';
import type { ErrorView } from '../api/schemas/error.ts';

/** What the shell is told. */
export const exitStatus = { done: 0, failed: 1, usage: 2, noDaemon: 3 } as const;

/** What ends a command with a line on stderr. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly status: number;

  constructor(code: ErrorCode, message: string, hint: string, status: number = exitStatus.failed) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.status = status;
  }
}

/** Several objects failed, each with a line of its own. */
export class Failures extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super(failures.map((failure) => failure.message).join('; '));
    this.failures = failures;
  }
}

/** A command line that cannot be meant. */
export function usageFailure(message: string, hint: string): Failure {
  return new Failure('INVALID', message, hint, exitStatus.usage);
}

export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = codeOf(thrown);
  return new Failure(code ?? 'INTERNAL', message, hintOf(thrown) ?? 'run vetch doctor');
}

/** The line on stderr: `vetch: CODE: message; hint`, or the error as JSON. */
export function failureLine(failure: Failure, json: boolean): string {
  const view: ErrorView = {
    error: { code: failure.code, message: oneLine(failure.message), hint: oneLine(failure.hint) },
  };
  if (json) return JSON.stringify(view);
  const { code, message, hint } = view.error;
  return `vetch: ${code}: ${message}; ${hint}`;
}

function codeOf(thrown: unknown): ErrorCode | undefined {
  // A VetchError of the daemon, which runs in this process under `vetch daemon`.
  const isOurs = thrown instanceof Error && thrown.name === 'VetchError' && 'code' in thrown;
  return isOurs ? (thrown.code as ErrorCode) : undefined;
}

function hintOf(thrown: unknown): string | undefined {
  const has = typeof thrown === 'object' && thrown !== null && 'hint' in thrown && typeof thrown.hint === 'string';
  return has ? (thrown.hint as string) : undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
}
