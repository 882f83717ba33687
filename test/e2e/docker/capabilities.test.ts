import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import { ask } from '../../lab/talk.ts';
import { DockerLab } from './docker-lab.ts';

// What the kernel asks of the daemon where the engine knows CAP_BPF (20.10 does not): a root that has little else.

const program = new URL('../../../bin/vetch', import.meta.url).pathname;
const enough = ['net_admin', 'bpf', 'perfmon', 'net_bind_service'];

let docker: DockerLab;
let engine: Engine;
let host: Host;

beforeAll(async () => {
  docker = await DockerLab.create({ vetch: false });
  ({ engine, host } = docker);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

/** Starts the daemon with these capabilities alone. */
function start(capabilities: readonly string[]) {
  const limited = ['setpriv', '--no-new-privs', '--bounding-set', `-all,${capabilities.map((name) => `+${name}`)}`];
  const paths = ['--state', host.state, '--bpffs', host.bpffs, '--socket', host.socket];
  const flags = ['--node', host.name, '--uplink', 'eth0', '--resolver', 'off', ...engine.vetchFlags];
  return host.spawn(...limited, program, 'daemon', ...paths, ...flags);
}

test.each(['net_admin', 'bpf', 'perfmon'])('without %s, and without sys_admin, it does not start', async (without) => {
  const daemon = start(enough.filter((name) => name !== without));
  expect(await daemon.ended()).toBe(1);
  expect(daemon.output).toMatch(/vetch: \w+: .*(EPERM|EACCES)/s);
});

test("Docker's networks need no sys_admin; a namespace that is attached by its path does, and it is named", async () => {
  const daemon = start(enough);
  await daemon.until(/"ready"/, 20);
  await docker.network('app', 88);
  await engine.run('web', ['--network', 'app', '--publish', '80:80']);
  const peer = await engine.run('peer', ['--network', 'app']);
  expect(await ask(docker.outside, 'tcp', host.address4, 80)).toMatchObject({ ok: true });
  expect(await ask(host, 'tcp', '127.0.0.1', 80)).toMatchObject({ ok: true });
  expect(await ask(peer, 'tcp', 'web', 80)).toMatchObject({ ok: true });
  expect((await host.status()).warnings).toEqual([]);

  const box = await host.container('box');
  const attach = host.vetch('endpoint', 'attach', 'app', '--netns', box.netns, '--name', 'box');
  await expect(attach).rejects.toMatchObject({ message: expect.stringMatching(/may not enter|belongs to Docker/) });
  await host.vetch('network', 'create', 'plain', '--subnet', '10.95.0.0/16');
  await expect(host.vetch('endpoint', 'attach', 'plain', '--netns', box.netns, '--name', 'box')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    hint: expect.stringContaining('CAP_SYS_ADMIN'),
  });
  expect(daemon.running).toBe(true);
  await engine.docker('rm', '--force', 'web', 'peer');
  expect(await docker.held()).toEqual({ endpoints: [], ports: 0, veths: 0 });
  expect(daemon.output).not.toMatch(/"level":[456]0.*(EPERM|EACCES)/);
});
