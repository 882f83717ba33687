import { expect, test } from 'vitest';
import { BpfObject } from '../../src/loader/object.ts';
import { Netlink } from '../../src/netlink/netlink.ts';
import { createNetns } from '../../src/netlink/netns.ts';
import { ClsactAttachments } from '../../src/reconcile/clsact-attachments.ts';
import type { DeviceAttachment } from '../../src/reconcile/desired/attachments.ts';

const path = new URL('../../bpf/build/uplink.bpf.o', import.meta.url).pathname;

/** Where TCX is missing (Linux 6.1), filters stand in for links: here on any kernel. */
function setUp() {
  const netns = createNetns();
  const netlink = Netlink.open(netns);
  const { index: ifindex } = netlink.createVeth({ name: 'eth0', peer: { name: 'other' } });
  const clsact = new ClsactAttachments(netlink);
  const links = () => netlink.links().map(({ index, ...link }) => ({ ifindex: index, ...link }));
  const uplink: DeviceAttachment & { readonly kind: 'ingress' } = {
    ...{ kind: 'ingress', hook: 'from_uplink', program: 'from_uplink', target: 'eth0', ifindex },
  };
  return { netns, netlink, ifindex, clsact, uplink, observe: () => clsact.observe(links()) };
}

test('a program is attached, found, replaced in place and detached, and leaves no qdisc', () => {
  const { netns, netlink, ifindex, clsact, uplink, observe } = setUp();
  using _ = netns;
  using object = BpfObject.load(path);
  using newer = BpfObject.load(path);
  const [program, next] = [object.program('from_uplink'), newer.program('from_uplink_l3')];
  clsact.attach(uplink, program);
  const place = { hook: 'from_uplink', target: 'eth0', ifindex, live: true };
  expect(observe()).toEqual([{ ...place, programId: program.id }]);
  clsact.attach({ ...uplink, program: 'from_uplink_l3' }, next);
  expect(observe()).toEqual([{ ...place, programId: next.id }]);
  expect(netlink.filters({ ifindex, parent: 'ingress' })).toHaveLength(1);
  clsact.detach('eth0');
  expect(observe()).toEqual([]);
  expect(netlink.clsact(ifindex)).toBeUndefined();
  clsact.detach('eth0');
  clsact.detach('nowhere');
});

test("another tool's filter on the same device is left alone", () => {
  const { netns, netlink, ifindex, clsact, uplink, observe } = setUp();
  using _ = netns;
  using object = BpfObject.load(path);
  const program = object.program('from_uplink');
  netlink.addClsact(ifindex);
  netlink.addBpfFilter({ ifindex, parent: 'ingress', fd: program.fd, name: 'theirs', handle: 5, priority: 7 });
  clsact.attach(uplink, program);
  expect(observe()).toHaveLength(1);
  clsact.detach('eth0');
  expect(netlink.filters({ ifindex, parent: 'ingress' }).map(({ name }) => name)).toEqual(['theirs']);
});
