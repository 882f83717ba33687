import { release } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KernelError } from '../../src/loader/kernel-error.ts';
import { DropReason } from '../../src/maps/generated/abi.ts';
import { truncations } from './packet/build.ts';
import { tables } from './tables/all.ts';
import { checkCase } from './tables/check-case.ts';
import { cuttable } from './tables/cuttable.ts';
import { unreachable } from './tables/outside.ts';
import { endpoints, uplink } from './world/plan.ts';
import { type Outcome, World } from './world/world.ts';

let world: World;
const reached = new Set<string>();

beforeAll(() => {
  world = World.create();
});
afterAll(() => world?.[Symbol.dispose]());

/**
 * Linux 6.1's and 6.12's BPF_PROG_TEST_RUN sets no `data_end` for programs at a cgroup: each packet seems cut. There the
 * driver's lab (test/lab/host-driver.test.ts) is what tries them.
 */
const runsAtCgroups = !/^6\.(1|12)\./.test(release());

for (const [subject, cases] of Object.entries(tables)) {
  const atCgroup = cases.some((one) => one.steps.some(({ hook }) => hook.startsWith('cgroup_')));
  describe.skipIf(atCgroup && !runsAtCgroups)(subject, () => {
    for (const one of cases) {
      test(one.name, () => {
        for (const reason of checkCase(world, one)) reached.add(reason);
      });
    }
  });
}

describe('cut within its headers', () => {
  for (const [name, { packet, hook, headers }] of Object.entries(cuttable)) {
    test(`${name} never begins a flow`, () => {
      const device = hook === 'from_endpoint' ? endpoints.a.device : uplink.device;
      for (const bytes of truncations(packet.subarray(0, headers))) {
        const outcome = runShort(hook, bytes, device);
        if (!outcome) continue;
        // What comes from outside and cannot be read is left to the host's stack, which drops it.
        const expected = hook === 'from_uplink' ? ['pass'] : ['drop', 'TRUNCATED'];
        expect([outcome.verdict, ...Object.keys(outcome.reasons)], `${bytes.length} bytes`).toEqual(expected);
        expect([...world.maps.conntrack.rawEntries()], `${bytes.length} bytes`).toEqual([]);
        for (const reason of Object.keys(outcome.reasons)) reached.add(reason);
      }
    });
  }

  /** Newer kernels refuse to run a program on less than an IP header. */
  function runShort(hook: 'from_endpoint' | 'from_uplink', bytes: Uint8Array, device: string): Outcome | undefined {
    world.forget();
    try {
      return world.run(hook, bytes, { device });
    } catch (error) {
      const readable = bytes[12] === 0x08 ? 34 : 54;
      if (error instanceof KernelError && error.code === 'EINVAL' && bytes.length < readable) return undefined;
      throw error;
    }
  }
});

test('every drop reason was reached by some packet above', () => {
  const missing = Object.keys(DropReason).filter((name) => !reached.has(name) && !(name in unreachable));
  expect(missing).toEqual([]);
});
