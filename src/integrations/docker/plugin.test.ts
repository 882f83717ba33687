import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { allocatePorts } from '../../network/allocate-ports.ts';
import { EndpointIndex } from '../../network/endpoint-index.ts';
import { HeldPools } from '../../network/held-pools.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { planNetwork } from '../../network/plan-network.ts';
import { parsePublish } from '../../network/publish.ts';
import { endpointRequest } from '../../network/testing.ts';
import type { DockerBackend } from './backend.ts';
import { pluginServer } from './plugin.ts';

/** A backend that plans as the daemon does, and has no kernel and no disk. */
class PlannedBackend implements DockerBackend {
  readonly networks = new Map<string, Network>();
  readonly endpoints = new Map<string, Endpoint>();
  readonly pools = new HeldPools();
  readonly taken = new EndpointIndex();

  network = (id: string) => this.networks.get(id);
  endpoint = (id: string) => this.endpoints.get(id);
  interfacePrefix = () => 'eth';
  createNetwork: DockerBackend['createNetwork'] = async (id, asked) => {
    const network = planNetwork(asked, { networks: this.networks.values(), hostRoutes: [], id, owner: 'docker' });
    this.networks.set(id, network);
    this.taken.addNetwork(network);
  };
  removeNetwork = async (id: string) => {
    this.networks.delete(id);
    this.taken.removeNetwork(id);
  };
  createEndpoint: DockerBackend['createEndpoint'] = async ({ id, network, addresses, mac, options }) => {
    const found = this.networks.get(network);
    if (!found) throw new Error('no such network');
    const asked = endpointRequest({ netns: '', ifname: `vs${id.slice(0, 11)}`, addresses, options });
    const context = { network: found, endpoints: this.taken, id, owner: 'docker' } as const;
    const endpoint = planEndpoint({ ...asked, ...(mac === undefined ? {} : { mac }) }, context);
    this.endpoints.set(id, endpoint);
    this.taken.addEndpoint(endpoint);
    return endpoint;
  };
  removeEndpoint = async (id: string) => {
    this.endpoints.delete(id);
    this.taken.removeEndpoint(id);
  };
  publish: DockerBackend['publish'] = async (id, specs) => {
    const before = this.endpoints.get(id);
    if (!before) return;
    const context = { published: this.taken.published, families: [4] as const };
    const endpoint = { ...before, ports: allocatePorts(specs.flatMap(parsePublish), context) };
    this.endpoints.set(id, endpoint);
    this.taken.addEndpoint(endpoint);
  };
  requestPool: DockerBackend['requestPool'] = async (wish) => {
    const chosen = this.pools.choose(wish, { networks: this.networks.values(), hostRoutes: [] }, 'host');
    const pool = { id: String(this.pools.pools.length), ...chosen, created: '2026-01-31T12:00:00Z' };
    this.pools.add(pool);
    return pool;
  };
  releasePool = async (id: string) => this.pools.remove(id);
  requestAddress: DockerBackend['requestAddress'] = async ({ pool, address }) => {
    const chosen = this.pools.chooseAddress(pool, address);
    this.pools.take(pool, chosen, '2026-01-31T12:00:00Z');
    return this.pools.withLength(pool, chosen);
  };
  releaseAddress = async (pool: string, address: string) => this.pools.release(pool, address);
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks into is what it says
  readonly body: any;
}

let directory: string;
let socket: string;
let server: Server;
let backend: PlannedBackend;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vetch-plugin-'));
  socket = join(directory, 'vetch.sock');
  backend = new PlannedBackend();
  await serve(pluginServer({ backend, failed: () => undefined }));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

function serve(other: Server): Promise<void> {
  server = other;
  return new Promise((resolve) => server.listen(socket, resolve));
}

async function call(path: string, body: unknown): Promise<Answer> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath: socket, path, method: 'POST', headers: { host: '' } }, resolve);
    asked.on('error', reject);
    asked.end(body === null ? undefined : JSON.stringify(body));
  });
  return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)) };
}

