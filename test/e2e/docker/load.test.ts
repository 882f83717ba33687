import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask } from '../../lab/talk.ts';
import { DockerLab, families, transports } from './docker-lab.ts';

// Many ports, many containers, and changes while traffic flows.

const client = new URL('../../lab/programs/client.py', import.meta.url).pathname;

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await docker.network('app', 88);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

const idle = ['links', 'sleep', '600'];

test('200 published ports start no process, and the time that they add to a start is told', async () => {
  const publish = ['--publish', '10000-10199:10000-10199'];
  await engine.docker('create', '--name', 'none', '--network', 'app', '-v', '/usr:/usr:ro', ...idle);
  await engine.docker('create', '--name', 'many', '--network', 'app', '-v', '/usr:/usr:ro', ...publish, ...idle);
  const turns = 7;
  const times = { none: [] as number[], many: [] as number[] };
  const cpu = { none: 0, many: 0 };
  // In turns, so that what else the machine does is added to both alike; each follows each, when nothing is left of it.
  for (let turn = 0; turn < turns; turn++) {
    for (const name of turn % 2 ? (['many', 'none'] as const) : (['none', 'many'] as const)) {
      const begun = performance.now();
      const before = cpuTime();
      await engine.docker('start', name);
      times[name].push(performance.now() - begun);
      cpu[name] += cpuTime() - before;
      if (turn === 0 && name === 'many') {
        expect(await host.vetch('port', 'ls')).toMatchObject({ length: 400 });
        expect(processes()).not.toContain('docker-proxy');
      }
      await engine.docker('kill', name);
      await expect.poll(() => docker.held(), { timeout: 20_000 }).toEqual({ endpoints: [], ports: 0, veths: 0 });
    }
  }
  await engine.docker('rm', '--force', 'none', 'many');
  const [none, many] = [times.none, times.many].map((all) => all.toSorted((a, b) => a - b)) as [number[], number[]];
  const added = (index: number) => ((many[index] ?? 0) - (none[index] ?? 0)).toFixed(0);
  const [median, least] = [added((turns - 1) / 2), added(0)];
  process.stdout.write(
    `200 published ports add ${median} ms to a start, medians of ${turns}; the least of each: ${least} ms; ` +
      `CPU of the engine and of our daemon: ${((cpu.many - cpu.none) / turns).toFixed(0)} ms\n`,
  );
}, 320_000);

/** Milliseconds of CPU that the engine and our daemon have had, which other load on the machine adds little to. */
function cpuTime(): number {
  const ticks = [engine.dockerd.pid, host.daemon.pid].flatMap((pid) => {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    return fields.split(' ').slice(11, 13).map(Number);
  });
  return ticks.reduce((sum, part) => sum + part * 10, 0);
}

/** The names of the processes of the host itself. */
function processes(): string[] {
  const pids = readFileSync(join(host.place.cgroup, 'cgroup.procs'), 'utf8').trim().split('\n');
  return pids.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
}

test('a port moves from one container to another under load, and answers only the newer one afterwards', async () => {
  const before = await docker.held();
  await engine.run('blue', ['--network', 'app', '--publish', '8080:80']);
  await engine.docker('create', '--name', 'dummy', ...idle);
  let moving = true;
  const names: string[] = [];
  const load = (async () => {
    while (moving) {
      const { reply } = await ask(outside, 'tcp', host.address4, 8080, '--timeout', '0.5');
      names.push(reply?.split(' ')[0] ?? '-');
    }
  })();
  await engine.docker('rm', '--force', 'blue');
  await engine.run('green', ['--network', 'app', '--publish', '8080:80']);
  for (let turn = 0; turn < 10; turn++)
    expect((await ask(outside, 'tcp', host.address4, 8080)).reply).toContain('green ');
  moving = false;
  await load;
  expect(names.join(' ')).toMatch(/^(blue )*(- )*(green ?)+$/);
  await engine.docker('rm', '--force', 'green', 'dummy');
  expect(await docker.held()).toEqual(before);
});

test('a kill of our daemon under load breaks no connection and refuses none', async () => {
  await engine.run('steady', ['--network', 'app', '--publish', '8080:80', '--publish', '8080:80/udp']);
  const pairs = transports.flatMap((transport) => families.map((family) => [transport, family] as const));
  const steady = ['8080', '--count', '80', '--interval', '0.1'];
  const streams = pairs.map(([transport, family]) =>
    outside.spawn('python3', client, transport, host[family], ...steady),
  );
  let loaded = true;
  let answered = 0;
  const load = pairs.map(async ([transport, family]) => {
    while (loaded) {
      const reply = await ask(outside, transport, host[family], 8080);
      if (!reply.ok) return `${transport} ${family}: ${reply.error}`;
      answered++;
    }
    return 'all answered';
  });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1000));
  await pause();
  await host.stopDaemon('SIGKILL');
  await pause();
  await docker.startVetch();
  await pause();
  loaded = false;
  expect(await Promise.all(load)).toEqual(pairs.map(() => 'all answered'));
  expect(answered).toBeGreaterThan(10);
  for (const stream of streams) expect(await stream.ended(), stream.output).toBe(0);
  await engine.docker('rm', '--force', 'steady');
});

test('200 containers that start at once all get an address of their own, and leave nothing', async () => {
  // An engine takes a second of CPU a container on a slow machine, whoever makes its network.
  const count = 200;
  const script = `for i in $(seq ${count}); do ${engine.command(['run', '--detach', '--name', 'c$i', '--network', 'app', '--volume', '/usr:/usr:ro', '--restart', 'no', ...idle]).join(' ')} > /dev/null & done; wait`;
  const begun = performance.now();
  const { stderr } = await engine.machine.execWith({ timeoutSeconds: 600 }, 'sh', '-c', script);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  expect(stderr).toBe('');
  process.stdout.write(`${count} containers that start at once have started after ${seconds} s\n`);
  const held = await docker.held();
  expect(held.veths).toBe(count);
  expect(new Set(held.endpoints).size).toBe(2 * count);
  const last = engine.container(`c${count}`);
  expect(await ask(host, 'tcp', await last.address('app'), 80)).toMatchObject({ error: 'ECONNREFUSED' });
  const names = Array.from({ length: count }, (_, index) => `c${index + 1}`);
  await engine.machine.execWith({ timeoutSeconds: 600 }, ...engine.command(['rm', '--force', ...names]));
  expect(await docker.held()).toEqual({ endpoints: [], ports: 0, veths: 0 });
}, 1_300_000);
