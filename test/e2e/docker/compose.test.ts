import { afterAll, beforeAll, expect, test } from 'vitest';
import { Compose } from '../../lab/compose.ts';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import type { Machine } from '../../lab/machine.ts';
import { ping } from '../../lab/talk.ts';
import { askInVain, DockerLab, families } from './docker-lab.ts';

// examples/compose as it lies there, run by docker-compose on a real engine.

const example = new URL('../../../examples/compose', import.meta.url).pathname;

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let compose: Compose;
let web: EngineContainer;
let api: EngineContainer;
let store: EngineContainer;
let visits = 0;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  compose = new Compose(engine, example, ['web', 'api', 'store']);
  await compose.run('up', '--detach');
  const ids = await Promise.all(['web', 'api', 'store'].map((name) => compose.run('ps', '--quiet', name)));
  [web, api, store] = ids.map((id) => engine.container(id.trim())) as [
    EngineContainer,
    EngineContainer,
    EngineContainer,
  ];
});
afterAll(() => docker?.[Symbol.asyncDispose]());

/** What a machine is told at an address; waits for tiers that are still starting. */
function curl(machine: Machine, url: string): Promise<string> {
  const wait = ['--retry', '20', '--retry-delay', '1', '--retry-all-errors', '--max-time', '10'];
  return machine.must('curl', '--silent', '--show-error', '--fail', '--globoff', ...wait, url);
}

test('the front answers from outside and from the host, over both families, and sees the client', async () => {
  await curl(host, 'http://127.0.0.1:8080/');
  visits = Number(JSON.parse(await curl(host, 'http://127.0.0.1:8081/visits')).visits);
  expect(visits).toBeGreaterThan(0);
  for (const family of families) {
    const address = family === 'address4' ? host.address4 : `[${host.address6}]`;
    expect(await curl(outside, `http://${address}:8080/`)).toBe(`visit ${++visits}, from ${outside[family]}\n`);
  }
  expect(await curl(host, 'http://[::1]:8080/')).toMatch(`visit ${++visits}, from `);
});

test('the port published on loopback answers the host alone', async () => {
  expect(JSON.parse(await curl(host, 'http://127.0.0.1:8081/visits'))).toEqual({ visits });
  expect(await askInVain(outside, 'tcp', host.address4, 8081)).toMatchObject({ ok: false });
});

test('the tiers have the addresses that the file gives them', async () => {
  expect(await web.address('tiers_edge')).toBe('10.210.0.10');
  expect(await web.address('tiers_edge', 6)).toBe('fd00:210::10');
  expect(await store.address('tiers_data')).toBe('10.211.0.10');
  expect(await store.address('tiers_data', 6)).toBe('fd00:211::10');
});

test('the middle tier reaches both others by name, the front not the back, and the back nothing outside', async () => {
  expect(await api.must('getent', 'ahostsv4', 'store')).toContain('10.211.0.10');
  expect(await api.must('getent', 'ahostsv6', 'web')).toContain('fd00:210::10');
  expect(await store.must('getent', 'ahostsv4', 'counter')).toContain(await api.address('tiers_data'));
  expect((await web.exec('getent', 'ahostsv4', 'store')).stdout).toBe('');
  for (const address of ['10.211.0.10', 'fd00:211::10'])
    expect(await ping(web, address, '-W', '1'), address).not.toBe(0);
  for (const family of families) expect(await ping(store, outside[family], '-W', '1'), family).not.toBe(0);
  expect(await ping(web, outside.address4)).toBe(0);
});

test('project and service are labels of the endpoints, and published ports are listed', async () => {
  const label = 'com.docker.compose.service';
  await expect
    .poll(
      async () => {
        const endpoints = await host.vetch<{ network: string; labels: Record<string, string> }[]>('endpoint', 'ls');
        return endpoints.map(({ network, labels }) => `${network} ${labels[label]}`).sort();
      },
      { timeout: 5000 },
    )
    .toEqual(['tiers_data api', 'tiers_data store', 'tiers_edge api', 'tiers_edge web']);
  const ports = await host.vetch<{ hostAddress: string; hostPort: number; port: number }[]>('port', 'ls');
  expect(ports.map(({ hostAddress, hostPort, port }) => `${hostAddress} ${hostPort} ${port}`).sort()).toEqual([
    '0.0.0.0 8080 8000',
    '127.0.0.1 8081 8000',
    ':: 8080 8000',
  ]);
});

test('a tier that is made anew is found again, and the count is on its volume', async () => {
  await compose.run('up', '--detach', '--force-recreate', '--no-deps', 'store');
  await compose.run('restart', '--timeout', '1', 'api');
  expect(await curl(outside, `http://${host.address4}:8080/`)).toMatch(/^visit \d+, from /);
  expect(JSON.parse(await curl(host, 'http://127.0.0.1:8081/visits')).visits).toBeGreaterThan(visits);
});

test('taken down, it leaves nothing', async () => {
  await compose.run('down', '--volumes', '--timeout', '1');
  expect(await docker.held()).toEqual({ endpoints: [], ports: 0, veths: 0 });
  expect(await host.vetch('network', 'ls')).toEqual([]);
});
