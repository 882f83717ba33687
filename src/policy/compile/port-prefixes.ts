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
 * Tables, 1999), given what holds where there is none. By rising port, the shorter first.
 *
 * @param segments by rising `first`, which begins with 0
 */
export function portPrefixes(protocol: number, segments: readonly PortSegment[], otherwise: number): PortEntry[] {
  const single = singlePorts(protocol, segments, otherwise);
  if (single !== undefined) return single;
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

/**
 * Of what most rules name, ports one by one amid what holds anyway: an entry each. Fewer would not do, for a port and its
 * neighbour that differ need one between them. Undefined: the segments are not like that.
 */
function singlePorts(protocol: number, segments: readonly PortSegment[], otherwise: number): PortEntry[] | undefined {
  const entries: PortEntry[] = [];
  for (let i = 0; i < segments.length; i++) {
    const { first, decision } = segments[i] as PortSegment;
    if (decision === otherwise) continue;
    const next = segments[i + 1] ?? { first: 0x10000, decision: otherwise };
    if (next.first !== first + 1 || next.decision !== otherwise) return undefined;
    entries.push({ protocol, port: first, bits: 16, decision });
  }
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
  const low = solve(segments, leaves, at, first, half);
  const high = solve(segments, leaves, at, first + half, half);
  return { decisions: common(low.decisions, high.decisions), halves: [low, high] };
}

/** What both have; else what either has. */
function common(low: readonly number[], high: readonly number[]): readonly number[] {
  if (low.length === 1 && high.includes(low[0] as number)) return low;
  if (high.length === 1 && low.includes(high[0] as number)) return high;
  const both = low.filter((decision) => high.includes(decision));
  return both.length > 0 ? both : [...low, ...high];
}
