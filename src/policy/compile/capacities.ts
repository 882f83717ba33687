import { VetchError } from '../../api/error.ts';
import { maxDocumentNumber } from '../decision.ts';

/** What the kernel's maps have room for. */
export interface Capacities {
  readonly documents: number;
  readonly pairs: number;
  /** Entries of all port sets together. */
  readonly ports: number;
  readonly blocks: number;
  readonly learned: number;
}

export const unlimited: Capacities = {
  documents: maxDocumentNumber,
  pairs: Number.POSITIVE_INFINITY,
  ports: Number.POSITIVE_INFINITY,
  blocks: Number.POSITIVE_INFINITY,
  learned: Number.POSITIVE_INFINITY,
};

const remedies: Readonly<Record<keyof Capacities, readonly [what: string, remedy: string]>> = {
  documents: ['policy documents', 'delete documents that are no longer needed'],
  pairs: ['pairs of subject and peer', 'select by labels that replicas share, and fewer peers one by one'],
  ports: ['entries of ports', 'allow fewer ranges, or ranges that begin and end at multiples of powers of 2'],
  blocks: ['address blocks', 'name fewer and wider ones'],
  learned: ['learned addresses', 'name fewer domain names, or select fewer endpoints'],
};

/** @throws VetchError MAP_FULL with the numbers, of the first that does not fit */
export function checkCapacities(used: Capacities, capacities: Capacities): void {
  for (const what of ['documents', 'pairs', 'ports', 'blocks', 'learned'] as const) {
    if (used[what] <= capacities[what]) continue;
    const [name, remedy] = remedies[what];
    throw new VetchError('MAP_FULL', `policy would need ${used[what]} ${name}, and ${capacities[what]} fit`, remedy);
  }
}
