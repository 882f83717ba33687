import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LearnedView } from '../../../src/api/schemas/names.ts';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import type { Machine } from '../../lab/machine.ts';
import { type Background, must, slowness } from '../../lab/process.ts';
import { dig, LabResolver } from '../../lab/resolver.ts';
import { ask } from '../../lab/talk.ts';
import { askInVain, DockerLab } from './docker-lab.ts';

// Domain names in policies, for containers that ask Docker's own resolver, 127.0.0.11: what it forwards leaves from the
// container, where it is steered to ours, unless the host's own server listens on its loopback.

const names = new URL('../../policy/prober/names.py', import.meta.url).pathname;
const vetch = new URL('../../../bin/vetch', import.meta.url).pathname;
const embedded = '127.0.0.11';
const soon = { timeout: 10_000 * slowness };

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let resolver: LabResolver;
let upstream: Background;

/** A name that is answered with 192.0.2.LAST for a minute. */
const named = (last: number) => `t60.c00002${last.toString(16).padStart(2, '0')}.example.com`;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await outside.ip('route add local 192.0.2.0/24 dev lo');
  await docker.lab.router.ip(`route add 192.0.2.0/24 via ${outside.address4}`);
  upstream = outside.spawn('python3', '-B', names, outside.address4);
  await upstream.until(/ready/);
  await outside
    .spawn('python3', new URL('../../lab/programs/server.py', import.meta.url).pathname, 'tcp', '::', '80', 'outside')
    .until(/ready/);
  await host.stopDaemon();
  await host.start(...engine.vetchFlags, '--resolver', '/run/vetch-resolver');
  resolver = new LabResolver(host, '--upstream', outside.address4);
  await resolver.start();
  await docker.network('shop', 88);
  await apply(`
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: names}
spec:
  tier: Admin
  priority: 10
  subject: {pods: {podSelector: {matchLabels: {app: buyer}}}}
  egress:
  - {action: Accept, to: [{networks: [${outside.address4}/32]}], protocols: [{udp: {destinationPort: {number: 53}}}, {tcp: {destinationPort: {number: 53}}}]}
  - {action: Accept, to: [{domainNames: ["*.example.com"]}]}
  - {action: Deny, to: [{networks: [0.0.0.0/0, "::/0"]}]}
`);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

async function apply(yaml: string): Promise<void> {
  await must(host.command([vetch, 'policy', 'apply', '-f', '-', '--socket', host.socket]), { input: yaml });
}

const learned = async () => (await host.vetch<LearnedView[]>('policy', 'names')).map(({ address }) => address);
const aboutNames = async () => (await host.status()).warnings.filter((warning) => warning.includes('domain names'));

/** Until the engine has told the container's labels, and the resolver listens for it. */
async function answered(container: EngineContainer, last: number): Promise<void> {
  await expect
    .poll(async () => {
      const { data } = await dig(container, embedded, '+timeout=2', 'A', named(last));
      return data.length > 0 && (await learned()).includes(`192.0.2.${last}`);
    }, soon)
    .toBe(true);
}

test("a name that Docker's resolver was asked for opens its address, and no other", async () => {
  const buyer = await engine.run('buyer', ['--network', 'shop', '--label', 'app=buyer', '--dns', outside.address4]);
  expect(await askInVain(buyer, 'tcp', '192.0.2.1', 80)).toMatchObject({ ok: false });
  await answered(buyer, 1);
  for (const [last, way] of [
    [2, '+notcp'],
    [3, '+tcp'],
  ] as const) {
    expect(await dig(buyer, embedded, way, 'A', named(last))).toMatchObject({ data: [`192.0.2.${last}`] });
    expect(await ask(buyer, 'tcp', `192.0.2.${last}`, 80)).toMatchObject({ ok: true });
  }
  expect(await askInVain(buyer, 'tcp', '192.0.2.4', 80)).toMatchObject({ ok: false });
  expect(await aboutNames()).toEqual([]);
});

test('names of containers are Docker’s own matter, as before', async () => {
  const [buyer, till] = [
    engine.container('buyer'),
    await engine.run('till', ['--network', 'shop', '--dns', outside.address4]),
  ];
  expect(await dig(buyer, embedded, 'A', 'till')).toMatchObject({ data: [await till.address('shop')] });
  // Ours says nothing of them: it forwards whatever it is asked
  expect(await dig(till, '10.88.0.1', 'A', 'buyer')).toMatchObject({ status: 'NXDOMAIN' });
  expect(upstream.output).toContain('asked buyer');
});

test('a container that is restarted learns anew, and one that is removed leaves nothing', async () => {
  await engine.docker('restart', '--time', '0', 'buyer');
  const buyer = engine.container('buyer');
  await expect.poll(learned, soon).toEqual([]);
  await answered(buyer, 5);
  await engine.docker('rm', '--force', 'buyer');
  expect(await learned()).toEqual([]);
  // Nobody is left whom it serves: port 53 of the gateway is free
  await expect.poll(async () => (await resolver.status()).gateways, soon).toEqual([]);
});

test('a server on the host’s own loopback is asked from there: names stay closed, and status says what to do', async () => {
  await host.spawn('python3', '-B', names, '127.0.0.53').until(/ready/);
  // An engine of another distribution has files of its own
  for (const machine of new Set<Machine>([host, engine.machine])) {
    const bind = 'echo nameserver 127.0.0.53 > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf';
    await machine.must('sh', '-ec', bind);
  }
  const buyer = await engine.run('buyer', ['--network', 'shop', '--label', 'app=buyer']);
  await expect
    .poll(async () => (await dig(buyer, embedded, '+timeout=2', 'A', named(6))).data, soon)
    .toEqual(['192.0.2.6']);
  expect(await askInVain(buyer, 'tcp', '192.0.2.6', 80)).toMatchObject({ ok: false });
  expect(await learned()).toEqual([]);
  const [warning] = await aboutNames();
  expect(warning).toContain('Docker asks 127.0.0.53 for its containers from the host');
  expect(warning).toContain('"dns"');
  await engine.docker('rm', '--force', 'buyer');
  expect(await aboutNames()).toEqual([]);
});
