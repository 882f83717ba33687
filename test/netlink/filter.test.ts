import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { withNetns } from '../../src/netlink/netns.ts';
import { tcPrograms, thrownBy, World } from './support.ts';

const block = 30309;

describe('clsact', () => {
  test('is added, found by its device, and deleted', () => {
    using world = new World();
    const { index } = world.veth();
    expect(world.inHost.clsact(index)).toBeUndefined();
    world.inHost.addClsact(index);
    expect(world.inHost.clsact(index)).toEqual({
      ifindex: index,
      kind: 'clsact',
      handle: 0xffff0000,
      parent: 0xfffffff1,
    });
    expect(thrownBy(() => world.inHost.addClsact(index))).toMatchObject({ code: 'EEXIST' });
    world.inHost.deleteClsact(index);
    expect(world.inHost.clsact(index)).toBeUndefined();
    expect(world.inHost.clsact(77)).toBeUndefined();
  });

  test('shares its filters with every device of the block', () => {
    using world = new World();
    using object = tcPrograms();
    const program = object.program('tc_verdict');
    const { index: a } = world.inHost.createVeth({ name: 'a', peer: { name: 'a1' } });
    const { index: b } = world.inHost.createVeth({ name: 'b', peer: { name: 'b1' } });
    world.inHost.addClsact(a, { ingressBlock: block });
    world.inHost.addBpfFilter({ block, fd: program.fd, name: program.name });
    world.inHost.addClsact(b, { ingressBlock: block, egressBlock: block + 1 });
    expect(world.inHost.clsact(b)).toMatchObject({ ingressBlock: block, egressBlock: block + 1 });
    expect(world.inHost.filters({ block })).toEqual([
      {
        block,
        kind: 'bpf',
        handle: 1,
        priority: 1,
        name: 'tc_verdict',
        programId: program.id,
        programTag: program.tag,
        directAction: true,
      },
    ]);
    // The block outlives the device that made it, and goes with the last.
    world.inHost.deleteLink(a);
    expect(world.inHost.filters({ block })).toHaveLength(1);
    world.inHost.deleteLink(b);
    expect(world.inHost.filters({ block })).toEqual([]);
  });

  test('is listed among the qdiscs of all devices', async () => {
    using world = new World();
    const { index } = world.connected();
    world.inHost.addClsact(index, { ingressBlock: block });
    const kinds = world.inHost.qdiscs().filter(({ ifindex }) => ifindex === index);
    expect(kinds.map(({ kind }) => kind).sort()).toEqual(['clsact', 'noqueue']);
    expect(await world.inHost.qdiscsAsync()).toEqual(world.inHost.qdiscs());
  });
});

describe('a filter', () => {
  test('is replaced in place: one program after the other, never two', () => {
    using world = new World();
    using object = tcPrograms();
    const { index } = world.veth();
    world.inHost.addClsact(index, { ingressBlock: block });
    for (const name of ['tc_verdict', 'tc_accept']) {
      const program = object.program(name);
      for (const hook of [{ block }, { ifindex: index, parent: 'egress' }] as const) {
        world.inHost.replaceBpfFilter({ ...hook, fd: program.fd, name });
        const filters = world.inHost.filters(hook);
        expect(filters).toHaveLength(1);
        expect(filters[0]).toMatchObject({ name, programId: program.id, handle: 1, priority: 1 });
      }
    }
  });

  test('is added only where there is none of its handle and priority', () => {
    using world = new World();
    using object = tcPrograms();
    const { fd, name } = object.program('tc_accept');
    const { index } = world.veth();
    const hook = { ifindex: index, parent: 'ingress' } as const;
    world.inHost.addClsact(index);
    world.inHost.addBpfFilter({ ...hook, fd, name, priority: 2 });
    expect(thrownBy(() => world.inHost.addBpfFilter({ ...hook, fd, name, priority: 2 }))).toMatchObject({
      code: 'EEXIST',
      message: expect.stringContaining(`cannot add filter tc_accept to ingress of device ${index}: EEXIST`),
    });
    world.inHost.addBpfFilter({ ...hook, fd, name, priority: 1 });
    expect(world.inHost.filters(hook).map(({ priority }) => priority)).toEqual([1, 2]);
    world.inHost.deleteBpfFilter({ ...hook, priority: 2 });
    expect(world.inHost.filters(hook).map(({ priority }) => priority)).toEqual([1]);
    expect(thrownBy(() => world.inHost.deleteBpfFilter({ ...hook, priority: 2 }))).toMatchObject({ code: 'ENOENT' });
  });

  test('hangs on one direction and not the other', () => {
    using world = new World();
    using object = tcPrograms();
    const { fd, name } = object.program('tc_accept');
    const { index } = world.veth();
    world.inHost.addClsact(index);
    world.inHost.addBpfFilter({ ifindex: index, parent: 'egress', fd, name });
    expect(world.inHost.filters({ ifindex: index, parent: 'ingress' })).toEqual([]);
    expect(world.inHost.filters({ ifindex: index, parent: 'egress' })).toHaveLength(1);
  });

  test('without a qdisc or a device to hang on is refused, and listed as none', () => {
    using world = new World();
    using object = tcPrograms();
    const { fd, name } = object.program('tc_accept');
    const { index } = world.veth();
    const hook = { ifindex: index, parent: 'ingress' } as const;
    expect(thrownBy(() => world.inHost.addBpfFilter({ ...hook, fd, name }))).toMatchObject({
      detail: expect.stringMatching(/qdisc/i),
    });
    expect(thrownBy(() => world.inHost.addBpfFilter({ block, fd, name }))).toMatchObject({
      detail: expect.stringMatching(/block/i),
    });
    expect(world.inHost.filters(hook)).toEqual([]);
    expect(world.inHost.filters({ ifindex: 77, parent: 'ingress' })).toEqual([]);
    expect(world.inHost.filters({ block })).toEqual([]);
  });

  test('of a program of another kind is refused', () => {
    using world = new World();
    using object = tcPrograms();
    const { fd } = object.program('xdp_accept');
    const { index } = world.veth();
    world.inHost.addClsact(index);
    expect(
      thrownBy(() => world.inHost.addBpfFilter({ ifindex: index, parent: 'ingress', fd, name: 'xdp' })),
    ).toMatchObject({ code: 'EINVAL' });
  });

  test('is what tc shows', () => {
    using world = new World();
    using object = tcPrograms();
    const { fd, name, tag } = object.program('tc_accept');
    const { index } = world.veth();
    world.inHost.addClsact(index, { ingressBlock: block });
    world.inHost.addBpfFilter({ block, fd, name, priority: 3, handle: 9 });
    const shown = withNetns(world.host, () =>
      execFileSync('tc', ['filter', 'show', 'block', String(block)], { encoding: 'utf8' }),
    );
    expect(shown).toContain(`pref 3 bpf chain 0 handle 0x9 ${name} direct-action`);
    expect(shown).toContain(`tag ${tag}`);
  });
});
