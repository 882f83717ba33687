/** Many hosts on one etcd that share a network of few addresses; their control planes are the daemon's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EtcdServers } from '../lab/etcd-servers.ts';
import { slowness } from '../lab/process.ts';
import { SimulatedHost } from './simulated-host.ts';

const count = 60;
/** Of 253. */
const each = 4;
const long = 120_000 * slowness;

let etcd: EtcdServers;
let hosts: SimulatedHost[] = [];
const warnings: string[] = [];
const directory = mkdtempSync(join(tmpdir(), 'vetch-small-network-'));

beforeAll(async () => {
  etcd = await EtcdServers.start();
  for (let i = 0; i < count; i++) {
    const { endpoints } = etcd;
    const common = { endpoints, directory, cache: false, warn: (line: string) => warnings.push(line) };
    hosts.push(await SimulatedHost.start({ ...common, name: `host${i}`, address: `10.64.0.${i + 1}` }));
  }
}, long);
afterAll(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
  hosts = [];
  await etcd[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, long);

test(`${count} hosts attach ${each} endpoints each in a /24: none keeps what another needs`, {
  timeout: long,
}, async () => {
  const [first] = hosts;
  await first?.createNetwork('small', '10.100.0.0/24');
  for (const { context } of hosts) {
    await expect.poll(() => context.state.index.networkNamed('small'), { timeout: long }).toBeDefined();
  }
  const addresses: string[] = [];
  for (let round = 0; round < each; round++) {
    for (const host of hosts) {
      const endpoint = await host.attach('small', {});
      addresses.push(endpoint.addresses[0] ?? '');
      // What this makes the others give back they do behind it.
      if (round > 0) await host.context.addresses.settle();
    }
  }
  expect(new Set(addresses).size).toBe(count * each);
});
