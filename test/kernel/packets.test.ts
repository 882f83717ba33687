import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DropReason } from '../../src/maps/generated/abi.ts';
import { truncations } from './packet/build.ts';
import { tables } from './tables/all.ts';
import { checkCase } from './tables/check-case.ts';
import { cuttable } from './tables/malformed.ts';
import { unreachable } from './tables/outside.ts';
import { endpoints, uplink } from './world/plan.ts';
import { World } from './world/world.ts';

let world: World;
const reached = new Set<string>();

beforeAll(() => {
  world = World.create();
});
afterAll(() => world[Symbol.dispose]());

for (const [subject, cases] of Object.entries(tables)) {
  describe(subject, () => {
    for (const one of cases) {
      test(one.name, () => {
        for (const reason of checkCase(world, one)) reached.add(reason);
      });
    }
  });
}

describe('cut at every length', () => {
  for (const [name, { packet, hook }] of Object.entries(cuttable)) {
    test(`${name} is dropped with a reason`, () => {
      const device = hook === 'from_endpoint' ? endpoints.a.device : uplink.device;
      for (const bytes of truncations(packet)) {
        world.forget();
        const { verdict, reasons } = world.run(hook, bytes, { device });
        expect(verdict, `${bytes.length} of ${packet.length} bytes`).toBe('drop');
        expect(Object.values(reasons), `${bytes.length} of ${packet.length} bytes`).toEqual([1]);
        for (const reason of Object.keys(reasons)) reached.add(reason);
      }
    });
  }
});

test('every drop reason was reached by some packet above', () => {
  const missing = Object.keys(DropReason).filter((name) => !reached.has(name) && !(name in unreachable));
  expect(missing).toEqual([]);
});
