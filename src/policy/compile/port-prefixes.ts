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
  const leaves = segments.map(({ decision }): Node => ({ decisions: [decision], halves: undefined }));
  write(solve(segments, leaves, 0, 0, 0x10000), 0, 0, otherwise);
  return entries;
}

/** A part in which one decision holds is the leaf of its segment, made once. */
function solve(
  segments: readonly PortSegment[],
  leaves: readonly Node[],
  from: number,
  first: number,
  ports: number,
): Node {
  let at = from;
  while ((segments[at + 1]?.first ?? 0x10000) <= first) at++;
  const leaf = leaves[at];
  if (leaf !== undefined && (segments[at + 1]?.first ?? 0x10000) >= first + ports) return leaf;
  const half = ports / 2;
  const left = solve(segments, leaves, at, first, half);
  const right = solve(segments, leaves, at, first + half, half);
  return { decisions: common(left.decisions, right.decisions), halves: [left, right] };
}

/** What both have; else what either has. */
function common(left: readonly number[], right: readonly number[]): readonly number[] {
  const both = left.filter((decision) => right.includes(decision));
  return both.length > 0 ? both : [...left, ...right];
}
