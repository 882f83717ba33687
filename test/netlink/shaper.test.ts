import { expect, test } from 'vitest';
import { withNetns } from '../../src/netlink/netns.ts';
import { shaperDevice } from '../../src/reconcile/desired/devices.ts';
import { Shaper } from '../../src/reconcile/shaper.ts';
import { World } from './support.ts';

test('a shaper that cannot be made again is nowhere, so that nothing is sent to where it was', () => {
  using world = new World();
  const { inHost } = world;
  const shaper = new Shaper(inHost);
  // Not every kernel that tests run on has fq, and it does not matter here.
  inHost.replaceByFq = () => undefined;
  withNetns(world.host, () => shaper.ensure(true));
  expect(shaper.ifindex).toBe(inHost.link(shaperDevice.name)?.index);
  inHost.deleteLink(shaper.ifindex);
  inHost.replaceByFq = () => {
    throw new Error('no memory');
  };
  expect(() => withNetns(world.host, () => shaper.ensure(true))).toThrow('no memory');
  expect(shaper.ifindex).toBe(0);
  expect(inHost.links().map(({ name }) => name)).toEqual(['lo']);
});
