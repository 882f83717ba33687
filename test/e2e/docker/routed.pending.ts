import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../../lab/talk.ts';
import { askInVain, DockerLab, families } from './docker-lab.ts';

// What Docker 27 and later promise of gateway mode `routed` and the datapath does not do yet: see pending.md.

let docker: DockerLab;

beforeAll(async () => {
  docker = await DockerLab.create();
  const mode = 'com.docker.network.bridge.gateway_mode_ipv';
  await docker.network('routed', 94, '--opt', `${mode}4=routed`, '--opt', `${mode}6=routed`);
  const { address4, address6 } = docker.host;
  await docker.outside.ip(`route add 10.94.0.0/16 via ${address4}`, `route add fd00:94::/64 via ${address6}`);
  await docker.engine.run('web', ['--network', 'routed', '--publish', '8094:80'], [80, 81]);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

test('gateway mode routed: published ports are reached by routing, and no others', async () => {
  for (const family of [4, 6] as const) {
    const address = await docker.engine.container('web').address('routed', family);
    expect(await ask(docker.outside, 'tcp', address, 80), address).toMatchObject({ ok: true });
    expect(await askInVain(docker.outside, 'tcp', address, 81), address).toMatchObject({ ok: false });
  }
});

test('gateway mode routed: no port of the host is taken or answered', async () => {
  for (const family of families) {
    const reply = await askInVain(docker.outside, 'tcp', docker.host[family], 8094);
    expect(reply, family).toMatchObject({ ok: false });
  }
});
