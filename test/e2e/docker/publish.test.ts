import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask, serve } from '../../lab/talk.ts';
import { askInVain, DockerLab, families, transports } from './docker-lab.ts';

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let web: EngineContainer;
let peer: EngineContainer;
let stranger: EngineContainer;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await docker.network('app', 88);
  await docker.network('other', 89);
  const publishes = ['8080:80', '8080:80/udp', '127.0.0.1:8099:80', '[::1]:8099:80', '127.0.0.1:8100:80'];
  [web, peer, stranger] = await Promise.all([
    engine.run('web', ['--network', 'app', ...publishes.flatMap((spec) => ['--publish', spec])]),
    engine.run('peer', ['--network', 'app', '--publish', '127.0.0.2:8100:80']),
    engine.run('stranger', ['--network', 'other']),
  ]);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

test('a published port answers from outside, and the container sees the address of the client', async () => {
  for (const transport of transports) {
    for (const family of families) {
      const reply = await ask(outside, transport, host[family], 8080);
      expect(reply, `${transport} ${family}`).toMatchObject({ ok: true });
      expect(reply.reply).toContain(`web peer=${outside[family]},`);
    }
  }
});

test('a UDP reply comes from the address that was asked', async () => {
  for (const family of families) {
    const reply = await ask(outside, 'udp', host[family], 8080, '--unconnected');
    expect(reply, family).toMatchObject({ ok: true, replyFrom: [host[family], 8080] });
    const local = await ask(host, 'udp', host[family], 8080, '--unconnected');
    expect(local, family).toMatchObject({ ok: true, replyFrom: [host[family], 8080] });
  }
});

test('a published port answers the host at localhost and at its own addresses', async () => {
  for (const address of ['127.0.0.1', '::1', host.address4, host.address6]) {
    for (const transport of transports)
      expect(await ask(host, transport, address, 8080), `${transport} ${address}`).toMatchObject({ ok: true });
  }
});

test('a published port answers containers of its network, of another, and its own container', async () => {
  for (const container of [peer, stranger, web]) {
    for (const transport of transports) {
      for (const family of families)
        expect(
          await ask(container, transport, host[family], 8080),
          `${container.name} ${transport} ${family}`,
        ).toMatchObject({ ok: true });
    }
  }
});

test('a port published on loopback answers the host alone', async () => {
  for (const address of ['127.0.0.1', '::1']) {
    expect(await ask(host, 'tcp', address, 8099), address).toMatchObject({ ok: true });
  }
  for (const machine of [outside, stranger]) {
    for (const family of families)
      expect(await askInVain(machine, 'tcp', host[family], 8099), machine.name).toMatchObject({ ok: false });
  }
});

test('two loopback addresses publish one port for two containers', async () => {
  expect((await ask(host, 'tcp', '127.0.0.1', 8100)).reply).toContain('web peer=');
  expect((await ask(host, 'tcp', '127.0.0.2', 8100)).reply).toContain('peer peer=');
});

test('a port that is taken is refused in the words of Docker, leaves nothing, and is free for a retry later', async () => {
  const before = await docker.held();
  const late = await engine.attempt(
    ...engine.runArguments('late', ['--network', 'app', '-p', '8080:80']),
    'links',
    'sleep',
    '60',
  );
  expect(late.status).toBe(125);
  expect(late.stderr).toContain('Bind for 0.0.0.0:8080 failed: port is already allocated');
  expect(await docker.held()).toEqual(before);

  await engine.docker(
    'run',
    '--detach',
    '--name',
    'first',
    '--network',
    'app',
    '-p',
    '8070:80',
    '-v',
    '/usr:/usr:ro',
    'links',
    'sleep',
    '600',
  );
  const second = engine.runArguments('second', ['--network', 'app', '-p', '8070:80']);
  expect((await engine.attempt(...second, 'links', 'sleep', '600')).stderr).toContain('port is already allocated');
  await engine.docker('rm', '--force', 'first');
  await engine.docker('start', 'second');
  await engine.docker('rm', '--force', 'second', 'late');
  expect(await docker.held()).toEqual(before);
});

