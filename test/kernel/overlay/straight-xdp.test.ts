import { afterAll, beforeAll, expect, test } from 'vitest';
import { Counter } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { networks } from '../world/plan.ts';
import type { Sandbox } from './sandbox.ts';
import { enterMounts, ThreeHosts } from './three-hosts.ts';

// What a client asks of `third` and `x` on `near` answers: all but the first packets leave `third` before its stack.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const [clientAddress, entry, home] = ['198.51.100.77', '198.51.100.3', '198.51.100.1'];
const bytes = 4_000_000;

let hosts: ThreeHosts;
let client: Sandbox;

beforeAll(async () => {
  enterMounts();
  hosts = await ThreeHosts.create({ name: 'IPv4 past the device', prefix: '192.0.2.', uplinks: true });
  client = hosts.addClient(`${clientAddress}/24`);
  // A veth leaves checksums to whoever takes the packet off a wire, which XDP's frames say nothing of.
  await client.exec('ethtool', '-K', 'eth0', 'tx', 'off');
  hosts.near.container('x').ip(`route add ::/0 via ${networks.wide.gateway6}`);
  hosts.near.addAddress(`${home}/24`);
  hosts.third.addAddress(`${entry}/24`);
  for (const host of [hosts.near, hosts.third]) {
    host.publish('x', 6, 8091, 91, { straight: true });
    host.publish('x', 17, 8053, 53, { straight: true });
    for (const [address, of] of [
      [home, host === hosts.near ? 0 : 1],
      [entry, host === hosts.near ? 2 : 0],
    ] as const) {
      host.maps.nodeAddrs.set(parseAddress(address), of);
    }
  }
  hosts.takeFromXdp();
  hosts.third.sendBeforeStack();
});
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await hosts?.[Symbol.asyncDispose]();
});

function sentOn(): number {
  const cpus = hosts.third.maps.counters.get(Counter.STRAIGHT_BY_XDP) ?? [];
  return cpus.reduce((sum, count) => sum + Number(count), 0);
}

test('a stream arrives whole, its packets sent on before the stack', async () => {
  await hosts.near.container('x').spawn('python3', `${programs}bulk.py`, 'serve', '91').until(/ready/);
  const { stdout, stderr } = await client.exec('python3', `${programs}bulk.py`, 'send', entry, '8091', String(bytes));
  expect([stdout.trim(), stderr]).toEqual([String(bytes), '']);
  // Of 1,400 bytes each, but for those of the handshake.
  expect(sentOn()).toBeGreaterThan(bytes / 1448);
});

test('datagrams are answered under the address that was asked, all but the first sent on before the stack', async () => {
  const server = [`${programs}server.py`, 'udp', '::', '53', 'x'];
  await hosts.near
    .container('x')
    .spawn('python3', ...server)
    .until(/ready/);
  const before = sentOn();
  const args = ['udp', entry, '8053', '--timeout', '5', '--count', '5'];
  const { stdout } = await client.exec('python3', `${programs}client.py`, ...args);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, replyFrom: [entry, 8053] });
  expect(sentOn() - before).toBe(4);
});
