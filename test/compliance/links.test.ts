import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listLinks, listPrograms, queryCgroup, queryTcx } from '../../src/loader/enumerate.ts';
import { feature } from '../../src/loader/features.ts';
import { attachCgroup } from '../../src/loader/link/cgroup.ts';
import { type Attachable, type Link, openPinnedLink } from '../../src/loader/link/link.ts';
import { attachTcx } from '../../src/loader/link/tcx.ts';
import { attachXdp } from '../../src/loader/link/xdp.ts';
import { BpfObject } from '../../src/loader/object.ts';
import { unpin } from '../../src/loader/pin.ts';
import { loaderObject, OwnNetns, openDescriptors, ownBpffs, ownCgroup } from '../kernel/loader-support.ts';

let object: BpfObject;
let netns: OwnNetns;
let cgroup: ReturnType<typeof ownCgroup>;
let bpffs: ReturnType<typeof ownBpffs>;

beforeAll(() => {
  object = BpfObject.load(loaderObject);
  netns = new OwnNetns();
  cgroup = ownCgroup();
  bpffs = ownBpffs();
});

afterAll(() => {
  bpffs?.[Symbol.dispose]();
  cgroup?.[Symbol.dispose]();
  netns?.[Symbol.dispose]();
  object?.close();
});

interface LinkKind {
  readonly name: string;
  readonly type: string;
  /** Two programs that may stand in for each other. */
  readonly programs: readonly [string, string];
  readonly available: boolean;
  attach(program: Attachable): Link;
}

const tcx = (direction: 'ingress' | 'egress'): LinkKind => ({
  name: `TCX ${direction}`,
  type: 'tcx',
  programs: ['tc_accept', 'tc_verdict'],
  available: feature('tcx').ok,
  attach: (program) => netns.within(() => attachTcx({ program, ifindex: netns.ifindex('va'), direction })),
});

const xdp = (mode: 'native' | 'generic' | 'auto'): LinkKind => ({
  name: `XDP ${mode}`,
  type: 'xdp',
  programs: ['xdp_accept', 'xdp_refuse'],
  available: true,
  attach: (program) => netns.within(() => attachXdp({ program, ifindex: netns.ifindex('va'), mode })),
});

const kinds: LinkKind[] = [
  tcx('ingress'),
  tcx('egress'),
  xdp('native'),
  xdp('generic'),
  xdp('auto'),
  {
    name: 'cgroup',
    type: 'cgroup',
    programs: ['accept_connect4', 'refuse_connect4'],
    available: true,
    attach: (program) => attachCgroup({ program, cgroupPath: cgroup.path, attachType: 'CGROUP_INET4_CONNECT' }),
  },
];

// A kind that the kernel does not have is refused at its own test below.
describe.each(kinds.filter(({ available }) => available))('a $name link', ({ type, programs, attach }) => {
  const program = (index: 0 | 1) => object.program(programs[index]);

  test('says what it holds, and is found among the links of the machine', () => {
    using link = attach(program(0));
    expect(link.info()).toMatchObject({ id: link.id, type, programId: program(0).id, live: true });
    expect(listLinks()).toContainEqual(link.info());
  });

  test('takes another program in place, again and again', () => {
    using link = attach(program(0));
    for (const index of [1, 0, 1] as const) {
      link.update(program(index));
      expect(link.info()).toMatchObject({ id: link.id, programId: program(index).id, live: true });
    }
  });

  test('ends with its last descriptor when it is not pinned', () => {
    const link = attach(program(0));
    const { id } = link;
    link.close();
    expect(listLinks().map((info) => info.id)).not.toContain(id);
  });

  test('lives on in its pin, is opened again and updated there', () => {
    const path = `${bpffs.path}/link`;
    let id: number;
    {
      using link = attach(program(0));
      link.pin(path);
      id = link.id;
    }
    {
      using link = openPinnedLink(path);
      expect(link.info()).toMatchObject({ id, programId: program(0).id, live: true });
      link.update(program(1));
    }
    using link = openPinnedLink(path);
    expect(link.info()).toMatchObject({ id, programId: program(1).id });
    link.detach();
    unpin(path);
  });

  test('is dead once it is detached', () => {
    using link = attach(program(0));
    link.detach();
    expect(link.info().live).toBe(false);
    expect(() => link.update(program(1))).toThrow();
  });

  test('refuses a program of another type', () => {
    using link = attach(program(0));
    const other = object.program(type === 'cgroup' ? 'xdp_accept' : 'accept_connect4');
    expect(() => link.update(other)).toThrow(/EINVAL/);
    expect(() => attach(other)).toThrow(/EINVAL/);
    expect(link.info().programId).toBe(program(0).id);
  });

  test('leaks no descriptor, whether it is made or refused', () => {
    const other = object.program(type === 'cgroup' ? 'xdp_accept' : 'accept_connect4');
    attach(program(0)).close();
    const before = openDescriptors();
    attach(program(0)).close();
    expect(() => attach(other)).toThrow();
    expect(openDescriptors()).toBe(before);
  });
});

