import { afterAll, beforeAll, expect, test } from 'vitest';
import { DaemonContainer } from '../../lab/daemon-container.ts';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask } from '../../lab/talk.ts';
import { DockerLab, families } from './docker-lab.ts';

// examples/daemon-in-docker: our daemon is a container of the engine that it serves.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let daemon: DaemonContainer;
let web: EngineContainer;
let peer: EngineContainer;

beforeAll(async () => {
  docker = await DockerLab.create({ vetch: false });
  ({ engine, host, outside } = docker);
  daemon = await DaemonContainer.create(engine);
  await daemon.start();
  expect(await daemon.ready()).toBeUndefined();
  await docker.network('app', 88);
  [web, peer] = await Promise.all([
    engine.run('web', ['--network', 'app', ...['80:80', '80:80/udp', '127.0.0.1:8081:80'].flatMap(publish)]),
    engine.run('peer', ['--network', 'app']),
  ]);
}, 240_000);
afterAll(() => docker?.[Symbol.asyncDispose]());

const publish = (spec: string) => ['--publish', spec];

/** Everything that was declared, as the API tells it, but for the daemon's own container, which is another one each time. */
async function state(): Promise<unknown> {
  const [networks, endpoints, ports] = await Promise.all([
    host.vetch<object[]>('network', 'ls'),
    host.vetch<{ network: string }[]>('endpoint', 'ls'),
    host.vetch<object[]>('port', 'ls'),
  ]);
  return { networks, endpoints: endpoints.filter(({ network }) => network !== 'host'), ports };
}

test('it serves networks, published ports and localhost, and sees the client, as on the host', async () => {
  for (const family of families) {
    const reply = await ask(outside, 'tcp', host[family], 80);
    expect(reply.reply, family).toContain(`web peer=${outside[family]},`);
  }
  expect(await ask(host, 'tcp', '127.0.0.1', 8081)).toMatchObject({ ok: true });
  expect(await ask(peer, 'tcp', 'web', 80)).toMatchObject({ ok: true });
  const { warnings } = await host.status();
  expect(warnings).toEqual([]);
});

test('removed and made anew it takes over: no packet is lost, no connection ends, and none is refused', async () => {
  const before = await state();
  const ping = peer.spawn('ping', '-n', '-q', '-i', '0.01', '-w', '40', await web.address('app'));
  const client = ['python3', `${programs}client.py`];
  const stream = peer.spawn(...client, 'tcp', 'web', '80', '--count', '2000', '--interval', '0.01');
  const published = outside.spawn(...client, 'tcp', host.address4, '80', '--count', '2000', '--interval', '0.01');
  const published6 = outside.spawn(...client, 'udp', host.address6, '80', '--count', '2000', '--interval', '0.01');
  let going = true;
  const fresh: boolean[] = [];
  const connecting = (async () => {
    while (going) fresh.push((await ask(outside, 'tcp', host.address4, 80)).ok);
  })();

  await daemon.remove();
  await expect(host.vetch('status')).rejects.toThrow(/no daemon answers/);
  const away = fresh.length;
  while (fresh.length < away + 5) await new Promise((resolve) => setTimeout(resolve, 50));
  await daemon.start();
  expect(await daemon.ready()).toBeUndefined();
  const back = fresh.length;
  while (fresh.length < back + 5) await new Promise((resolve) => setTimeout(resolve, 50));
  going = false;
  await connecting;

  expect(fresh).not.toContain(false);
  for (const one of [stream, published, published6]) expect(await one.ended(), one.output).toBe(0);
  await ping.ended();
  const [, sent = '', received] = /(\d+) packets transmitted, (\d+) received/.exec(ping.output) ?? [];
  expect(Number(sent), ping.output).toBeGreaterThan(500);
  expect(received, ping.output).toBe(sent);
  process.stdout.write(`the daemon's container was replaced under ${sent} pings and ${fresh.length} connections\n`);
  expect(await state()).toEqual(before);
  expect((await host.status()).drift).toBe(0);
});

test('what was declared is on its volume, and it goes on from there', async () => {
  expect(await engine.docker('volume', 'ls', '--format', '{{.Name}}')).toContain('vetch-state');
  const next = await engine.run('next', ['--network', 'app', '--publish', '8082:80']);
  expect([await web.address('app'), await peer.address('app')]).not.toContain(await next.address('app'));
  expect(await ask(next, 'tcp', 'web', 80)).toMatchObject({ ok: true });
  expect(await ask(outside, 'tcp', host.address4, 8082)).toMatchObject({ ok: true });
  const taken = ['run', '--rm', '--network', 'app', '--publish', '80:80', '--volume', '/usr:/usr:ro', 'links', 'true'];
  expect((await engine.attempt(...taken)).stderr).toContain('port is already allocated');
  await engine.docker('rm', '--force', 'next');
});

test('a namespace that no engine made is attached by its path on the host', async () => {
  const box = await host.container('box');
  await host.vetch('network', 'create', 'plain', '--subnet', '10.95.0.0/16');
  await host.vetch('endpoint', 'attach', 'plain', '--netns', box.netns, '--name', 'box', '--publish', '8095:80');
  expect(await box.must('ip', '-4', '-o', 'address', 'show', 'eth0')).toContain('10.95.0.2/16');
  await host.vetch('endpoint', 'detach', 'box');
  await host.vetch('network', 'rm', 'plain');
});

test.each([
  ['NET_ADMIN', /cannot set option .* EPERM/],
  ['SYS_ADMIN', /cannot open the pin .* EPERM/],
])('without %s it does not start, and says that the kernel refused', async (without, words) => {
  await daemon.start(['NET_ADMIN', 'NET_BIND_SERVICE', 'SYS_ADMIN'].filter((name) => name !== without));
  await expect.poll(() => daemon.log(), { timeout: 20_000 }).toMatch(words);
  expect(await daemon.log()).not.toContain('"ready"');
  // What an earlier one has put into the kernel goes on
  expect(await ask(outside, 'tcp', host.address4, 80)).toMatchObject({ ok: true });
});

test('without NET_BIND_SERVICE it publishes no port below 1024, and says why', async () => {
  await daemon.start(['NET_ADMIN', 'SYS_ADMIN']);
  expect(await daemon.ready()).toBeUndefined();
  const run = ['run', '--rm', '--network', 'app', '--volume', '/usr:/usr:ro', '--publish'];
  expect((await engine.attempt(...run, '81:80', 'links', 'true')).stderr).toContain('CAP_NET_BIND_SERVICE');
  expect((await engine.attempt(...run, '8083:80', 'links', 'true')).stderr).toBe('');
});
