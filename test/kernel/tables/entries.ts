import { expect } from 'vitest';
import type { Conntrack } from '../../../src/maps/generated/abi.ts';
import * as build from '../packet/build.ts';
import type { World } from '../world/world.ts';
import { addressOf, between, families, fromOutside, type PacketCase, type Step, sends } from './say.ts';

/** Changes every entry of conntrack. */
const change = (what: (entry: Conntrack) => Partial<Conntrack>) => (world: World) => {
  const entries = [...world.maps.conntrack.entries()];
  expect(entries).not.toEqual([]);
  world.maps.conntrack.setMany(entries.map(([key, value]) => [key, { ...value, ...what(value) }]));
};

/** As if the memory of the entry were another flow's by now. */
const takeOver = change(({ toSource, toDestination }) => ({
  toSource: { ...toSource, check: (toSource.check ^ 1) >>> 0 },
  toDestination: { ...toDestination, check: (toDestination.check ^ 1) >>> 0 },
}));

/** As if nothing had been seen for so long; the clock is looked at only once a beat, and this one is far off. */
const idle = (seconds: number) =>
  change(({ beat, lastSeen }) => ({
    beat: (beat ^ 0x8000_0000) >>> 0,
    lastSeen: lastSeen - BigInt(seconds) * 1_000_000_000n,
  }));

function expectPackets(count: bigint) {
  return (world: World) => {
    expect([...world.maps.conntrack.entries()].map(([, { packetsOriginal }]) => packetsOriginal)).toEqual([count]);
  };
}

/** What is read of an entry, and what is believed of it. */
export const entries: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const asked = between('a', 'b', family, build.udp({ source: 40000, destination: 53 }));
  const outside: Step = {
    ...{ hook: 'from_uplink', device: 'uplink0', verdict: 'redirect' },
    packet: fromOutside(
      addressOf('world', family),
      addressOf('host', family),
      family,
      build.tcp({ source: 5000, destination: 8080 }),
    ),
  };
  const soon = (world: World) => world.maps.config.set(0, { ...world.config, timeoutNew: 3 });
  const refused = { verdict: 'drop', reason: 'CONNTRACK_INVALID' } as const;
  return [
    {
      name: `an entry that is another flow's by now delivers nothing over IPv${family}`,
      steps: [{ ...sends('a', asked, { verdict: 'redirect' }), afterwards: takeOver }, sends('a', asked, refused)],
    },
    {
      name: `nor does it translate a packet from outside over IPv${family}`,
      steps: [
        { ...outside, afterwards: takeOver },
        { ...outside, ...refused },
      ],
    },
    {
      name: `what another flow's judgement wrote is put right by one of the flow's own over IPv${family}`,
      steps: [
        { ...sends('a', asked, { verdict: 'redirect' }), afterwards: takeOver },
        sends('a', asked, refused),
        sends('a', asked, { verdict: 'redirect' }),
      ],
    },
    {
      name: `and so it is of a flow from outside over IPv${family}`,
      steps: [
        { ...outside, afterwards: takeOver },
        { ...outside, ...refused },
        { ...outside, verdict: 'redirect' },
      ],
    },
    {
      name: `a flow over IPv${family} that was idle within its time goes on`,
      prepare: soon,
      steps: [
        { ...sends('a', asked, { verdict: 'redirect' }), afterwards: idle(2) },
        { ...sends('a', asked, { verdict: 'redirect' }), afterwards: expectPackets(2n) },
      ],
    },
    {
      name: `a flow over IPv${family} that was idle for longer begins anew`,
      prepare: soon,
      steps: [
        { ...sends('a', asked, { verdict: 'redirect' }), afterwards: idle(4) },
        { ...sends('a', asked, { verdict: 'redirect' }), afterwards: expectPackets(1n) },
      ],
    },
  ];
});
