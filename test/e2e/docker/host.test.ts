import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { FlowView } from '../../../src/api/schemas/flow.ts';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { slowness } from '../../lab/process.ts';
import { ask, serve } from '../../lab/talk.ts';
import { PolicyApi } from '../../policy/policy-api.ts';
import { askInVain, DockerLab, driver } from './docker-lab.ts';

// `docker run --network host`: no plugin is asked, the engine's events tell. Needs a container to have a cgroup of its own in
// cgroup2, as the engine of the lab gives it.

type Document = Parameters<PolicyApi['apply']>[0];

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let app: EngineContainer;
let beside: EngineContainer;
let web: EngineContainer;
let policy: PolicyApi;

const own = driver === 'vetch';

beforeAll(async () => {
  // The engine's own bridge has no part in this.
  docker = await DockerLab.create({ flags: ['--bridge=none', '--iptables=false'] });
  ({ engine, host, outside } = docker);
  policy = new PolicyApi(host);
  await docker.network('net', 88);
  web = await engine.run('web', ['--network', 'net', '--ip', '10.88.0.9', '--label', 'app=web']);
  app = await engine.run('app', ['--network', 'host', '--label', 'app=app'], [7001]);
  beside = await engine.run('beside', ['--network', 'container:app', '--label', 'app=beside'], [7002]);
  await serve(outside, 'tcp', 80);
});
afterEach(() => policy?.deleteAll());
afterAll(async () => {
  policy?.[Symbol.dispose]();
  await docker?.[Symbol.asyncDispose]();
});

function closed(direction: 'Egress' | 'Ingress', label = 'app'): Document {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'closed', namespace: 'host' },
    spec: { podSelector: { matchLabels: { app: label, 'vetch.io/driver': 'host' } }, policyTypes: [direction] },
  } as unknown as Document;
}

const known = async () =>
  (await host.vetch<{ name: string; network: string }[]>('endpoint', 'ls'))
    .filter(({ network }) => network === 'host')
    .map(({ name }) => name);

test.runIf(own)('they are known by name, labels and identity, and their network is made with them', async () => {
  await vi.waitFor(async () => expect(await known()).toEqual(['app', 'beside']), 5000 * slowness);
  const { cgroup, ...view } = await host.vetch<{ cgroup: string }>('endpoint', 'inspect', 'host/app');
  expect(view).toMatchObject({ labels: { app: 'app', 'vetch.io/container': 'app' }, addresses: [] });
  expect(cgroup).toContain((await engine.inspect<{ Id: string }>('app')).Id);
  expect(await host.vetch('network', 'inspect', 'host')).toMatchObject({ driver: 'host' });
  expect((await host.status()).warnings).toEqual([]);
  await expect(host.vetch('endpoint', 'detach', 'host/app')).rejects.toMatchObject({ code: 'IN_USE' });
});

test.runIf(own)('egress policy closes the world and containers to it, and to no other', async () => {
  const all = async (from: EngineContainer) => [
    (await askInVain(from, 'tcp', outside.address4, 80)).ok,
    (await askInVain(from, 'tcp', '10.88.0.9', 80)).ok,
  ];
  expect(await all(app)).toEqual([true, true]);
  await policy.apply(closed('Egress'));
  expect(await all(app)).toEqual([false, false]);
  expect(await all(beside)).toEqual([true, true]);
  expect((await ask(outside, 'tcp', host.address4, 7001)).ok).toBe(true);
  const vetch = new URL('../../../bin/vetch', import.meta.url).pathname;
  const flags = ['flows', '--last', '50', '--reason', 'POLICY_DENIED', '--from', 'host/app', '--json'];
  const text = await host.must(vetch, '--socket', host.socket, ...flags);
  expect(text.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as FlowView)))).toContainEqual(
    expect.objectContaining({ network: 'host', source: expect.objectContaining({ endpoint: 'app' }) }),
  );
});

test.runIf(own)('ingress policy closes it to the world and to containers', async () => {
  expect((await askInVain(web, 'tcp', '10.88.0.1', 7001)).ok).toBe(true);
  await policy.apply(closed('Ingress'));
  expect((await askInVain(outside, 'tcp', host.address4, 7001)).ok).toBe(false);
  expect((await askInVain(web, 'tcp', '10.88.0.1', 7001)).ok).toBe(false);
  expect((await askInVain(outside, 'tcp', host.address4, 7002)).ok).toBe(true);
  expect((await ask(app, 'tcp', outside.address4, 80)).ok).toBe(true);
});

test.runIf(own)('one that is started anew is under policy again, also when the daemon was away', async () => {
  await policy.apply(closed('Egress'));
  await engine.docker('restart', '--time', '1', 'app');
  await vi.waitFor(
    async () => expect((await askInVain(app, 'tcp', outside.address4, 80)).ok).toBe(false),
    8000 * slowness,
  );
  await host.stopDaemon('SIGKILL');
  expect((await askInVain(app, 'tcp', outside.address4, 80)).ok).toBe(false);
  await engine.docker('restart', '--time', '1', 'app');
  await docker.startVetch();
  await vi.waitFor(
    async () => expect((await askInVain(app, 'tcp', outside.address4, 80)).ok).toBe(false),
    8000 * slowness,
  );
  expect(await known()).toEqual(['app', 'beside']);
});

