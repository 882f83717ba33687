/** Values in proportion to their logarithms, over the pixels `from` to `to`. */
export interface LogScale {
  readonly ticks: readonly number[];
  /** Pixel of a value. */
  at(value: number): number;
}

/** 1, 2, 5, 10, 20, …: from the last that does not exceed the least value to the first that no value exceeds. */
export function niceTicks(least: number, greatest: number): number[] {
  if (!(least > 0) || !(greatest >= least)) throw new RangeError(`no logarithms from ${least} to ${greatest}`);
  const steps: number[] = [];
  for (let decade = Math.floor(Math.log10(least)); decade <= Math.ceil(Math.log10(greatest)); decade++) {
    // Of negative powers, division alone gives what the number is written like
    for (const digit of [1, 2, 5]) steps.push(decade < 0 ? digit / 10 ** -decade : digit * 10 ** decade);
  }
  const first = steps.findLastIndex((step) => step <= least);
  const last = steps.findIndex((step, index) => step >= greatest && index > first);
  return steps.slice(Math.max(first, 0), last < 0 ? undefined : last + 1);
}

/** Over a whole number of steps, so that the ends have ticks; only the decades have them where there are many. */
export function valueScale(values: readonly number[], from: number, to: number): LogScale {
  const all = niceTicks(Math.min(...values), Math.max(...values));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const ticks = all.length <= 8 ? all : all.filter((tick) => Number.isInteger(Math.log10(tick)));
  return { ticks, at: interpolate(Math.log10, low, high, from, to) };
}

/** Ticks are the counts themselves. None at all has no logarithm: it stands one decade before the least. */
export function countScale(counts: readonly number[], from: number, to: number): LogScale {
  const ticks = [...new Set(counts)].sort((a, b) => a - b);
  const positive = ticks.filter((count) => count > 0);
  const [least, greatest] = [positive[0], positive.at(-1)];
  if (least === undefined || greatest === undefined) throw new RangeError('there is nothing to count');
  const nothing = Math.log10(least) - 1;
  const position = (count: number) => (count > 0 ? Math.log10(count) : nothing);
  return { ticks, at: interpolate(position, ticks[0] ?? least, greatest, from, to) };
}

function interpolate(position: (value: number) => number, low: number, high: number, from: number, to: number) {
  const [start, width] = [position(low), position(high) - position(low)];
  return (value: number) => (width === 0 ? (from + to) / 2 : from + ((position(value) - start) / width) * (to - from));
}
