import type { PortEntry } from '../tables.ts';

/** What holds from port `first` to the next segment's, the last one to 65535. */
export interface PortSegment {
  readonly first: number;
  readonly decision: number;
}

/** A subtree of the ports' 16 bits: the decisions with any of which it takes the fewest entries. */
interface Node {
  readonly decisions: readonly number[];
  readonly halves: readonly [Node, Node] | undefined;
}

/**
 * The fewest prefixes that say what the segments of a protocol say (Draves et al., Constructing Optimal IP Routing
 * Tables, 1999), given what holds where there is none.
 *
 * @param segments by rising `first`, which begins with 0
 */
export function portPrefixes(protocol: number, segments: readonly PortSegment[], otherwise: number): PortEntry[] {
  const entries: PortEntry[] = [];
  const write = (node: Node, port: number, bits: number, inherited: number): void => {
    let decision = inherited;
    if (!node.decisions.includes(inherited)) {
      decision = node.decisions[0] ?? inherited;
      entries.push({ protocol, port, bits, decision });
    }
    if (node.halves === undefined) return;
    write(node.halves[0], port, bits + 1, decision);
    write(node.halves[1], port + (1 << (15 - bits)), bits + 1, decision);
  };
  write(solve(segments, 0, 0x10000), 0, 0, otherwise);
  return entries;
}

function solve(segments: readonly PortSegment[], first: number, ports: number): Node {
  let low = 0;
  let high = segments.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.first ?? 0) <= first) low = middle;
    else high = middle;
  }
  const next = segments[low + 1]?.first ?? 0x10000;
  if (next >= first + ports) return { decisions: [segments[low]?.decision ?? 0], halves: undefined };
  const half = ports / 2;
  const left = solve(segments, first, half);
  const right = solve(segments, first + half, half);
  const common = left.decisions.filter((decision) => right.decisions.includes(decision));
  const either = common.length > 0 ? common : [...left.decisions, ...right.decisions];
  return { decisions: either, halves: [left, right] };
}
