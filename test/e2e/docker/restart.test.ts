import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import type { Background } from '../../lab/process.ts';
import { ask } from '../../lab/talk.ts';
import { DockerLab, driver } from './docker-lab.ts';

// The engine and our daemon end and come back, in any order and any way; both agree afterwards.

const client = new URL('../../lab/programs/client.py', import.meta.url).pathname;

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await engine.docker('network', 'create', '-d', driver, '--subnet', '10.88.0.0/16', 'built');
  const ipam = driver === 'vetch' ? ['--ipam-driver', 'vetch'] : [];
  await engine.docker('network', 'create', '-d', driver, ...ipam, '--subnet', '10.89.0.0/16', 'own');
  await Promise.all([
    engine.run('built', ['--network', 'built', '--publish', '8080:80', '--restart', 'always']),
    engine.run('own', ['--network', 'own', '--publish', '8081:80', '--restart', 'always']),
  ]);
  await engine.run('once', ['--network', 'built', '--publish', '8082:80']);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

const ports = { built: 8080, own: 8081, once: 8082 };

/** Exchanges a message ten times a second over one connection. */
function stream(port: number, count: number): Background {
  return outside.spawn(
    'python3',
    client,
    'tcp',
    host.address4,
    String(port),
    '--count',
    String(count),
    '--interval',
    '0.1',
  );
}

/** Waits until exactly the named containers run and answer, and nothing else is held. */
async function expectAgreement(...names: (keyof typeof ports)[]): Promise<void> {
  for (const name of names) await engine.container(name).serving([80]);
  await expect
    .poll(async () => (await docker.held()).endpoints.length, { timeout: 20_000, interval: 200 })
    .toBe(names.length);
  for (const name of names)
    expect((await ask(outside, 'tcp', host.address4, ports[name])).reply, name).toContain(
      `${name} peer=${outside.address4}`,
    );
  expect(await docker.held()).toMatchObject({ veths: names.length });
  const hostPorts = (await host.vetch<{ hostPort: number }[]>('port', 'ls')).map(({ hostPort }) => hostPort);
  expect([...new Set(hostPorts)].sort()).toEqual(names.map((name) => ports[name]).sort());
}

test('a killed daemon of ours interrupts nothing, and comes back to what it had', async () => {
  const streams = [stream(8080, 40), stream(8081, 40)];
  await host.stopDaemon('SIGKILL');
  expect(await ask(outside, 'tcp', host.address4, 8080)).toMatchObject({ ok: true });
  await docker.startVetch();
  for (const each of streams) expect(await each.ended(), each.output).toBe(0);
  await expectAgreement('built', 'own', 'once');
  await engine.docker('restart', 'built', 'own', 'once');
  await expectAgreement('built', 'own', 'once');
});

test('a container that is removed while our daemon is down leaves nothing once it is back', async () => {
  await engine.run('brief', ['--network', 'own', '--publish', '8083:80']);
  await host.stopDaemon('SIGKILL');
  const removed = engine.attempt('rm', '--force', 'brief');
  await new Promise((resolve) => setTimeout(resolve, 500));
  await docker.startVetch();
  await removed;
  await expectAgreement('built', 'own', 'once');
});

test('an orderly restart of the engine stops the containers and starts those that always run', async () => {
  await engine.restart();
  await expectAgreement('built', 'own');
  await engine.docker('start', 'once');
  await expectAgreement('built', 'own', 'once');
});

test('after a kill of the engine nothing is left of what it does not run any more, whichever IPAM it used', async () => {
  await engine.restart('SIGKILL');
  await expectAgreement('built', 'own');
  await engine.docker('start', 'once');
  await expectAgreement('built', 'own', 'once');
  await engine.docker('restart', 'built', 'own');
  await expectAgreement('built', 'own', 'once');
});

test('after a kill of both, in either order, both agree', async () => {
  await engine.down('SIGKILL');
  await host.stopDaemon('SIGKILL');
  await docker.startVetch();
  await engine.up();
  await expectAgreement('built', 'own');
});

test('when everything is removed nothing is held', async () => {
  await engine.docker('rm', '--force', 'built', 'own', 'once');
  expect(await docker.held()).toEqual({ endpoints: [], ports: 0, veths: 0 });
  await engine.docker('network', 'rm', 'built', 'own');
  expect(await host.vetch('network', 'ls')).toEqual([]);
});