const trace = readFileSync(new URL('./remote-driver-trace.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { call: string; request: Record<string, unknown> | null });

const network = '2227f7f7a044038cee7132498a12ca0d4e59dea35e549a5b345e3710683ebebc';
const endpoint = '8129f001e9d5ce85b1d16a5f8b266008262a28ad3aff935edabbcec44b54c11e';
const created = { NetworkID: network, Options: {}, IPv4Data: [{ Pool: '10.77.0.0/16', Gateway: '10.77.0.1/16' }] };
const ref = { NetworkID: network, EndpointID: endpoint };

/** The recorded calls up to one, which is not made, with an option that we know and a pool that we have. */
async function replay(until?: string): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (const { call: path, request: recorded } of trace) {
    if (path === until) return answers;
    const pool = answers.get('/IpamDriver.RequestPool')?.body.PoolID as string;
    const body: Record<string, unknown> | null = recorded && {
      ...recorded,
      ...(recorded.PoolID ? { PoolID: pool } : {}),
    };
    if (path === '/IpamDriver.RequestPool') Object.assign(body ?? {}, { Pool: '10.77.0.0/16' });
    if (path === '/NetworkDriver.CreateNetwork') Object.assign(body ?? {}, { Options: {} });
    const answer = await call(path, body);
    expect(answer, `${path} ${JSON.stringify(answer.body)}`).toMatchObject({ status: 200 });
    answers.set(path, answer);
  }
  return answers;
}

test('every call that an engine was seen to make is answered, and leaves nothing', async () => {
  const answers = await replay();
  expect(answers.get('/Plugin.Activate')?.body).toEqual({ Implements: ['NetworkDriver', 'IpamDriver'] });
  expect(answers.get('/NetworkDriver.CreateEndpoint')?.body).toEqual({ Interface: {} });
  expect(answers.get('/NetworkDriver.Join')?.body).toEqual({
    InterfaceName: { SrcName: 'vs8129f001e9d', DstPrefix: 'eth' },
    Gateway: '10.77.0.1',
  });
  expect(answers.get('/IpamDriver.RequestAddress')?.body.Address).toBe('10.77.0.2/16');
  expect([backend.networks.size, backend.endpoints.size, backend.pools.pools.length]).toEqual([0, 0, 0]);
});

test('the recorded port map is published when external connectivity is programmed', async () => {
  await replay('/NetworkDriver.EndpointOperInfo');
  expect(backend.endpoint(endpoint)?.ports).toEqual([
    { protocol: 'udp', hostAddress: '127.0.0.1', hostPort: 5353, port: 53 },
    { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 },
  ]);
  await call('/NetworkDriver.Leave', ref);
  expect(backend.endpoint(endpoint)?.ports).toEqual([]);
});

test('a MAC that the engine has not chosen is answered, and one that it has is not', async () => {
  await call('/NetworkDriver.CreateNetwork', created);
  const answer = await call('/NetworkDriver.CreateEndpoint', {
    ...ref,
    Interface: { Address: '10.77.0.9/16', AddressIPv6: '', MacAddress: '' },
    Options: null,
  });
  expect(answer.body).toEqual({ Interface: { MacAddress: backend.endpoint(endpoint)?.mac } });
});

test('an empty body is refused, in the words of both protocols', async () => {
  const answer = await call('/NetworkDriver.CreateNetwork', null);
  expect(answer).toMatchObject({ status: 400, body: { Err: expect.stringContaining('no body') } });
  expect(answer.body.Error).toBe(answer.body.Err);
});

test('a request without a Content-Type and with an empty Host is answered', async () => {
  const answer = await new Promise<string>((resolve) => {
    const client = connect(socket, () => {
      client.write('POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    resolve(text(client));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test('deleting what is not there is no failure', async () => {
  for (const name of ['Leave', 'DeleteEndpoint', 'RevokeExternalConnectivity', 'DeleteNetwork']) {
    expect(await call(`/NetworkDriver.${name}`, ref), name).toEqual({ status: 200, body: {} });
  }
  expect(await call('/IpamDriver.ReleaseAddress', { PoolID: 'gone', Address: '10.77.0.2' })).toMatchObject({
    status: 200,
  });
  expect(await call('/IpamDriver.ReleasePool', { PoolID: 'gone' })).toMatchObject({ status: 200 });
});

test('an option that nobody knows is refused by its name', async () => {
  const options = { 'com.docker.network.generic': { 'com.example.speed': 'ludicrous' } };
  const answer = await call('/NetworkDriver.CreateNetwork', { ...created, Options: options });
  expect(answer.status).toBe(400);
  expect(answer.body.Err).toContain('com.example.speed');
});

test('a network of two families takes both subnets, and an internal one has no way out', async () => {
  const options = { 'com.docker.network.internal': true, 'com.docker.network.enable_ipv6': true };
  await call('/NetworkDriver.CreateNetwork', {
    ...created,
    Options: options,
    IPv6Data: [{ Pool: 'fd00:77::/64', Gateway: 'fd00:77::1/64' }],
  });
  expect(backend.network(network)).toMatchObject({ internal: true, owner: 'docker', id: network });
  expect(backend.network(network)?.subnets.map(({ cidr }) => cidr)).toEqual(['10.77.0.0/16', 'fd00:77::/64']);
  const addresses = { Address: '10.77.0.9/16', AddressIPv6: 'fd00:77::9/64', MacAddress: '' };
  await call('/NetworkDriver.CreateEndpoint', { ...ref, Interface: addresses });
  const joined = await call('/NetworkDriver.Join', { ...ref, SandboxKey: '/run/docker/netns/x' });
  expect(joined.body).toEqual({
    InterfaceName: { SrcName: 'vs8129f001e9d', DstPrefix: 'eth' },
    DisableGatewayService: true,
  });
});

test('the pool that an engine asks for again is a different one each time', async () => {
  const ask = async () => (await call('/IpamDriver.RequestPool', { Pool: '', SubPool: '', V6: false })).body.Pool;
  const pools = [await ask(), await ask(), await ask()];
  expect(new Set(pools).size).toBe(3);
});

test('an address outside of its pool, or held already, is refused', async () => {
  const { body } = await call('/IpamDriver.RequestPool', { Pool: '10.77.0.0/24' });
  const ask = (Address: string) => call('/IpamDriver.RequestAddress', { PoolID: body.PoolID, Address });
  expect(await ask('10.77.0.7')).toMatchObject({ status: 200, body: { Address: '10.77.0.7/24' } });
  expect((await ask('10.77.0.7')).body.Error).toContain('already in use');
  expect((await ask('10.99.0.7')).body.Error).toContain('outside');
});

test('a call that takes too long is answered all the same, and not done', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  let signal: AbortSignal | undefined;
  const stuck = Object.assign(new PlannedBackend(), {
    createNetwork: (_id: string, _request: unknown, given: AbortSignal) => {
      signal = given;
      return new Promise<void>(() => undefined);
    },
  });
  await serve(pluginServer({ backend: stuck, failed: () => undefined, patience: 50 }));
  const answer = await call('/NetworkDriver.CreateNetwork', created);
  expect(answer.status).toBe(400);
  expect(answer.body.Err).toContain('took longer');
  expect(signal?.aborted).toBe(true);
});
