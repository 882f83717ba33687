import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask, ping, serve } from '../../lab/talk.ts';
import { PolicyApi } from '../../policy/policy-api.ts';
import { askInVain, DockerLab, driver } from './docker-lab.ts';

// Containers as machines of the LAN. With VETCH_E2E_DRIVER=bridge Docker's own macvlan driver stands in.

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let web: EngineContainer;
let peer: EngineContainer;

const [web4, web6] = ['198.51.100.70', '2001:db8:f::70'];
const own = driver === 'vetch';

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await engine.docker(
    ...['network', 'create', ...(own ? ['-d', 'vetch', '-o', 'vetch.driver=macvlan'] : ['-d', 'macvlan'])],
    ...['-o', 'parent=eth0', '--ipv6', '--subnet', '198.51.100.0/24', '--gateway', '198.51.100.1'],
    ...['--subnet', '2001:db8:f::/64', '--gateway', '2001:db8:f::1', '--ip-range', '198.51.100.64/28', 'lan'],
  );
  const labels = ['--label', 'app=web', '--publish', '8080:80'];
  web = await engine.run('web', ['--network', 'lan', '--ip', web4, '--ip6', web6, ...labels]);
  peer = await engine.run('peer', ['--network', 'lan']);
  for (const machine of [outside, host]) await serve(machine, 'tcp', 7000);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

test('a container is a machine of the LAN, with its own address and all its ports', async () => {
  for (const address of [web4, web6]) {
    expect(await ping(outside, address), address).toBe(0);
    expect((await ask(outside, 'tcp', address, 80)).reply, address).toContain('web peer=');
    expect(await ask(outside, 'udp', address, 80), address).toMatchObject({ ok: true });
  }
  for (const [at, address] of [outside.address4, outside.address6].entries()) {
    expect((await ask(web, 'tcp', address, 7000)).reply, address).toContain(`peer=${[web4, web6][at]},`);
  }
  expect(await ask(peer, 'tcp', web4, 80)).toMatchObject({ ok: true });
});

test("its address comes from the range, its gateway is the LAN's, and ports of the host stay free", async () => {
  expect(await peer.must('ip', 'route')).toContain('default via 198.51.100.1 dev eth0');
  expect(await peer.must('ip', 'route')).toMatch(/src 198\.51\.100\.(6[4-9]|7[0-9])/);
  expect(await askInVain(outside, 'tcp', host.address4, 8080)).toMatchObject({ ok: false });
});

test('the host is out of reach, as with Docker', async () => {
  expect(await askInVain(web, 'tcp', host.address4, 7000)).toMatchObject({ ok: false });
  expect(await askInVain(host, 'tcp', web4, 80)).toMatchObject({ ok: false });
});

test.runIf(own)('policy closes it to the LAN, and opens it again', async () => {
  using policy = new PolicyApi(host);
  await policy.apply({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'closed', namespace: 'lan' },
    spec: {
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: {} }] }],
    },
  } as unknown as Parameters<PolicyApi['apply']>[0]);
  expect(await askInVain(outside, 'tcp', web4, 80)).toMatchObject({ ok: false });
  expect(await ask(peer, 'tcp', web4, 80)).toMatchObject({ ok: true });
  await policy.deleteAll();
  expect(await ask(outside, 'tcp', web4, 80)).toMatchObject({ ok: true });
});

test.runIf(own)(
  'a restart of our daemon leaves the traffic alone, and one of the container gives it its place again',
  async () => {
    const program = new URL('../../lab/programs/client.py', import.meta.url).pathname;
    const pace = ['--count', '30', '--interval', '0.1', '--timeout', '5'];
    const stream = outside.spawn('python3', program, 'tcp', web4, '80', ...pace);
    await host.stopDaemon('SIGKILL');
    expect(await ask(outside, 'tcp', web6, 80)).toMatchObject({ ok: true });
    await docker.startVetch();
    expect(await stream.ended(), stream.output).toBe(0);
    await engine.docker('restart', '--time', '1', 'web');
    await web.serving([80]);
    const end = performance.now() + 10_000;
    while (!(await askInVain(outside, 'tcp', web4, 80)).ok && performance.now() < end) await sleep(100);
    expect(await ask(outside, 'tcp', web4, 80)).toMatchObject({ ok: true });
  },
);

test('removing containers and network leaves nothing behind', async () => {
  await engine.docker('rm', '--force', 'web', 'peer');
  await engine.docker('network', 'rm', 'lan');
  expect(await host.must('ip', '-o', 'link')).not.toMatch(/v[tm][0-9a-f]{11}|macvlan/);
});
