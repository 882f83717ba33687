import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { ping } from './talk.ts';

// Driver none: loopback alone, known and listed.

let lab: Lab;
let host: Host;
let alone: Container;

beforeAll(async () => {
  lab = await Lab.create({ clients: [] });
  host = lab.host('h1');
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16');
  await host.vetch('network', 'create', 'nothing', '--driver', 'none', '--label', 'tier=batch');
  [alone] = await host.attach('nothing', 'alone', '--label', 'app=batch');
  await host.attach('nothing', 'other');
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const attach = (network: string, container: string, ...flags: string[]) =>
  host.vetch('endpoint', 'attach', network, '--netns', `/run/netns/${container}`, ...flags);

test('it has loopback, and no other device', async () => {
  const links = JSON.parse(await alone.must('ip', '-j', 'link')) as {
    ifname: string;
    link_type: string;
    flags: string[];
  }[];
  // Some kernels give every namespace tunnel devices, which are down
  const up = links.filter(({ flags }) => flags.includes('UP'));
  expect(up).toMatchObject([{ ifname: 'lo', link_type: 'loopback' }]);
  expect(links.filter(({ link_type }) => link_type === 'ether')).toEqual([]);
  expect(await ping(alone, '127.0.0.1')).toBe(0);
  expect(await host.must('ip', '-o', 'link')).not.toMatch(/vt[0-9a-f]{11}/);
});

test('it is known: listed, inspected, with labels and an identity', async () => {
  const view = {
    name: 'alone',
    network: 'nothing',
    ifname: 'lo',
    hostIfname: '',
    mac: '',
    addresses: [],
    gateways: [],
  };
  expect(await host.vetch('endpoint', 'inspect', 'nothing/alone')).toMatchObject({ ...view, labels: { app: 'batch' } });
  expect(await host.vetch('endpoint', 'ls')).toMatchObject([{ name: 'alone' }, { name: 'other' }]);
  expect(await host.vetch('network', 'inspect', 'nothing')).toMatchObject({
    ...{ driver: 'none', subnets: [], gateways: [], endpoints: ['alone', 'other'] },
  });
  const { identity } = await host.vetch<{ identity: number }>('endpoint', 'inspect', 'nothing/alone');
  expect(identity).toBeGreaterThanOrEqual(256);
  expect(await host.vetch('identity', 'ls')).toContainEqual(
    expect.objectContaining({ identity, endpoints: expect.arrayContaining(['alone']) }),
  );
});

test('its labels change live', async () => {
  await host.vetch('endpoint', 'label', 'nothing/alone', 'app=report');
  expect(await host.vetch('endpoint', 'inspect', 'nothing/alone')).toMatchObject({ labels: { app: 'report' } });
});

test.each([
  [['--ip', '10.88.0.9'], 'ADDRESS_OUTSIDE_POOL'],
  [['--mac', '02:00:00:00:00:09'], 'INVALID'],
  [['--ifname', 'eth7'], 'INVALID'],
  [['--publish', '8080:80'], 'INVALID'],
  [['--opt', 'vetch.rate.egress=1Mbit'], 'INVALID'],
])('%j is refused, and nothing changes', async (flags, code) => {
  await host.container(`x${flags[0]}`);
  await expect(attach('nothing', `x${flags[0]}`, ...flags)).rejects.toMatchObject({ code });
  expect(await host.vetch('endpoint', 'ls')).toHaveLength(2);
});

test('what a none network cannot have is refused', async () => {
  const create = (...flags: string[]) => host.vetch('network', 'create', 'n2', '--driver', 'none', ...flags);
  await expect(create('--subnet', '10.90.0.0/16')).rejects.toMatchObject({ code: 'INVALID' });
  await expect(create('--internal')).rejects.toMatchObject({ code: 'INVALID' });
  await expect(create('--opt', 'vetch.forwarding=stack')).rejects.toMatchObject({ code: 'INVALID' });
});

test('loopback alone and another network exclude each other', async () => {
  await expect(attach('web', 'alone')).rejects.toMatchObject({ code: 'INVALID' });
  await host.attach('web', 'web1');
  await expect(attach('nothing', 'web1')).rejects.toMatchObject({ code: 'INVALID' });
  await expect(attach('nothing', 'alone')).rejects.toMatchObject({ code: 'INVALID' });
  await host.vetch('endpoint', 'detach', 'web/web1');
});

test('a packet cannot be traced from it', async () => {
  const traced = host.vetch('trace', '--from', 'nothing/alone', '--to', 'world', '--port', '80/tcp');
  await expect(traced).rejects.toMatchObject({ code: 'INVALID' });
});

test('it is no drift, and is there after a restart', async () => {
  await host.stopDaemon('SIGKILL');
  await host.start();
  expect(await host.status()).toMatchObject({ endpoints: 2, networks: 2, drift: 0, warnings: [] });
  expect(await host.vetch('endpoint', 'inspect', 'nothing/alone')).toMatchObject({ labels: { app: 'report' } });
});

test('it goes as any other, and its network after it', async () => {
  await expect(host.vetch('network', 'rm', 'nothing')).rejects.toMatchObject({ code: 'IN_USE' });
  await host.vetch('endpoint', 'detach', 'nothing/alone', 'nothing/other');
  await host.vetch('network', 'rm', 'nothing');
  expect(await host.status()).toMatchObject({ endpoints: 0, networks: 1 });
});