test('a wildcard and a specific address conflict over one port, whichever came first', async () => {
  const attempt = (spec: string) =>
    engine.attempt('run', '--rm', '--network', 'app', '-p', spec, '-v', '/usr:/usr:ro', 'links', 'true');
  const specific = ['127.0.0.1:8080:80', `${host.address4}:8080:80`, '[::1]:8080:80', `[${host.address6}]:8080:80`];
  for (const spec of [...specific, '8100:80', '8080:80/udp'])
    expect((await attempt(spec)).stderr, spec).toContain('port is already allocated');
  expect((await attempt('8080:80/sctp')).stderr).toBe('');
});

test('a port that a process of the host listens on is refused', async () => {
  await serve(host, 'tcp', 8085, '0.0.0.0');
  const taken = ['run', '--rm', '--network', 'app', '-p', '8085:80', '-v', '/usr:/usr:ro', 'links', 'true'];
  expect((await engine.attempt(...taken)).stderr).toMatch(/8085.*(already allocated|already in use)/);
  expect(await ask(outside, 'tcp', host.address4, 8085)).toMatchObject({ ok: true });
});

test('a range of ports is published one to one, and from a range of the host the first free one', async () => {
  const many = await engine.run('many', ['--network', 'app', '-p', '9000-9002:80-82'], [80, 82]);
  const picky = await engine.run('picky', ['--network', 'app', '-p', '9001-9010:90'], [90]);
  const expected = [
    [9000, 'many', 80],
    [9002, 'many', 82],
    [9003, 'picky', 90],
  ] as const;
  for (const [hostPort, name, port] of expected) {
    for (const family of families) {
      const { reply } = await ask(outside, 'tcp', host[family], hostPort);
      expect(reply, `${family} ${hostPort}`).toMatch(new RegExp(`^${name} .* local=\\S+,${port} `));
    }
  }
  await engine.docker('rm', '--force', many.name, picky.name);
});

test('-P publishes what the image exposes, each at a free port of the range for ephemeral ones', async () => {
  const before = await listPorts();
  const eager = await engine.run('eager', ['--network', 'app', '--expose', '80', '--expose', '80/udp', '-P']);
  const mine = (await listPorts()).slice(before.length);
  expect(new Set(mine.map(({ protocol }) => protocol))).toEqual(new Set(['tcp', 'udp']));
  for (const { protocol, hostPort, port } of mine) {
    expect(port).toBe(80);
    expect(hostPort).toBeGreaterThanOrEqual(32768);
    for (const family of families)
      expect((await ask(outside, protocol, host[family], hostPort)).reply, family).toContain('eager ');
  }
  await engine.docker('rm', '--force', eager.name);
});

interface Port {
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  readonly port: number;
}

/** By host port, so that ephemeral ones come last. */
async function listPorts(): Promise<Port[]> {
  return (await host.vetch<Port[]>('port', 'ls')).sort((one, other) => one.hostPort - other.hostPort);
}

test('a port that is not published is unreachable from outside, also by routing to the container', async () => {
  await outside.ip(`route add 10.88.0.0/16 via ${host.address4}`, `route add fd00:88::/64 via ${host.address6}`);
  for (const family of [4, 6] as const) {
    const address = await web.address('app', family);
    expect(await ask(host, 'tcp', address, 80), address).toMatchObject({ ok: true });
    for (const transport of transports)
      expect(await askInVain(outside, transport, address, 80), `${transport} ${address}`).toMatchObject({ ok: false });
  }
  await outside.ip('route del 10.88.0.0/16', 'route del fd00:88::/64');
});

test('a UDP port serves the next container at once, to a client that goes on sending', async () => {
  const answer = async (family: 'address4' | 'address6') => {
    const same = ['--bind', outside[family], '--source-port', '40404'];
    return (await ask(outside, 'udp', host[family], 8060, ...same)).reply;
  };
  for (const name of ['old', 'new']) {
    await engine.run(name, ['--network', 'app', '-p', '8060:80/udp']);
    for (const family of families) expect(await answer(family), family).toContain(`${name} `);
    await engine.docker('rm', '--force', name);
  }
});
