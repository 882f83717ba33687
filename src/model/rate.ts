/** Bits a second, in the largest unit that needs no more than three digits behind the point: `2.5Gbit`. */
export function formatRate(bits: number): string {
  for (const [unit, scale] of [
    ['Gbit', 1e9],
    ['Mbit', 1e6],
    ['kbit', 1e3],
  ] as const) {
    if (bits >= scale && (bits * 1000) % scale === 0) return `${bits / scale}${unit}`;
  }
  return `${bits}bit`;
}