describe.runIf(feature('tcx').ok)('TCX', () => {
  test('programs run in the order that was asked for', () => {
    netns.within(() => {
      const ifindex = netns.ifindex('va');
      const attach = (name: string, order: Parameters<typeof attachTcx>[0]['order']) =>
        attachTcx({ program: object.program(name), ifindex, direction: 'ingress', ...(order && { order }) });
      using first = attach('tc_accept', undefined);
      using second = attach('tc_verdict', 'first');
      expect(queryTcx(ifindex, 'ingress')).toEqual([
        { programId: object.program('tc_verdict').id, linkId: second.id },
        { programId: object.program('tc_accept').id, linkId: first.id },
      ]);
      second.close();
      using _third = attach('tc_verdict', { before: object.program('tc_accept').id });
      expect(queryTcx(ifindex, 'ingress').map(({ programId }) => programId)).toEqual([
        object.program('tc_verdict').id,
        object.program('tc_accept').id,
      ]);
      expect(queryTcx(ifindex, 'egress')).toEqual([]);
    });
  });
});

test('a link says when its device is gone', () => {
  netns.ip('link', 'add', 'vc', 'type', 'veth', 'peer', 'name', 'vd');
  const ifindex = netns.ifindex('vc');
  using link = netns.within(() => attachXdp({ program: object.program('xdp_accept'), ifindex, mode: 'generic' }));
  netns.ip('link', 'del', 'vc');
  expect(link.info()).toMatchObject({ ifindex: 0, live: false });
});

test('a device of another namespace is not found, and the refusal says where it was looked for', () => {
  const program = object.program('xdp_accept');
  expect(() => attachXdp({ program, ifindex: 0x7fff_fff0, mode: 'native' })).toThrow(/EINVAL|ENODEV/);
});

test('a second XDP program on a device is refused', () => {
  netns.within(() => {
    const ifindex = netns.ifindex('va');
    using _link = attachXdp({ program: object.program('xdp_accept'), ifindex, mode: 'native' });
    expect(() => attachXdp({ program: object.program('xdp_refuse'), ifindex, mode: 'native' })).toThrow(/EBUSY/);
  });
});

test('a cgroup link decides about the connections of its cgroup, and follows an update', () => {
  const connect = () => {
    const script = `echo $$ > ${cgroup.path}/cgroup.procs && exec 3<>/dev/tcp/127.0.0.1/9`;
    return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stderr;
  };
  const attachType = 'CGROUP_INET4_CONNECT';
  using link = attachCgroup({ program: object.program('accept_connect4'), cgroupPath: cgroup.path, attachType });
  expect(queryCgroup(cgroup.path, attachType)).toEqual([{ programId: object.program('accept_connect4').id }]);
  expect(connect()).toContain('Connection refused');
  link.update(object.program('refuse_connect4'));
  expect(connect()).toContain('Operation not permitted');
  link.detach();
  expect(queryCgroup(cgroup.path, attachType)).toEqual([]);
});

test('a directory that is no cgroup is refused in words', () => {
  const program = object.program('accept_connect4');
  const attachType = 'CGROUP_INET4_CONNECT';
  expect(() => attachCgroup({ program, cgroupPath: '/tmp', attachType })).toThrow(/not in a cgroup2 mount/);
  expect(() => attachCgroup({ program, cgroupPath: '/nonexistent', attachType })).toThrow(/ENOENT/);
});

test('loaded programs are listed', () => {
  const ids = listPrograms().map(({ id }) => id);
  for (const program of object.programs) expect(ids).toContain(program.id);
});