test.runIf(own)('one that is paused stays under policy, and is when it goes on', async () => {
  await policy.apply(closed('Egress'));
  await engine.docker('pause', 'app');
  // Has the daemon look at the engine.
  await engine.docker('restart', '--time', '1', 'beside');
  await vi.waitFor(async () => expect(await known()).toEqual(['app', 'beside']), 5000 * slowness);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await engine.docker('unpause', 'app');
  expect((await askInVain(app, 'tcp', outside.address4, 80)).ok).toBe(false);
  expect(await known()).toEqual(['app', 'beside']);
});

test.runIf(own)('one whose cgroup could not be found at first is under policy when it can be', async () => {
  await policy.apply(closed('Egress', 'veiled'));
  await host.stopDaemon();
  const veiled = await engine.run('veiled', ['--network', 'host', '--label', 'app=veiled'], [7010]);
  const { State } = await engine.inspect<{ State: { Pid: number } }>('veiled');
  await host.must('mount', '-t', 'tmpfs', 'none', `/proc/${State.Pid}`);
  await docker.startVetch();
  await vi.waitFor(async () => expect(await known()).toContain('veiled'), 8000 * slowness);
  expect((await host.status()).warnings).toEqual([expect.stringContaining('host/veiled')]);
  await host.must('umount', `/proc/${State.Pid}`);
  // Has the daemon look at the engine.
  await engine.docker('restart', '--time', '1', 'beside');
  await vi.waitFor(
    async () => expect((await askInVain(veiled, 'tcp', outside.address4, 80)).ok).toBe(false),
    8000 * slowness,
  );
  await vi.waitFor(async () => expect((await host.status()).warnings).toEqual([]), 5000 * slowness);
  await engine.docker('rm', '--force', 'veiled');
});

test.runIf(own)('one that shares the namespace of a container outlives it under policy', async () => {
  await engine.run('first', ['--network', 'host'], [7011]);
  const rider = await engine.run('rider', ['--network', 'container:first', '--label', 'app=rider'], [7012]);
  await policy.apply(closed('Egress', 'rider'));
  await vi.waitFor(async () => expect(await known()).toContain('rider'), 5000 * slowness);
  await engine.docker('rm', '--force', 'first');
  await vi.waitFor(async () => expect(await known()).not.toContain('first'), 5000 * slowness);
  await engine.docker('restart', '--time', '1', 'beside');
  await vi.waitFor(async () => expect(await known()).toContain('beside'), 5000 * slowness);
  expect(await known()).toContain('rider');
  expect((await askInVain(rider, 'tcp', outside.address4, 80)).ok).toBe(false);
  await engine.docker('rm', '--force', 'rider');
});

test.runIf(own)('from its start to its policy is no second', async () => {
  await policy.apply(closed('Egress', 'fast'));
  // Connects again and again; says for how many milliseconds that went well.
  const script = `now() { echo "\${EPOCHREALTIME/./}"; }
    began=$(now) last=$began
    while timeout 0.3 bash -c '>/dev/tcp/${outside.address4}/80' && [ $((last - began)) -lt 5000000 ]; do last=$(now); done
    echo open for $(((last - began) / 1000))`;
  const flags = engine.runArguments('fast', ['--network', 'host', '--label', 'app=fast']);
  await engine.docker(...flags, 'links', 'bash', '-c', script);
  const open = await vi.waitFor(async () => {
    const [, milliseconds] = /open for (\d+)/.exec(await engine.docker('logs', 'fast')) ?? [];
    expect(milliseconds).toBeDefined();
    return Number(milliseconds);
  }, 10_000 * slowness);
  console.info(`open for ${open} ms`);
  expect(open).toBeLessThan(1000 * slowness);
  await engine.docker('rm', '--force', 'fast');
});

test.runIf(own)('a network of Docker’s own making cannot be one', async () => {
  const flags = ['-d', 'vetch', '-o', 'vetch.driver=host', '--ipam-driver', 'null', 'inhost'];
  const { status, stderr } = await engine.attempt('network', 'create', ...flags);
  expect([status, stderr]).toEqual([1, expect.stringContaining('docker run --network host')]);
});

test.runIf(own)('stopped, they are forgotten, and nothing of them stays', async () => {
  await engine.docker('rm', '--force', 'beside', 'app');
  await vi.waitFor(async () => expect(await known()).toEqual([]), 5000 * slowness);
  expect(await host.must('ls', `${host.bpffs}/v1/links/cgroup_egress`)).toBe('');
  await host.vetch('network', 'rm', 'host');
});
