import { expect } from 'vitest';
import { ConfigFlag, InterfaceFlag, mapDefinitions, RateDirection } from '../../../src/maps/generated/abi.ts';
import * as build from '../packet/build.ts';
import { type EndpointName, endpoints } from '../world/plan.ts';
import type { World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  between,
  families,
  fromHost,
  fromOutside,
  hostSends,
  type PacketCase,
  sends,
  viaGateway,
} from './say.ts';

type Direction = keyof typeof RateDirection;

const second = 1_000_000_000n;
const bits = 1_000_000n;

function indexOf(who: EndpointName, direction: Direction): number {
  return 2 * endpoints[who].number + RateDirection[direction];
}

/** Gives an endpoint a limit, whose rate is used up until so many seconds from now. */
const limit =
  (who: EndpointName, direction: Direction, usedUpFor: bigint) =>
  (world: World): void => {
    const index = indexOf(who, direction);
    world.maps.rates.set(index, { bits, burst: second, queue: second });
    world.maps.rateClocks.set(index, { paidUntil: process.hrtime.bigint() + usedUpFor * second });
    const ifindex = world.index(endpoints[who].device);
    const entry = world.maps.interfaces.get(ifindex);
    if (!entry) throw new Error(`${who} has no entry`);
    const limited = { ...entry, flags: InterfaceFlag[`${direction}_LIMITED`] };
    world.maps.interfaces.set(ifindex, limited);
    const slot = ifindex % mapDefinitions.interfaceSlots.maxEntries;
    if (world.maps.interfaceSlots.get(slot)?.ifindex === ifindex) world.maps.interfaceSlots.set(slot, limited);
    if (direction === 'INGRESS') world.maps.config.set(0, { ...world.config, flags: ConfigFlag.INGRESS_LIMITS });
  };

/** The time that so many bytes take was paid, from where the clock stood or from a burst ago. */
const expectPaid = (who: EndpointName, direction: Direction, bytes: bigint) => (world: World) => {
  const { paidUntil } = world.maps.rateClocks.get(indexOf(who, direction)) ?? { paidUntil: 0n };
  const begun = paidUntil - (bytes * 8n * second) / bits;
  // It was a burst behind the clock when it was looked at, within this test's last moments.
  const behind = process.hrtime.bigint() - begun;
  expect(behind).toBeGreaterThan(second);
  expect(behind).toBeLessThan(2n * second);
};

const drop = { verdict: 'drop', reason: 'RATE_LIMITED' } as const;
const redirect = { verdict: 'redirect' } as const;

export const limits: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const udp = build.udp({ source: 40000, destination: 53 });
  const header = family === 4 ? 28n : 48n;
  const toB = between('a', 'b', family, udp, build.payload(172));
  const toWorld = viaGateway('a', addressOf('world', family), family, udp);
  const toHost = viaGateway('a', addressOf('host', family), family, udp);
  const knock = fromOutside(
    addressOf('world', family),
    addressOf('host', family),
    family,
    build.tcp({ source: 5000, destination: 8080 }),
  );
  return [
    {
      name: `what an endpoint sends over IPv${family} is paid for, and passes a burst after a silence`,
      prepare: limit('a', 'EGRESS', -2n),
      steps: [{ ...sends('a', toB, redirect), afterwards: expectPaid('a', 'EGRESS', 172n + header) }],
    },
    {
      name: `a packet over IPv${family} costs as much as the smallest frame`,
      prepare: limit('a', 'EGRESS', -2n),
      steps: [
        {
          ...sends('a', between('a', 'b', family, udp, build.payload(4)), redirect),
          afterwards: expectPaid('a', 'EGRESS', 64n),
        },
      ],
    },
    {
      name: `more than it may send over IPv${family} is dropped, wherever it goes, and what it receives is not`,
      prepare: limit('a', 'EGRESS', 5n),
      steps: [
        sends('a', toB, drop),
        sends('a', toWorld, drop),
        sends('a', toHost, drop),
        sends('b', between('b', 'a', family, udp), redirect),
      ],
    },
    {
      name: `more than it may receive over IPv${family} is dropped, whoever sends it, and what it sends is not`,
      prepare: limit('b', 'INGRESS', 5n),
      steps: [
        sends('a', toB, drop),
        sends('a', toB, drop), // of a flow that is known
        hostSends(fromHost(addressOf('host', family), addressOf('b', family), family, udp), drop),
        sends('b', between('b', 'a', family, udp), redirect),
      ],
    },
    {
      name: `more than it may receive over IPv${family} by a published port is dropped`,
      prepare: limit('a', 'INGRESS', 5n),
      steps: [arrives(knock, drop)],
    },
    {
      name: `what it receives over IPv${family} is paid for`,
      prepare: limit('b', 'INGRESS', -2n),
      steps: [{ ...sends('a', toB, redirect), afterwards: expectPaid('b', 'INGRESS', 172n + header) }],
    },
    {
      name: `what no packet of its rate has cost is another's debt, and nobody pays it, over IPv${family}`,
      prepare: limit('a', 'EGRESS', 60n),
      steps: [{ ...sends('a', toB, redirect), afterwards: expectPaid('a', 'EGRESS', 172n + header) }],
    },
    {
      name: `others receive over IPv${family} as before`,
      prepare: limit('b', 'INGRESS', 5n),
      steps: [sends('b', between('b', 'a', family, udp), redirect)],
    },
  ];
});
