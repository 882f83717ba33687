import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask } from '../../lab/talk.ts';
import { DockerLab, driver } from './docker-lab.ts';

// An engine that lets its containers live on while it is away.

const client = new URL('../../lab/programs/client.py', import.meta.url).pathname;

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;

beforeAll(async () => {
  docker = await DockerLab.create({ liveRestore: true });
  ({ engine, host, outside } = docker);
  await docker.network('app', 88);
  const ipam = driver === 'vetch' ? ['--ipam-driver', 'vetch'] : [];
  await engine.docker('network', 'create', '-d', driver, ...ipam, '--subnet', '10.89.0.0/16', 'own');
  await engine.run('web', ['--network', 'app', '--publish', '8080:80']);
  await engine.run('shop', ['--network', 'own', '--publish', '8081:80']);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`with live-restore, streams, ports and addresses live through a ${signal} of the engine`, async () => {
    const before = await docker.held();
    const stream = outside.spawn('python3', client, 'tcp', host.address4, '8080', '--count', '60', '--interval', '0.1');
    await engine.down(signal);
    for (const port of [8080, 8081]) expect(await ask(outside, 'tcp', host.address4, port)).toMatchObject({ ok: true });
    await engine.up();
    for (const port of [8080, 8081]) expect(await ask(outside, 'tcp', host.address4, port)).toMatchObject({ ok: true });
    expect(await docker.held()).toEqual(before);
    expect(await stream.ended(), stream.output).toBe(0);
  });
}

test('a container that died while the engine was away leaves nothing, and starts again', async () => {
  const pid = Number(await engine.docker('inspect', '--format', '{{.State.Pid}}', 'shop'));
  await engine.down();
  process.kill(pid, 'SIGKILL');
  await engine.up();
  await expect.poll(async () => (await docker.held()).endpoints.length, { timeout: 20_000, interval: 200 }).toBe(2);
  await engine.docker('start', 'shop');
  await engine.container('shop').serving([80]);
  expect((await ask(outside, 'tcp', host.address4, 8081)).reply).toContain('shop ');
  expect(await docker.held()).toMatchObject({ endpoints: { length: 3 }, veths: 2 });
});

test('with live-restore, containers that go after a restart of the engine leave nothing', async () => {
  await engine.docker('rm', '--force', 'web', 'shop');
  expect(await docker.held()).toEqual({ endpoints: [], ports: 0, veths: 0 });
});
