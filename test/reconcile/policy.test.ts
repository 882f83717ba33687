import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { must } from '../lab/process.ts';
import { ask, serve } from '../lab/talk.ts';
import { afterPass, controlMaps, dump } from './kernel-state.ts';

const vetch = new URL('../../bin/vetch', import.meta.url).pathname;

/** Applies documents from standard input, as people do. */
async function apply(host: Host, yaml: string): Promise<void> {
  const command = host.command([vetch, 'policy', 'apply', '-f', '-', '--socket', host.socket]);
  await must(command, { input: yaml });
}

const closed = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
`;
const fromWeb = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
`;
const fromFabric = (host: Host) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-fabric, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{ipBlock: {cidr: ${host.address4}/8}}, {ipBlock: {cidr: ${host.address6}/16}}]
`;

async function shop(lab: Lab) {
  const host = lab.host();
  await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  const [db] = await host.attach('shop', 'db', '--label', 'app=db', '--publish', '5432:5432');
  const [web] = await host.attach('shop', 'web', '--label', 'app=web');
  const [spy] = await host.attach('shop', 'spy');
  await serve(db, 'tcp', 5432);
  return { host, db, web, spy, outside: lab.client() };
}

describe('policy on a host', () => {
  test('a default deny closes what Docker cannot, a published port, and permissions open it by who asks', async () => {
    await using lab = await Lab.create();
    const { host, web, spy, outside } = await shop(lab);
    const asks = async () => {
      const ways = [
        ...['10.88.0.2', 'fd00:88::2'].map((address) => [web, address] as const),
        ...['10.88.0.2', 'fd00:88::2'].map((address) => [spy, address] as const),
        [outside, host.address4] as const,
        [outside, host.address6] as const,
        [host, '127.0.0.1'] as const,
      ];
      const replies = await Promise.all(ways.map(([who, at]) => ask(who, 'tcp', at, 5432, '--timeout', '1')));
      return replies.map(({ ok }) => ok);
    };
    const [yes, no] = [true, false];
    expect(await asks(), 'without documents').toEqual([yes, yes, yes, yes, yes, yes, yes]);
    await apply(host, closed);
    expect(await asks(), 'closed').toEqual([no, no, no, no, no, no, yes]);
    await apply(host, fromWeb);
    expect(await asks(), 'from web').toEqual([yes, yes, no, no, no, no, yes]);
    await apply(host, fromFabric(host));
    expect(await asks(), 'from the fabric').toEqual([yes, yes, no, no, yes, yes, yes]);
    await host.vetch('endpoint', 'label', 'spy', 'app=web');
    expect(await asks(), 'a label later').toEqual([yes, yes, yes, yes, yes, yes, yes]);
    const told = await host.vetch<{ verdict: string; decidedBy: unknown }>(
      ...['policy', 'explain', '--from', 'world', '--to', 'db', '--port', '5432/tcp'],
    );
    expect(told).toMatchObject({
      verdict: 'deny',
      decidedBy: { kind: 'NetworkPolicy', namespace: 'shop', name: 'closed', rule: null },
    });
    const flows = await host.must(vetch, 'flows', '--reason', 'policy_denied', '--json', '--socket', host.socket);
    const [first] = flows.trim().split('\n');
    expect(JSON.parse(first ?? '{}')).toMatchObject({
      verdict: 'DROPPED',
      reason: 'POLICY_DENIED',
      decidedBy: { kind: 'NetworkPolicy', namespace: 'shop', name: 'closed', rule: null },
    });
    for (const name of ['closed', 'from-web', 'from-fabric']) await host.vetch('policy', 'delete', name, '-n', 'shop');
    expect(await asks(), 'deleted').toEqual([yes, yes, yes, yes, yes, yes, yes]);
  });

  test('policy goes on while the daemon is gone, and a restart writes nothing', async () => {
    await using lab = await Lab.create();
    const { host, web, spy } = await shop(lab);
    await apply(host, `${closed}---${fromWeb}---${fromFabric(host)}`);
    await host.vetch('namespace', 'label', 'shop', 'team=red');
    const maps = await controlMaps(host);
    const identity = await host.vetch('endpoint', 'inspect', 'db');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await host.stopDaemon(signal);
      expect(await ask(web, 'tcp', '10.88.0.2', 5432)).toMatchObject({ ok: true });
      expect(await ask(spy, 'tcp', '10.88.0.2', 5432, '--timeout', '1')).toMatchObject({ ok: false });
      await host.start();
      expect(await controlMaps(host)).toBe(maps);
      expect(await host.vetch('endpoint', 'inspect', 'db')).toEqual(identity);
      expect((await host.status()).drift).toBe(0);
    }
    expect(await host.vetch('policy', 'ls')).toMatchObject([
      { name: 'closed', selects: ['db'] },
      { name: 'from-fabric', selects: ['db'] },
      { name: 'from-web', selects: ['db'] },
    ]);
  });

  test("entries that somebody deleted or changed are repaired, and nobody's are removed", async () => {
    await using lab = await Lab.create();
    const { host, spy } = await shop(lab);
    await apply(host, `${closed}---${fromWeb}---${fromFabric(host)}`);
    await sleep(100);
    const maps = await controlMaps(host);
    const pin = (map: string) => `${host.bpffs}/v1/maps/${map}`;
    const bpftool = (...args: string[]) => host.must('bpftool', 'map', ...args);
    for (const map of ['policy', 'address_blocks', 'policy_ports']) {
      const keys = await host.must('bpftool', '-j', 'map', 'dump', 'pinned', pin(map));
      const [first] = JSON.parse(keys) as { key: string[] }[];
      await bpftool('delete', 'pinned', pin(map), 'key', 'hex', ...(first?.key.map((byte) => byte.slice(2)) ?? []));
    }
    const zeros = Array.from({ length: 16 }, () => '0');
    const { number } = await numberOf(host, '10.88.0.2');
    await bpftool('update', 'pinned', pin('identities'), 'key', ...word(2 * number), 'value', ...zeros);
    await afterPass(host, async () => (await controlMaps(host)) === maps);
    expect((await host.status()).drift).toBeGreaterThanOrEqual(4);
    expect(await ask(spy, 'tcp', '10.88.0.2', 5432, '--timeout', '1')).toMatchObject({ ok: false });
  });
});

async function numberOf(host: Host, address: string): Promise<{ number: number }> {
  const last = address.split('.').map(Number);
  const rows = await dump(host, 'endpoints');
  const row = rows.find(({ key }) => {
    const { addr } = key as { addr: { bytes: number[] } };
    return addr.bytes.slice(12).join() === last.join();
  });
  return row?.value as { number: number };
}

/** A little-endian word as bpftool takes bytes. */
function word(value: number): string[] {
  return [value & 255, (value >> 8) & 255, 0, 0].map(String);
}
