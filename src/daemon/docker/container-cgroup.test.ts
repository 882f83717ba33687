import { expect, test } from 'vitest';
import { containerCgroup } from './container-cgroup.ts';

const id = 'ab'.repeat(32);
const root = '/sys/fs/cgroup';

test.each([
  [`0::/system.slice/docker-${id}.scope\n`, `${root}/system.slice/docker-${id}.scope`],
  [`0::/docker/${id}\n`, `${root}/docker/${id}`],
  [`0::/docker/${id}/init.scope\n`, `${root}/docker/${id}`],
  [`12:pids:/docker/${id}\n1:name=systemd:/docker/${id}\n0::/system.slice/docker.service\n`, undefined],
  [`4:memory:/docker/${id}\n0::/\n`, undefined],
  [`4:memory:/docker/${id}\n`, undefined],
  [`0::/../docker/${id}\n`, undefined],
])('of %j is %s', (text, path) => {
  expect(containerCgroup(text, root, id)).toBe(path);
});
