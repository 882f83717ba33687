import { status } from '@grpc/grpc-js';
import { VetchError } from '../../api/error.ts';

/** etcd does not answer. */
export class AwayError extends VetchError {
  /** Without what this happened to. */
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    const hint = 'look at etcd with `etcdctl endpoint health`; what this host has goes on';
    super('UNAVAILABLE', `the cluster's store does not answer: ${reason}`, hint, { cause });
    this.reason = reason;
  }
}

/** What a call of etcd ended with. */
export interface CallFailure extends Error {
  readonly code: number;
  readonly details: string;
}

export function isCallFailure(error: unknown): error is CallFailure {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

const transient = new Set<number>([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.UNKNOWN,
  status.INTERNAL,
  status.RESOURCE_EXHAUSTED,
]);

/** Whether another member, or the same one later, may do what this one did not. */
export function isTransient(error: unknown): boolean {
  return isCallFailure(error) && transient.has(error.code);
}

/** The token has expired, or users were changed since it was given. */
export function isOldToken(error: unknown): boolean {
  return isCallFailure(error) && /invalid auth token|revision of auth store is old/.test(error.details);
}

/** The revision that was asked for has been compacted away. */
export function isCompacted(error: unknown): boolean {
  return isCallFailure(error) && error.code === status.OUT_OF_RANGE && error.details.includes('compacted');
}

/** etcd has not come so far: it was restored, or is another one. */
export function isInFuture(error: unknown): boolean {
  return isCallFailure(error) && error.code === status.OUT_OF_RANGE && error.details.includes('future revision');
}

/** One line without what is etcd's own business. */
export function reasonOf(error: unknown): string {
  if (error instanceof AwayError) return error.reason;
  if (!isCallFailure(error)) return error instanceof Error ? error.message : String(error);
  if (error.code === status.DEADLINE_EXCEEDED || error.code === status.CANCELLED) return 'no answer in time';
  return error.details
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/\.? Resolution note: *$/, '')
    .replace(/^etcdserver: /, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 200);
}

/** What is told of a failure that no other attempt mends. */
export function refusal(error: unknown): VetchError {
  if (error instanceof VetchError) return error;
  const reason = reasonOf(error);
  if (!isCallFailure(error))
    return new VetchError('INTERNAL', `the cluster's store: ${reason}`, 'report this', { cause: error });
  const { code } = error;
  if (code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED || /\bauth|user name/.test(reason)) {
    return new VetchError(
      'INVALID',
      `etcd refuses this host: ${reason}`,
      'check --store-user, its password and its role: docs/cluster.md lists what a role needs',
      { cause: error },
    );
  }
  if (/too (large|many)/.test(reason)) {
    return new VetchError('INVALID', `etcd refuses so much at once: ${reason}`, 'divide it', { cause: error });
  }
  if (isTransient(error)) return new AwayError(reason, error);
  return new VetchError('INTERNAL', `etcd refuses a call: ${reason}`, 'check its version: 3.4 or newer', {
    cause: error,
  });
}
