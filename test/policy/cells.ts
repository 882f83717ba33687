import { far, host, outside, places, stranger } from './layout.ts';
import { type Answer, answer } from './model/oracle.ts';
import type { Family, Party, Protocol, Question } from './model/situation.ts';
import type { State } from './steps.ts';

/** One flow of the truth table. */
export interface Cell {
  readonly from: string;
  readonly to: string;
  readonly family: Family;
  readonly protocol: Protocol;
  /** Where it is sent to: of a published port, the host. */
  readonly address: string;
  readonly sentTo: number;
  /** Where it arrives; 0 of icmp. */
  readonly port: number;
}

const families: readonly Family[] = [4, 6];
type Flow = readonly [Protocol, number];
const everyFlow: readonly Flow[] = [
  ['tcp', 80],
  ['tcp', 81],
  ['udp', 80],
  ['udp', 81],
  ['sctp', 80],
  ['icmp', 0],
];

function between(from: readonly Party[], to: readonly Party[], flows: readonly Flow[]): Cell[] {
  return from.flatMap((source) =>
    to.flatMap((target) =>
      families.flatMap((family) =>
        flows.map(([protocol, port]) => ({
          from: source.name,
          to: target.name,
          family,
          protocol,
          address: target.addresses[family],
          sentTo: port,
          port,
        })),
      ),
    ),
  );
}

const pods = places.map(({ endpoint }) => endpoint);
const strangers = [stranger.endpoint];
const world = [outside, far];

/** All that is tried in each step: every pair of the main network, and what crosses its borders. */
export const cells: readonly Cell[] = [
  ...between(pods, pods, everyFlow),
  ...between(
    pods,
    strangers,
    [everyFlow[0], everyFlow[3]].filter((flow) => flow !== undefined),
  ),
  ...between(
    strangers,
    pods,
    [everyFlow[0], everyFlow[3]].filter((flow) => flow !== undefined),
  ),
  ...between(
    pods,
    [...world, host],
    [
      ['tcp', 80],
      ['udp', 80],
    ],
  ),
  ...between([host], pods, [['tcp', 80]]),
  ...world.flatMap(({ name }) =>
    places.flatMap(({ endpoint, publishedAt }) =>
      families.map((family): Cell => {
        const published = { address: host.addresses[family], sentTo: publishedAt, port: 80 };
        return { from: name, to: endpoint.name, family, protocol: 'tcp', ...published };
      }),
    ),
  ),
];

/** Each cell as a question, in their order. */
export function questionsOf({ parties }: State): Question[] {
  const byName = new Map(parties.map((party) => [party.name, party]));
  return cells.map(({ from, to, family, protocol, port }) => {
    const [source, target] = [byName.get(from), byName.get(to)];
    if (!source || !target) throw new Error(`nobody is called ${from} or ${to}`);
    return { from: source, to: target, family, protocol, port };
  });
}

/** What the model says about each cell, in their order. */
export function expected(state: State): Answer[] {
  return questionsOf(state).map((question) => answer(state.situation, question));
}

export function cellText({ from, to, family, protocol, port, sentTo, address }: Cell): string {
  const what = protocol === 'icmp' ? 'ping' : `${protocol} ${port}`;
  const by = sentTo === port ? '' : ` by ${address} port ${sentTo}`;
  return `${from} -> ${to}, ${what} over IPv${family}${by}`;
}
