import { expect, test } from 'vitest';
import { KernelError } from '../../src/loader/kernel-error.ts';
import { ensureParent } from '../../src/reconcile/apply/lan-devices.ts';
import { thrownBy, World } from './support.ts';

test('a VLAN device that cannot be set up, since what it is made of is down, does not stay', () => {
  using world = new World();
  const { inHost } = world;
  world.veth();
  const names = () => inHost.links().map(({ name }) => name);
  const before = names();
  const refusal = thrownBy(() => ensureParent(inHost, { parent: 'vt0.10' }));
  // Where the kernel has no VLANs none is made; else it makes one, and sets none up above a device that is down.
  expect(KernelError.is(refusal, 'ENETDOWN') || (refusal as { code?: string }).code === 'UNSUPPORTED').toBe(true);
  expect(names()).toEqual(before);
});
