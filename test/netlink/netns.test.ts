import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ifNameToIndex } from '../../src/loader/ffi/libc.ts';
import { Netlink } from '../../src/netlink/netlink.ts';
import { createNetns, currentNetns, openNetns, withNetns } from '../../src/netlink/netns.ts';
import { readSysctl, writeSysctl, writeSysctls } from '../../src/netlink/sysctl.ts';
import { thrownBy, World } from './support.ts';

const descriptors = () => readdirSync('/proc/self/fd').length;

describe('a network namespace', () => {
  test('is entered for one synchronous stretch, and left whatever happens', () => {
    using home = currentNetns();
    using other = createNetns();
    const inside = withNetns(other, () => {
      using here = currentNetns();
      return here.inode;
    });
    expect(inside).toBe(other.inode);
    expect(
      thrownBy(() =>
        withNetns(other, () => {
          throw new Error('inside');
        }),
      ),
    ).toMatchObject({ message: 'inside' });
    using after = currentNetns();
    expect(after.equals(home)).toBe(true);
  });

  test('is entered from within another, and left for that one', () => {
    using a = createNetns();
    using b = createNetns();
    const seen = withNetns(a, () => {
      withNetns(b, () => undefined);
      using here = currentNetns();
      return here.inode;
    });
    expect(seen).toBe(a.inode);
  });

  test('has a cookie that is no other one’s', () => {
    using a = createNetns();
    using b = createNetns();
    using again = withNetns(a, () => currentNetns());
    expect(a.cookie).toBeGreaterThan(0n);
    expect(a.cookie).not.toBe(b.cookie);
    expect(again.cookie).toBe(a.cookie);
  });

  test('is opened by the path that ip(8) gives it', () => {
    const name = `vt-netlink-${process.pid}`;
    execFileSync('ip', ['netns', 'add', name]);
    try {
      using ns = openNetns(`/run/netns/${name}`);
      expect(withNetns(ns, () => ifNameToIndex('lo'))).toBe(1);
      expect(withNetns(ns, () => ifNameToIndex('nobody'))).toBe(0);
    } finally {
      execFileSync('ip', ['netns', 'del', name]);
    }
  });

  test('is refused where the path is something else, or nothing', () => {
    const file = join(tmpdir(), `vt-netlink-${process.pid}`);
    writeFileSync(file, '');
    const before = descriptors();
    try {
      for (const path of [file, '/proc/self/ns/mnt', tmpdir()]) {
        expect(thrownBy(() => openNetns(path))).toMatchObject({
          code: 'EINVAL',
          message: expect.stringContaining(`${path}: EINVAL: It is not a network namespace`),
        });
      }
      expect(thrownBy(() => openNetns('/run/netns/vt-netlink-nobody'))).toMatchObject({ code: 'ENOENT' });
    } finally {
      execFileSync('rm', [file]);
    }
    expect(descriptors()).toBe(before);
  });

  test('that is closed costs no descriptor', () => {
    const before = descriptors();
    for (let i = 0; i < 20; i++) {
      using world = new World();
      world.connected();
      void world.host.cookie;
    }
    expect(descriptors()).toBe(before);
  });

  test('that has been closed is never mistaken for what has its number since', () => {
    const ns = createNetns();
    const closed = Netlink.open(ns);
    ns.close();
    closed.close();
    using home = currentNetns();
    expect(thrownBy(() => withNetns(ns, () => 1))).toMatchObject({ code: 'EBADF' });
    expect(thrownBy(() => closed.links())).toMatchObject({ code: 'EBADF' });
    ns.close();
    expect(withNetns(home, () => 'still open')).toBe('still open');
  });
});

describe('a sysctl', () => {
  test('is read and written in its namespace alone', () => {
    using world = new World();
    world.veth();
    const path = 'net/ipv4/conf/vt0/forwarding';
    writeSysctl(world.host, path, '1');
    expect(readSysctl(world.host, path)).toBe('1');
    expect(thrownBy(() => readSysctl(world.box, path))).toMatchObject({
      code: 'ENOENT',
      message: `cannot read sysctl ${path}: ENOENT: No such file or directory`,
    });
    expect(readSysctl(world.box, 'net/ipv4/conf/eth0/forwarding')).toBe('0');
  });

  test('of the calling thread’s namespace is what /proc/sys says', () => {
    expect(readSysctl(undefined, 'net/core/somaxconn')).toBe(
      readFileSync('/proc/sys/net/core/somaxconn', 'utf8').trim(),
    );
  });

  test('with a value that the kernel does not take is refused by name', () => {
    using world = new World();
    const path = 'net/ipv6/conf/lo/hop_limit';
    expect(thrownBy(() => writeSysctls(world.host, [{ path, value: 'many' }]))).toMatchObject({
      code: 'EINVAL',
      message: `cannot write many to sysctl ${path}: EINVAL: Invalid argument`,
    });
  });

  test('is never a path out of /proc/sys', () => {
    expect(() => readSysctl(undefined, '../version')).toThrow(RangeError);
    expect(() => writeSysctl(undefined, 'net//x', '1')).toThrow(RangeError);
  });
});
