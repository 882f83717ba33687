import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { ServiceView } from '../../../src/api/schemas/service.ts';
import { Compose } from '../../lab/compose.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import { DockerLab } from './docker-lab.ts';

// A service in front of containers that docker-compose scales: it follows by the labels that compose gives them.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const vips = ['10.212.0.2', 'fd00:212::2'] as const;

let docker: DockerLab;
let compose: Compose;
let client: EngineContainer;

const container = (command: string) => ({
  ...{ image: 'links', volumes: [`${programs}:/programs:ro`], networks: ['app'], stop_signal: 'SIGKILL' },
  command,
});

beforeAll(async () => {
  docker = await DockerLab.create();
  // Where engines of another distribution look, too; it goes with the host
  const directory = mkdtempSync(join(docker.host.state, '..', 'compose-'));
  const config = [{ subnet: '10.212.0.0/24' }, { subnet: 'fd00:212::/64' }];
  const file = {
    services: {
      web: container('python3 -u /programs/server.py tcp :: 8080'),
      client: container('sleep infinity'),
    },
    networks: { app: { driver: 'vetch', enable_ipv6: true, ipam: { config, driver: 'vetch' } } },
  };
  writeFileSync(join(directory, 'compose.yaml'), stringify(file));
  compose = new Compose(docker.engine, directory, ['web', 'client']);
  // Before any container is, so that their addresses come after the service's.
  await compose.run('up', '--no-start');
});
afterAll(() => docker?.[Symbol.asyncDispose]());

async function backends(): Promise<readonly ServiceView['backends'][number][]> {
  const services = await docker.host.vetch<ServiceView[]>('service', 'ls');
  return services[0]?.backends ?? [];
}

/** How many containers have answered 60 flows; -1: not all were answered. */
async function answering(vip: string): Promise<number> {
  const said = await client.must('python3', '/programs/spread.py', 'tcp', vip, '80', '60');
  const { errors, ...counts } = JSON.parse(said) as Record<string, number>;
  return errors === 0 ? Object.keys(counts).length : -1;
}

test("what compose scales is followed, and the address of a service is no container's", async () => {
  for (const [i, vip] of vips.entries()) {
    const flags = ['--network', 'tiers_app', '--vip', vip, '--port', '80:8080', '--health', 'tcp'];
    await docker.host.vetch('service', 'create', `web${i}`, ...flags, '--select', 'com.docker.compose.service=web');
  }
  await compose.run('up', '--detach', '--scale', 'web=3');
  client = docker.engine.container((await compose.run('ps', '--quiet', 'client')).trim());
  for (const vip of vips) await expect.poll(() => answering(vip), { timeout: 10_000 }).toBe(3);
  expect((await backends()).map(({ address }) => address)).not.toContain(vips[0]);
  await compose.run('up', '--detach', '--scale', 'web=1');
  expect(await backends()).toHaveLength(1);
  for (const vip of vips) expect(await answering(vip)).toBe(1);
  await compose.run('up', '--detach', '--scale', 'web=2');
  for (const vip of vips) await expect.poll(() => answering(vip), { timeout: 10_000 }).toBe(2);
  await compose.run('down', '--timeout', '1');
  expect(await docker.host.vetch('service', 'ls')).toEqual([]);
});
