/** Milliseconds between two that are told. */
const pauseMs = 10_000;

/**
 * Tells of what may come as often as others like: the first at once, then one in 10 s at most, with how many were left
 * out before it.
 */
export function seldom(tell: (message: string) => void, now = () => performance.now()): (message: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  let left = 0;
  return (message) => {
    if (now() - last < pauseMs) {
      left++;
      return;
    }
    last = now();
    tell(left === 0 ? message : `${message} (and ${left} more before)`);
    left = 0;
  };
}
