/**
 * Puts an item where it belongs in a list that is in order, unless its equal is there. Lists that are short for the most
 * part: sort() would cost more than what they are made for.
 */
export function insert<T>(items: T[], item: T, compare: (a: T, b: T) => number): void {
  let [at, end] = [0, items.length];
  while (at < end) {
    const middle = (at + end) >>> 1;
    const order = compare(items[middle] as T, item);
    if (order === 0) return;
    if (order < 0) at = middle + 1;
    else end = middle;
  }
  items.push(item);
  for (let i = items.length - 1; i > at; i--) items[i] = items[i - 1] as T;
  items[at] = item;
}
