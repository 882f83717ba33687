import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiHost } from '../../test/api/api-host.ts';
import { runCli } from '../../test/api/cli.ts';
import { eventOf } from '../../test/api/memory-operations.ts';
import { conntrackFlushed, conntrackView } from '../api/schemas/conntrack.ts';
import { denyView } from '../api/schemas/deny.ts';
import { endpointView } from '../api/schemas/endpoint.ts';
import { errorView } from '../api/schemas/error.ts';
import { flowView } from '../api/schemas/flow.ts';
import { mapDumpView, mapView } from '../api/schemas/map.ts';
import { networkView } from '../api/schemas/network.ts';
import { nodeView } from '../api/schemas/node.ts';
import { explainView, namespaceView, policyView } from '../api/schemas/policy.ts';
import { portView } from '../api/schemas/port.ts';
import { doctorCheck, identityView, statusView } from '../api/schemas/status.ts';
import { traceView } from '../api/schemas/trace.ts';

let host: ApiHost;
beforeEach(async () => {
  host = await ApiHost.start();
});
afterEach(() => host[Symbol.asyncDispose]());

const vetch = (...args: string[]) => runCli(args, { socket: host.socketPath });

/** Runs a command that must succeed, and gives what it printed as the schema has it. */
async function json<Schema extends z.ZodType>(schema: Schema, ...args: string[]): Promise<z.output<Schema>> {
  const { status, stdout, stderr } = await vetch(...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return schema.parse(JSON.parse(stdout));
}

async function attach(...more: string[]) {
  await json(networkView, 'network', 'create', 'web', '--subnet', '10.88.0.0/16');
  return json(endpointView, 'endpoint', 'attach', 'web', '--netns', '/run/netns/c1', '--name', 'c1', ...more);
}

test('network: every flag arrives, and what --json prints is the network', async () => {
  const flags = '--driver bridge --subnet 10.9.0.0/16 --subnet fd00:9::/64 --gateway 10.9.0.1 --ip-range 10.9.1.0/24';
  const more = '--aux-address router=10.9.0.9 --ipv6 --internal --mtu 1400 --opt a=1 --opt b=x=y --label team=red';
  let request: unknown;
  const create = host.operations.createNetwork.bind(host.operations);
  host.operations.createNetwork = (given) => {
    request = given;
    return create(given);
  };
  const network = await json(networkView, 'network', 'create', 'web', ...flags.split(' '), ...more.split(' '));
  expect(request).toEqual({
    name: 'web',
    driver: 'bridge',
    subnets: ['10.9.0.0/16', 'fd00:9::/64'],
    gateways: ['10.9.0.1'],
    ipRange: '10.9.1.0/24',
    auxAddresses: { router: '10.9.0.9' },
    ipv6: true,
    internal: true,
    mtu: 1400,
    options: { a: '1', b: 'x=y' },
    labels: { team: 'red' },
  });
  expect(await json(z.array(networkView), 'network', 'ls')).toEqual([network]);
  expect(await json(networkView, 'network', 'inspect', 'web')).toEqual(network);
  expect(await vetch('network', 'rm', 'web')).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('endpoint: attach, label and detach', async () => {
  const endpoint = await attach(
    '--ip',
    '10.88.0.7',
    '--label',
    'tier=front',
    '--publish',
    '8080:80',
    '--ifname',
    'net0',
  );
  expect(endpoint).toMatchObject({ addresses: ['10.88.0.7/16'], ifname: 'net0', labels: { tier: 'front' } });
  const labelled = await json(endpointView, 'endpoint', 'label', 'web/c1', 'stage=test', 'tier-');
  expect(labelled.labels).toEqual({ stage: 'test' });
  expect(await json(z.array(endpointView), 'endpoint', 'ls')).toEqual([labelled]);
  expect(await json(endpointView, 'endpoint', 'inspect', '10.88.0.7/16')).toEqual(labelled);
  expect(await vetch('endpoint', 'detach', 'web/c1')).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('port: publish, list and unpublish', async () => {
  await attach();
  const published = await json(z.array(portView), 'port', 'publish', 'c1', '8080:80');
  expect(await json(z.array(portView), 'port', 'ls')).toEqual(published);
  const again = await vetch('port', 'publish', 'c1', '8080:80');
  const words = 'Bind for 0.0.0.0:8080 failed: port is already allocated';
  expect(again).toEqual({
    status: 1,
    stdout: '',
    stderr: `vetch: PORT_ALLOCATED: ${words}; choose another host port\n`,
  });
  expect(await json(z.array(portView), 'port', 'unpublish', 'c1', '8080:80')).toEqual(published);
});

const webPolicy = (spec = '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}') =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: web}\nspec: ${spec}\n`;

test('policy: apply, list, explain, get and delete', async () => {
  await attach('--label', 'app=web');
  using file = temporaryFile(webPolicy());
  const applied = await json(z.array(policyView), 'policy', 'apply', '-f', file.path);
  const view = { name: 'web', kind: 'NetworkPolicy', namespace: 'web', selects: ['c1'], rules: 1, audit: false };
  expect(applied).toEqual([view]);
  expect(await json(z.array(policyView), 'policy', 'ls')).toEqual(applied);
  const explain = (port: string) =>
    json(explainView, 'policy', 'explain', '--from', 'world', '--to', 'web/c1', '--port', port);
  const document = { kind: 'NetworkPolicy', namespace: 'web', name: 'web' };
  const none = { verdict: 'allow', decidedBy: null, audit: false };
  const allowed = { verdict: 'allow', decidedBy: { ...document, rule: 0 }, audit: false };
  expect(await explain('80/tcp')).toEqual({ ...allowed, egress: none, ingress: allowed });
  expect(await explain('81/tcp')).toMatchObject({ verdict: 'deny', decidedBy: { ...document, rule: null } });
  const got = await vetch('policy', 'get', '-n', 'web', 'NetworkPolicy/web');
  using copy = temporaryFile(got.stdout);
  expect(await json(z.array(policyView), 'policy', 'apply', '-f', copy.path)).toEqual(applied);
  expect(await vetch('policy', 'delete', 'web')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(await vetch('policy', 'get', 'web')).toEqual({
    status: 1,
    stdout: '',
    stderr: "vetch: NOT_FOUND: there is no policy 'web'; vetch policy ls lists those that there are\n",
  });
});

test('policy explain tells who decides in words, and a deny is no failure', async () => {
  await attach('--label', 'app=web');
  const applied = await runCli(['policy', 'apply', '-f', '-'], { socket: host.socketPath, input: webPolicy() });
  expect(applied).toEqual({
    status: 0,
    stdout: 'NAMESPACE\tNAME\tKIND\tRULES\tAUDIT\tSELECTS\nweb\tweb\tNetworkPolicy\t1\t-\tc1\n',
    stderr: '',
  });
  expect(await vetch('policy', 'explain', '--from', 'world', '--to', 'c1', '--port', '81/tcp')).toEqual({
    status: 0,
    stdout: 'egress   allow  no document\ningress  deny  NetworkPolicy web/web, which isolates\ndeny\n',
    stderr: '',
  });
});

test('policy apply names file, line and path of what is wrong, and applies nothing', async () => {
  using file = temporaryFile(
    `${webPolicy()}---\n${webPolicy('{podSelector: {}, ingress: [{ports: [{port: 70000}]}]}')}`,
  );
  const line = `vetch: INVALID: ${file.path}:9: spec.ingress[0].ports[0].port: 70000 is no port; write 1 to 65535\n`;
  expect(await vetch('policy', 'apply', '-f', file.path)).toEqual({ status: 1, stdout: '', stderr: line });
  const piped = await runCli(['policy', 'apply', '-f', '-'], { socket: host.socketPath, input: 'kind: Pod' });
  expect(piped.stderr).toContain('vetch: INVALID: <stdin>:1: kind: "Pod" is no kind of policy; ');
  expect(await json(z.array(policyView), 'policy', 'ls')).toEqual([]);
  expect((await vetch('policy', 'apply', '-f', '/nowhere')).stderr).toContain('NOT_FOUND: there is no file /nowhere');
  expect((await vetch('policy', 'apply')).status).toBe(2);
});

test('namespace: label, whose name is a label by itself', async () => {
  const labelled = await json(namespaceView, 'namespace', 'label', 'shop', 'team=red', 'stage=test');
  const name = { 'kubernetes.io/metadata.name': 'shop' };
  expect(labelled).toEqual({ name: 'shop', labels: { team: 'red', stage: 'test', ...name } });
  const changed = await json(namespaceView, 'namespace', 'label', 'shop', 'stage-');
  expect(changed.labels).toEqual({ team: 'red', ...name });
});

test('deny: add, load a file with comments, list and remove', async () => {
  const added = await json(z.array(denyView), 'deny', 'add', '192.0.2.0/24', '2001:db8::/32');
  expect(added).toHaveLength(2);
  using file = temporaryFile('# ours\n198.51.100.0/24 # theirs\n\n203.0.113.7\n');
  expect(await json(z.array(denyView), 'deny', 'load', file.path)).toHaveLength(2);
  const listed = await json(z.array(denyView), 'deny', 'ls');
  expect(listed.map((entry) => entry.cidr)).toEqual([
    '192.0.2.0/24',
    '2001:db8::/32',
    '198.51.100.0/24',
    '203.0.113.7',
  ]);
  await json(z.array(denyView), 'deny', 'rm', '192.0.2.0/24');
  expect(host.operations.denied.size).toBe(3);
  const piped = await runCli(['deny', 'load', '-'], { socket: host.socketPath, input: '192.0.2.9/32\n' });
  expect(piped).toEqual({ status: 0, stdout: '1 prefixes are on the deny list\n', stderr: '' });
});

test('deny load names the line that is wrong, and adds nothing', async () => {
  using file = temporaryFile('192.0.2.0/24\n\n192.0.2.0/99\n');
  const { status, stderr } = await vetch('deny', 'load', file.path);
  expect([status, stderr]).toEqual([
    1,
    `vetch: INVALID: ${file.path} line 3 is "192.0.2.0/99"; it must be a prefix or an address\n`,
  ]);
  expect(host.operations.denied.size).toBe(0);
  expect((await vetch('deny', 'load', '/nowhere')).stderr).toMatch(/^vetch: NOT_FOUND: there is no file \/nowhere; /);
});

test('conntrack: list and flush by filter', async () => {
  const flows = await json(z.array(conntrackView), 'conntrack', 'ls', '--state', 'closing', '--state', 'new');
  expect(flows.map((flow) => flow.state)).toEqual(['CLOSING']);
  expect(await json(conntrackFlushed, 'conntrack', 'flush', '--state', 'CLOSING')).toEqual({ flushed: 1 });
});

test('maps: list and dump, each with what bpftool would show', async () => {
  const maps = await json(z.array(mapView), 'maps', 'ls');
  expect(maps[0]?.bpftool).toBe('bpftool map dump pinned /sys/fs/bpf/vetch/v1/maps/endpoints');
  expect((await json(mapDumpView, 'maps', 'dump', 'endpoints')).entries).toHaveLength(1);
  expect((await vetch('maps', 'dump', 'endpoints')).stdout).toBe(
    '# bpftool map dump pinned /sys/fs/bpf/vetch/v1/maps/endpoints\n' +
      'network=1 addr=10.88.0.2: number=1 packets=7 huge=9223372036854775808\n',
  );
});

test('flows: one object a line, with filters and those after --not apart', async () => {
  host.operations.held = [eventOf(80, 'FORWARDED'), eventOf(81, 'DROPPED', 'SPOOFED')];
  const args = '--verdict dropped --port 80 --port 81 --not --port 53 --not --from web/c1 --to 10.0.0.0/8 --last 3';
  const { stdout, stderr, status } = await vetch('flows', '--json', ...args.split(' '));
  expect([status, stderr]).toEqual([0, '']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => flowView.parse(JSON.parse(line)))).toEqual([eventOf(81, 'DROPPED', 'SPOOFED')]);
  expect(host.operations.lastFlowQuery).toMatchObject({
    follow: false,
    last: 3,
    include: { verdict: ['DROPPED'], port: [80, 81], from: [], to: ['10.0.0.0/8'] },
    exclude: { port: [53], from: ['web/c1'], to: [] },
  });
  expect((await vetch('flows')).stdout).toContain(
    '2026-01-31T12:00:00.000Z DROPPED SPOOFED 10.88.0.2:40000 -> 10.88.0.3:81 tcp SYN network web\n',
  );
});

test('flows: an age becomes a time', async () => {
  const before = Date.now();
  await vetch('flows', '--since', '1h30m', '--until', '2026-01-31T12:00:00+01:00');
  const { since, until } = host.operations.lastFlowQuery ?? {};
  expect(until).toBe('2026-01-31T11:00:00.000Z');
  expect(Math.abs(Date.parse(since ?? '') - (before - 5_400_000))).toBeLessThan(10_000);
});

test('trace, status and identities have the shape that their schema says', async () => {
  const trace = await json(traceView, 'trace', '--from', 'a', '--to', 'b', '--port', '80/tcp');
  expect(trace.steps[0]?.detail).toBe('a to b 80/tcp');
  const packet = 'ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 0800';
  const traced = await json(traceView, 'trace', '--packet', packet, '--at', 'from_endpoint');
  expect(traced.steps[0]?.detail).toBe('ffffffffffff0200000000010800');
  expect((await json(statusView, 'status')).node).toBe('a');
  expect((await vetch('status')).stdout).toContain('SPOOFED 3');
  expect((await json(z.array(identityView), 'identity', 'ls'))[0]?.name).toBe('host');
  expect((await json(z.array(nodeView), 'node', 'ls'))[0]?.addresses).toEqual(['198.51.100.10']);
});

test('node: a host that changes its key is shown with both, and the newest of them in a table', async () => {
  const [key, next] = ['uP2kOxFf8z4OQ0lDi8oz3dJ2oPI3AvVG7hLmEVqNTlY=', 'iEjSg7cPHVUS7rC5GqbBLoLlmGmG3bDqPSdJ1nZyXU8='];
  const wireguard = [key, next].map((publicKey, at) => ({ publicKey, port: 51_871 + at }));
  host.operations.rotateKey = async () => ({ ...host.operations.node, rotating: true, wireguard });
  expect(await json(nodeView, 'node', 'rotate-key')).toMatchObject({ name: 'h1', rotating: true, wireguard });
  expect((await vetch('node', 'rotate-key')).stdout).toContain(`${next} (changing)`);
  expect((await vetch('node', 'ls')).stdout).toContain(`${key}\t`);
});

test('doctor exits 0 when all is well and 1 when a check fails, which it shows with its remedy', async () => {
  expect(await json(z.array(doctorCheck), 'doctor')).toHaveLength(1);
  host.operations.checks = [
    { check: 'bpffs', ok: false, detail: 'not mounted', remedy: 'mount -t bpf bpf /sys/fs/bpf' },
  ];
  expect(await vetch('doctor')).toEqual({
    status: 1,
    stdout: 'FAIL  bpffs: not mounted\n      remedy: mount -t bpf bpf /sys/fs/bpf\n',
    stderr: '',
  });
  const { status, stdout, stderr } = await vetch('doctor', '--json');
  expect([status, stderr, JSON.parse(stdout)]).toEqual([1, '', host.operations.checks]);
});

test('of several that are removed, each failure has a line and the others are done', async () => {
  for (const name of ['a', 'b']) await json(networkView, 'network', 'create', name);
  const { status, stdout, stderr } = await vetch('network', 'rm', 'a', 'none', 'b', 'nobody');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr.trimEnd().split('\n')).toEqual([
    'vetch: NOT_FOUND: there is no network none; see vetch network ls',
    'vetch: NOT_FOUND: there is no network nobody; see vetch network ls',
  ]);
  expect(host.operations.networks.size).toBe(0);
  const asJson = await vetch('network', 'rm', 'a', '--json');
  expect(errorView.parse(JSON.parse(asJson.stderr)).error.code).toBe('NOT_FOUND');
});

test('in a pipe a table is titles and cells separated by tabs, whole and without colour', async () => {
  const { id, hostIfname } = await attach('--label', `long=${'x'.repeat(300)}`);
  const { stdout } = await vetch('endpoint', 'ls');
  const [titles, row, ...rest] = stdout.trimEnd().split('\n');
  expect(titles?.split('\t')).toEqual([
    'NAME',
    'NETWORK',
    'NODE',
    'ID',
    'ADDRESSES',
    'MAC',
    'DEVICE',
    'IDENTITY',
    'LABELS',
    'PORTS',
  ]);
  const mac = '02:42:0a:58:00:02';
  expect(row?.split('\t')).toEqual([
    'c1',
    'web',
    'h1',
    id,
    '10.88.0.2/16',
    mac,
    hostIfname,
    '256',
    `long=${'x'.repeat(300)}`,
    '-',
  ]);
  expect(rest).toEqual([]);
});

function temporaryFile(text: string): Disposable & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'vetch-cli-'));
  const path = join(directory, 'list');
  writeFileSync(path, text);
  return { path, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
