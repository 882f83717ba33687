import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import { slowness } from '../../lab/process.ts';
import { listen, send } from '../../lab/rates.ts';
import { ping } from '../../lab/talk.ts';
import { DockerLab, driver } from './docker-lab.ts';

// Limits of a container's rate by Docker's own words, and networks that have loopback alone.

let docker: DockerLab;
let engine: Engine;
let host: Host;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host } = docker);
  await docker.network('app', 88, '--opt', 'vetch.rate.ingress=30Mbit');
});
afterAll(() => docker?.[Symbol.asyncDispose]());

const soon = { timeout: 10_000 * slowness };
const ratesOf = async (name: string) =>
  (
    await host
      .vetch<{ rates: unknown }>('endpoint', 'inspect', `label:vetch.io/container=${name}`)
      .catch(() => undefined)
  )?.rates;

test("a container's label limits what it sends, and its network's option what it receives", async () => {
  const sender = await engine.run('sender', ['--network', 'app', '--label', 'vetch.rate.egress=20Mbit']);
  const receiver = await engine.run('receiver', ['--network', 'app', '--label', 'vetch.rate.ingress=none']);
  await expect.poll(() => ratesOf('sender'), soon).toEqual({ ingress: 3e7, egress: 2e7 });
  await expect.poll(() => ratesOf('receiver'), soon).toEqual({});
  await listen(receiver);
  const { wireBits, seconds } = await send(sender, await receiver.address('app', 4), {
    seconds: 3,
    congestion: 'default',
  });
  expect(wireBits / seconds).toBeGreaterThan(0.95 * 2e7);
  expect(wireBits / seconds).toBeLessThan(1.2 * 2e7);
});

test('a label that is no rate limits nothing, and is told', async () => {
  await engine.run('typo', ['--network', 'app', '--label', 'vetch.rate.egress=fast']);
  await expect.poll(() => ratesOf('typo'), soon).toEqual({ ingress: 3e7 });
  expect((await host.status()).warnings.join()).toContain('vetch.rate.egress=fast');
});

test('a network of driver none gives its containers loopback alone', async () => {
  await engine.docker('network', 'create', '-d', driver, '--ipam-driver', 'null', '-o', 'vetch.driver=none', 'alone');
  await engine.run('hermit', ['--network', 'alone', '--label', 'app=batch']);
  const hermit = engine.container('hermit');
  const links = JSON.parse(await hermit.must('ip', '-j', 'link')) as { link_type: string }[];
  expect(links.filter(({ link_type }) => link_type === 'ether')).toEqual([]);
  expect(await ping(hermit, '127.0.0.1')).toBe(0);
  await expect
    .poll(() => host.vetch('endpoint', 'inspect', 'label:vetch.io/container=hermit').catch(() => undefined), soon)
    .toMatchObject({ name: 'hermit', addresses: [], labels: { app: 'batch' } });
  await engine.attempt('rm', '--force', 'hermit');
  await engine.docker('network', 'rm', 'alone');
  expect(await host.vetch('network', 'ls')).toHaveLength(1);
});

test('a network of driver none with addresses is refused, with what to do', async () => {
  const result = await engine.attempt('network', 'create', '-d', driver, '-o', 'vetch.driver=none', 'odd');
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('--ipam-driver null');
});
