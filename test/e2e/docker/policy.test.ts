import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Background } from '../../lab/process.ts';
import { must } from '../../lab/process.ts';
import { ask } from '../../lab/talk.ts';
import { askInVain, DockerLab } from './docker-lab.ts';

// Kubernetes' documents on containers of a real engine, which tells their labels late.

let docker: DockerLab;
let engine: Engine;
let host: Host;
let listener: EngineContainer;
let heard: Background;

const vetch = new URL('../../../bin/vetch', import.meta.url).pathname;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host } = docker);
  await docker.network('shop', 88);
  listener = await engine.run('listener', ['--network', 'shop', '--label', 'app=listener']);
  const print = [
    'import socket',
    's = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)',
    "s.bind(('::', 9000))",
    "print('ready', flush=True)",
    'while True: print(s.recvfrom(99)[0].decode(), flush=True)',
  ];
  heard = listener.spawn('python3', '-c', print.join('\n'));
  await heard.until(/ready/);
  await apply(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-spies, namespace: shop}
spec:
  podSelector: {matchLabels: {app: spy}}
  policyTypes: [Egress, Ingress]
`);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

async function apply(yaml: string): Promise<void> {
  await must(host.command([vetch, 'policy', 'apply', '-f', '-', '--socket', host.socket]), { input: yaml });
}

/** A container that says a word over and over from its first instant on, over both families, for two seconds. */
async function says(word: string, ...flags: string[]): Promise<void> {
  const addresses = [await listener.address('shop', 4), await listener.address('shop', 6)];
  const program = [
    'import socket, time',
    'end = time.monotonic() + 2',
    'while time.monotonic() < end:',
    `  for a, f in zip(${JSON.stringify(addresses)}, [socket.AF_INET, socket.AF_INET6]):`,
    '    try:',
    `      socket.socket(f, socket.SOCK_DGRAM).sendto(b'${word}', (a, 9000))`,
    '    except OSError: pass',
    '  time.sleep(0.002)',
  ];
  const mounts = ['--volume', '/usr:/usr:ro'];
  await engine.docker(
    'run',
    '--rm',
    '--network',
    'shop',
    ...mounts,
    ...flags,
    'links',
    'python3',
    '-c',
    program.join('\n'),
  );
}

test('a container that policy closes is closed from its first packet on, before its labels are known', async () => {
  for (let round = 0; round < 3; round++) await says('spy', '--label', 'app=spy');
  await says('guest');
  await heard.until(/guest/);
  expect(heard.output).not.toMatch(/spy/);
  expect((await host.status()).warnings.filter((warning) => warning.includes('cut off'))).toEqual([]);
});

test("labels of Docker's select, and those that are laid over them select too", async () => {
  const shop = await engine.run('till', ['--network', 'shop', '--label', 'app=till']);
  const address = await shop.address('shop');
  expect(await ask(listener, 'tcp', address, 80)).toMatchObject({ ok: true });
  await host.vetch('endpoint', 'label', 'till', 'app=spy');
  expect(await askInVain(listener, 'tcp', address, 80)).toMatchObject({ ok: false });
  const why = await host.vetch('policy', 'explain', '--from', 'listener', '--to', 'till', '--port', '80/tcp');
  expect(why).toMatchObject({ verdict: 'deny', decidedBy: { namespace: 'shop', name: 'no-spies', rule: null } });
  await host.vetch('endpoint', 'label', 'till', 'app=till');
  expect(await ask(listener, 'tcp', address, 80)).toMatchObject({ ok: true });
});

test('a default deny closes the published port of a container, and opens it by the address of the client', async () => {
  const { outside } = docker;
  await engine.run('web', ['--network', 'shop', '--label', 'app=web', '--publish', '8080:80']);
  for (const family of ['address4', 'address6'] as const)
    expect(await ask(outside, 'tcp', host[family], 8080)).toMatchObject({ ok: true });
  const closed = (from: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [${from}]}
`;
  await apply(closed(''));
  for (const family of ['address4', 'address6'] as const)
    expect(await askInVain(outside, 'tcp', host[family], 8080)).toMatchObject({ ok: false });
  const blocks = [`${outside.address4}/32`, `${outside.address6}/128`].map((cidr) => `{ipBlock: {cidr: '${cidr}'}}`);
  await apply(closed(`{from: [${blocks.join(', ')}], ports: [{port: 80}]}`));
  for (const family of ['address4', 'address6'] as const)
    expect(await ask(outside, 'tcp', host[family], 8080)).toMatchObject({ ok: true });
});
