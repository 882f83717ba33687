import type { Generation } from '../../src/reconcile/policy/policy-maps.ts';
import type { World } from '../../test/kernel/world/world.ts';

/** The generation as a world's configuration has it. */
export function mapGeneration(world: World): Generation {
  return {
    get parity() {
      return (world.config.generation & 1) as 0 | 1;
    },
    turn() {
      const { config } = world;
      world.maps.config.set(0, { ...config, generation: config.generation + 1 });
    },
  };
}

/** What the plan has of pairs, ports and blocks. */
export function removePolicy({ maps }: World): void {
  for (const { raw } of [maps.policy, maps.policyPorts, maps.addressBlocks]) {
    raw.deleteMany([...raw.entries()].map(([key]) => key));
  }
}
