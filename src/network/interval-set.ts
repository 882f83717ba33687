/** Closed: both ends are in it. */
interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * A set of whole numbers kept as the fewest intervals that hold it.
 *
 * What is handed out lowest first lies in few intervals, so finding the lowest free number is one binary search however
 * many are taken, in a space of any size.
 */
export class IntervalSet {
  readonly #intervals: Interval[] = [];

  has(number: bigint): boolean {
    const interval = this.#intervals[this.#indexAtOrAfter(number)];
    return interval !== undefined && interval.first <= number;
  }

  /** Whether any number of `first` to `last` is in it. */
  overlaps(first: bigint, last: bigint): boolean {
    const interval = this.#intervals[this.#indexAtOrAfter(first)];
    return interval !== undefined && interval.first <= last;
  }

  add(first: bigint, last: bigint = first): void {
    // One that ends right before `first`, or begins right after `last`, is merged too.
    const from = this.#indexAtOrAfter(first - 1n);
    let to = from;
    let merged: Interval = { first, last };
    for (let next = this.#intervals[to]; next !== undefined && next.first <= last + 1n; next = this.#intervals[++to]) {
      merged = { first: smaller(merged.first, next.first), last: larger(merged.last, next.last) };
    }
    this.#intervals.splice(from, to - from, merged);
  }

  remove(number: bigint): void {
    const index = this.#indexAtOrAfter(number);
    const interval = this.#intervals[index];
    if (interval === undefined || interval.first > number) return;
    const rest: Interval[] = [];
    if (interval.first < number) rest.push({ first: interval.first, last: number - 1n });
    if (number < interval.last) rest.push({ first: number + 1n, last: interval.last });
    this.#intervals.splice(index, 1, ...rest);
  }

  /** The lowest number of `first` to `last` that is not in it; undefined when all are. */
  lowestFree(first: bigint, last: bigint): bigint | undefined {
    const interval = this.#intervals[this.#indexAtOrAfter(first)];
    const candidate = interval === undefined || interval.first > first ? first : interval.last + 1n;
    return candidate <= last ? candidate : undefined;
  }

  /** Index of the first interval that does not end before `number`. */
  #indexAtOrAfter(number: bigint): number {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const interval = this.#intervals[middle];
      if (interval !== undefined && interval.last < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
