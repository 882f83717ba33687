import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EtcdClusterOptions } from '../../src/store/etcd/open.ts';
import { EtcdServers, type TlsFiles } from '../lab/etcd-servers.ts';
import { must } from '../lab/process.ts';
import { etcdPlace, openPlace } from './etcd-place.ts';
import { sampleClusterEndpoint, sampleHeld, sampleNetwork, samplePolicy } from './store-records.ts';
import { Witness } from './witness.ts';

const patient = { timeout: 20_000, interval: 50 };

describe('TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vetch-tls-'));
  const path = (name: string) => join(directory, name);
  const files: TlsFiles = { ca: path('ca.pem'), certificate: path('host.pem'), key: path('host.key') };
  let servers: EtcdServers;

  beforeAll(async () => {
    await makeAuthority('ca');
    await makeAuthority('other');
    await must(['openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=host', ...out('host', 'csr')]);
    writeFileSync(path('san'), 'subjectAltName=IP:127.0.0.1');
    const sign = ['-CA', files.ca, '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('san')];
    await must(['openssl', 'x509', '-req', '-days', '2', '-in', path('host.csr'), ...sign, '-out', files.certificate]);
    servers = await EtcdServers.start({ tls: files });
  });
  afterAll(async () => {
    await servers?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  function out(name: string, kind: string): string[] {
    return ['-keyout', path(`${name}.key`), '-out', path(`${name}.${kind}`)];
  }

  async function makeAuthority(name: string): Promise<void> {
    const request = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
    await must(['openssl', 'req', ...request, ...out(name, 'pem')]);
  }

  const open = (tls: EtcdClusterOptions['tls']) => {
    const more = { signal: AbortSignal.timeout(1), times: { call: 1_000 } };
    return openPlace(etcdPlace(servers.endpoints, '/vetch'), 'a', { ...more, ...(tls ? { tls } : {}) });
  };
  const own = () => ({ certificate: readFileSync(files.certificate), key: readFileSync(files.key) });

  test('with its authority and a certificate of its own a host is let in', async () => {
    const store = await open({ ca: readFileSync(files.ca), ...own() });
    await store.transaction((writer) => writer.putPolicy(samplePolicy(1)));
    await store.close();
  });

  test.each<[string, () => EtcdClusterOptions['tls'], RegExp]>([
    [
      'an etcd that another authority has signed',
      () => ({ ca: readFileSync(path('other.pem')), ...own() }),
      /certificate/,
    ],
    ['a host without a certificate', () => ({ ca: readFileSync(files.ca) }), /certificate|alert|closed/],
    ['a host that speaks no TLS', () => undefined, /does not answer/],
  ])('%s is refused', async (_what, tls, why) => {
    await expect(open(tls())).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(why) });
  });

  test('an etcd whose certificate is for another name is refused', async () => {
    const elsewhere = servers.endpoints.map((endpoint) => endpoint.replace('127.0.0.1', 'localhost'));
    const more = { signal: AbortSignal.timeout(1), times: { call: 1_000 } };
    const tls = { ca: readFileSync(files.ca), ...own() };
    await expect(openPlace(etcdPlace(elsewhere, '/vetch'), 'a', { ...more, tls })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/altnames|Hostname/i),
    });
  });

  test('a key that does not belong to its certificate is told of at once', async () => {
    const tls = { ca: readFileSync(files.ca), certificate: readFileSync(files.certificate), key: Buffer.from('none') };
    await expect(open(tls)).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('TLS') });
  });
});

describe('a role', () => {
  let servers: EtcdServers;

  /** As docs/cluster.md says it. */
  async function addNode(node: string): Promise<void> {
    const role = `vetch-${node}`;
    const grant = (...args: string[]) => servers.etcdctl('role', 'grant-permission', role, ...args);
    await servers.etcdctl('role', 'add', role);
    await grant('--prefix', 'read', '/vetch/');
    for (const kind of ['networks', 'addresses', 'identities', 'policies', 'namespaces', 'guards']) {
      await grant('--prefix', 'readwrite', `/vetch/${kind}/`);
    }
    await grant('--prefix', 'readwrite', `/vetch/endpoints/${node}/`);
    for (const key of [`nodes/${node}`, `locks/${node}`, `sync/${node}`, 'schema']) {
      await grant('readwrite', `/vetch/${key}`);
    }
    await servers.etcdctl('user', 'add', `${node}:secret-${node}`);
    await servers.etcdctl('user', 'grant-role', node, role);
  }

  beforeAll(async () => {
    servers = await EtcdServers.start();
    await addNode('a');
    await addNode('b');
    await servers.etcdctl('user', 'add', `root:${randomUUID()}`);
    await servers.etcdctl('user', 'grant-role', 'root', 'root');
    await servers.etcdctl('auth', 'enable');
  });
  afterAll(() => servers?.[Symbol.asyncDispose]());

  const open = (node: string, user: string, password = `secret-${user}`) =>
    openPlace(etcdPlace(servers.endpoints, '/vetch'), node, { login: { user, password } });

  test('of a node allows all that its host does', async () => {
    const [a, b] = [await open('a', 'a'), await open('b', 'b')];
    try {
      const witness = await Witness.of(b);
      const network = sampleNetwork(1);
      await a.transaction((writer) => {
        writer.putNetwork(network);
        writer.putAddress(sampleHeld(network, 7));
        writer.putPolicy(samplePolicy(1));
        writer.putIdentity({ number: 1, key: 'a' });
        writer.putNamespace('shop', { team: 'red' });
      });
      a.publish((writer) => writer.putEndpoint(sampleClusterEndpoint('a', 1)));
      await expect.poll(() => witness.records.endpoints.size, patient).toBe(1);
      await b.settled();
      await a.transaction((writer) => {
        writer.deleteAddress(sampleHeld(network, 7));
        writer.deleteNetwork(network.id);
      });
      expect([a.warnings, b.warnings]).toEqual([[], []]);
      // Tokens do not outlive the member that gave them.
      await servers.kill(0);
      servers.startAgain(0);
      await expect.poll(() => [...a.warnings, ...b.warnings], patient).toEqual([]);
      await a.transaction((writer) => writer.putPolicy(samplePolicy(2)));
      await expect.poll(() => witness.records.policies.size, patient).toBe(2);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test('of one node does not let it speak for another', async () => {
    await expect(open('b', 'a')).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('permission'),
    });
  });

  test('is of no use without the password', async () => {
    await expect(open('a', 'a', 'guess')).rejects.toMatchObject({ code: 'INVALID' });
    await expect(openPlace(etcdPlace(servers.endpoints, '/vetch'), 'a')).rejects.toMatchObject({ code: 'INVALID' });
  });
});
