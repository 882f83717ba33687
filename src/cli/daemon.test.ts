import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../test/api/cli.ts';
import { daemonOptions } from './daemon.ts';

let directory: string;
let config: string;
beforeEach(() => {
  delete process.env.VETCH_SOCKET;
  directory = mkdtempSync(join(tmpdir(), 'vetch-config-'));
  config = join(directory, 'vetch.yaml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('an empty file leaves every default', async () => {
  writeFileSync(config, '# nothing\n');
  expect(await daemonOptions({ config })).toEqual({
    node: hostname(),
    state: '/var/lib/vetch',
    bpffs: '/sys/fs/bpf/vetch',
    socket: '/run/vetch/vetch.sock',
    uplink: 'auto',
    dockerPlugins: '/run/docker/plugins',
    dockerEngine: '/var/run/docker.sock',
    resolver: '/run/vetch-resolver',
    store: 'embedded',
    storeAccess: { prefix: '/vetch' },
    metrics: 'off',
    config,
    uninstall: false,
    mapSizes: {},
  });
});

test('the file has the flags by name, and flags win', async () => {
  writeFileSync(
    config,
    `node: a
state: /srv/vetch
cgroup: /sys/fs/cgroup/unified
uplink: [eth0, eth1]
docker-plugins: off
docker-engine: 'off'
metrics: '[::1]:9100'
store: etcd://etcd-1:2379,[fd00::2]:2379
store-prefix: /vetch/production
store-ca: system
store-user: h1
store-password-file: /etc/vetch/password
map-sizes: { conntrack: 1000000 }
`,
  );
  expect(await daemonOptions({ config, node: 'b', socket: '/run/b.sock', metrics: ':9200' })).toMatchObject({
    node: 'b',
    state: '/srv/vetch',
    cgroup: '/sys/fs/cgroup/unified',
    socket: '/run/b.sock',
    uplink: ['eth0', 'eth1'],
    dockerPlugins: 'off',
    dockerEngine: 'off',
    metrics: { host: '0.0.0.0', port: 9200 },
    store: 'etcd://etcd-1:2379,[fd00::2]:2379',
    storeAccess: { prefix: '/vetch/production', ca: 'system', user: 'h1', passwordFile: '/etc/vetch/password' },
    mapSizes: { conntrack: 1_000_000 },
  });
  expect(await daemonOptions({ config, uplink: 'eth2,eth3' })).toMatchObject({
    uplink: ['eth2', 'eth3'],
    metrics: { host: '::1', port: 9100 },
  });
});

test.each([
  ['nodes: a', 'has the unknown key "nodes"'],
  ['state: relative', 'state is "relative"'],
  ['map-sizes: { conntrack: many }', 'map-sizes.conntrack is'],
  ['- node', 'is not a map of keys'],
  ['node: [', 'is not YAML'],
])('a file with `%s` is refused by name', async (text, message) => {
  writeFileSync(config, text);
  await expect(daemonOptions({ config })).rejects.toMatchObject({
    code: 'INVALID',
    status: 1,
    message: expect.stringContaining(message),
  });
});

test('a --config that is not there is refused', async () => {
  await expect(daemonOptions({ config })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test.each([
  ['--metrics', '9100'],
  ['--metrics', '127.0.0.1:99999'],
  ['--uplink', 'eth0,,eth1'],
  ['--store', 'etcd://'],
  ['--socket', 'vetch.sock'],
  ['--node', 'a b'],
])('%s %s is wrong usage', async (flag, value) => {
  const { status, stdout, stderr } = await runCli(['daemon', flag, value]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(new RegExp(`^vetch: INVALID: ${flag} is ".*"; it must .*; see vetch daemon --help\n$`));
});
