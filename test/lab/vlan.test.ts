import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { ask, ping, serve } from './talk.ts';

// VLAN devices that networks make, use and leave behind for nobody. The kernel of many a machine has no VLANs: there the
// refusal is tested, and Debian's kernels under QEMU have them.

let lab: Lab;
let host: Host;
let outside: Client;
let vlans: boolean;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  vlans =
    (await outside.exec('ip', 'link', 'add', 'link', 'eth0', 'name', 'tagged', 'type', 'vlan', 'id', '10')).status ===
    0;
  if (process.env.VETCH_TEST_VLAN) expect(vlans).toBe(true);
  if (!vlans) return;
  await outside.ip(
    'address add 192.0.2.100/24 dev tagged',
    'address add 2001:db8:a::100/64 dev tagged nodad',
    'link set tagged up',
  );
  for (const transport of ['tcp', 'udp'] as const) await serve(outside, transport, 80);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

function create(name: string, driver: string, parent: string): Promise<unknown> {
  const subnets = ['--subnet', '192.0.2.0/24', '--subnet', '2001:db8:a::/64'];
  return host.vetch('network', 'create', name, '--driver', driver, '--opt', `parent=${parent}`, ...subnets);
}

const devices = () => host.must('ip', '-o', 'link');

test('a kernel without VLANs refuses one by the name of what it lacks, and nothing stays', async ({ skip }) => {
  skip(vlans, 'this kernel has VLANs');
  for (const driver of ['macvlan', 'ipvlan']) {
    await expect(create('tagged', driver, 'eth0.10'), driver).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      hint: expect.stringContaining('CONFIG_VLAN_8021Q'),
    });
  }
  expect(await host.vetch('network', 'ls')).toEqual([]);
  expect(await devices()).not.toContain('eth0.10');
});

test('a VLAN device is made for a network, carries its traffic, and goes with the last user', async ({ skip }) => {
  skip(!vlans, 'this kernel has no VLANs; those of test/kernels do');
  for (const driver of ['macvlan', 'ipvlan']) {
    await create('tagged', driver, 'eth0.10');
    expect(await devices(), driver).toContain('eth0.10@eth0');
    const [one] = await host.attach('tagged', `${driver}-one`, '--ip', '192.0.2.20', '--ip', '2001:db8:a::20');
    await serve(one, 'tcp', 81);
    for (const address of ['192.0.2.100', '2001:db8:a::100']) {
      expect(await ping(one, address), `${driver} ${address}`).toBe(0);
      expect(await ask(one, 'tcp', address, 80), `${driver} ${address}`).toMatchObject({ ok: true });
    }
    for (const address of ['192.0.2.20', '2001:db8:a::20']) {
      expect(await ask(outside, 'tcp', address, 81), `${driver} ${address}`).toMatchObject({ ok: true });
    }
    // Without the tag it is another LAN.
    expect(await ping(one, outside.address4), driver).not.toBe(0);
    await host.vetch('endpoint', 'detach', `${driver}-one`);
    await host.vetch('network', 'rm', 'tagged');
    expect(await devices(), driver).not.toContain('eth0.10');
    await outside.ip('neigh flush dev tagged');
  }
});

test('two networks share one, a restart keeps it, and one that was there before stays', async ({ skip }) => {
  skip(!vlans, 'this kernel has no VLANs; those of test/kernels do');
  await host.ip('link add link eth0 name eth0.20 type vlan id 20');
  await create('first', 'macvlan', 'eth0.10');
  await create('old', 'ipvlan', 'eth0.20');
  await create('second', 'macvlan', 'eth0.10');
  await host.vetch('network', 'rm', 'first');
  expect(await devices()).toContain('eth0.10');
  await host.stopDaemon();
  await host.ip('link del eth0.10');
  await host.start();
  await host.attach('second', 'late');
  expect(await devices()).toContain('eth0.10');
  await host.vetch('endpoint', 'detach', 'late');
  await host.vetch('network', 'rm', 'second', 'old');
  expect(await devices()).not.toContain('eth0.10');
  expect(await devices()).toContain('eth0.20');
});
