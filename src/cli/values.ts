import { InvalidArgumentError } from 'commander';
import { exitStatus, type Failure, Failures, toFailure } from './failure.ts';

/** Flags' values, from text. Each throws what commander reports as wrong usage. */

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** Gathers a flag that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** Gathers `K=V`; the last of one key counts. */
export function collectPair(
  text: string,
  previous: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Likewise; `K` alone is `K=`, as Docker has it. */
export function collectOption(
  text: string,
  previous: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  return collectPair(text.includes('=') ? text : `${text}=`, previous);
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** A time as RFC 3339: given so, or as how long ago it was (`90s`, `5m`, `1h30m`), or as seconds since 1970. */
export function time(text: string, now = Date.now()): string {
  if (/^\d{9,11}$/.test(text)) return new Date(Number(text) * 1000).toISOString();
  if (/^(\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) {
    let seconds = 0;
    for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
      seconds += Number(number) * (unitSeconds[unit ?? 's'] ?? 1);
    }
    const then = new Date(now - seconds * 1000);
    if (!Number.isNaN(then.getTime())) return then.toISOString();
  }
  const given = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(given.getTime())) return given.toISOString();
  throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z, or an age such as 5m.');
}

/**
 * Calls `each` for one ref after the other, and goes on after a failure.
 *
 * @throws Failures of all that failed, in order.
 */
export async function forEach(refs: readonly string[], each: (ref: string) => Promise<unknown>): Promise<void> {
  const failures: Failure[] = [];
  for (const ref of refs) {
    try {
      await each(ref);
    } catch (error) {
      const failure = toFailure(error);
      failures.push(failure);
      if (failure.status === exitStatus.noDaemon) break;
    }
  }
  if (failures.length > 0) throw new Failures(failures);
}
