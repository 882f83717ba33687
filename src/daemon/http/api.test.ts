import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiHost } from '../../../test/api/api-host.ts';
import { networkView } from '../../api/schemas/network.ts';

let host: ApiHost;
beforeEach(async () => {
  host = await ApiHost.start();
});
afterEach(() => host[Symbol.asyncDispose]());

const refused = (code: string, message: unknown = expect.any(String)) => ({
  error: { code, message, hint: expect.stringMatching(/./) },
});

test('a network is created, found by name and by a prefix of its id, and removed', async () => {
  const created = await host.call('POST', '/v1/networks', { name: 'web', options: { 'vetch.host-access': 'true' } });
  expect(created.status).toBe(201);
  const network = networkView.parse(created.body);
  expect((await host.call('GET', `/v1/networks/${network.id.slice(0, 8)}`)).body).toEqual(network);
  expect((await host.call('GET', '/v1/networks')).body).toEqual([network]);
  const removed = await host.call('DELETE', '/v1/networks/web');
  expect([removed.status, removed.text]).toEqual([204, '']);
  expect((await host.call('GET', '/v1/networks')).body).toEqual([]);
});

test('a refusal has its code, a fitting status and a hint', async () => {
  await host.call('POST', '/v1/networks', { name: 'web' });
  const again = await host.call('POST', '/v1/networks', { name: 'web' });
  expect([again.status, again.body]).toEqual([409, refused('ALREADY_EXISTS', 'network web exists')]);
  const missing = await host.call('GET', '/v1/networks/none');
  expect([missing.status, missing.body]).toEqual([404, refused('NOT_FOUND', 'there is no network none')]);
});

test.each([
  ['a bad prefix', { name: 'a', subnets: ['10.0.0.0/33'] }, 'subnets[0] is "10.0.0.0/33"'],
  ['a number out of range', { name: 'a', mtu: 1 }, 'mtu is 1'],
  ['a missing field', {}, 'name is missing'],
  ['an unknown field', { name: 'a', subnet: '10.0.0.0/8' }, 'unknown field "subnet"'],
  ['a name with a slash', { name: 'a/b' }, 'name is "a/b"'],
  ['a field of another type', { name: 'a', internal: 'yes' }, 'internal is "yes"'],
  ['a key that no option has', { name: 'a', options: { 'a b': 'c' } }, 'options.a b is "c"'],
  ['a list where an object belongs', [], 'the request has no readable body'],
])('a request with %s names it', async (_, body, message) => {
  const answer = await host.call('POST', '/v1/networks', body);
  expect([answer.status, answer.body]).toEqual([400, refused('INVALID', message)]);
  expect(host.operations.networks.size).toBe(0);
});

test.each([
  ['no body', undefined],
  ['an empty body', ''],
  ['text that is not JSON', '{"name":'],
  ['a key that would change every object', '{"__proto__": {"name": "a"}}'],
])('%s is refused as unreadable', async (_, body) => {
  const answer = await host.call('POST', '/v1/networks', body);
  expect([answer.status, answer.body]).toEqual([400, refused('INVALID')]);
});

test('another content type is refused, and so is a body beyond the limit', async () => {
  const xml = await host.call('POST', '/v1/networks', '<name/>', { 'content-type': 'text/xml' });
  expect([xml.status, xml.body]).toEqual([415, refused('INVALID')]);
  const large = await host.call('POST', '/v1/networks', { name: 'a'.repeat(2 * 1024 * 1024) });
  expect([large.status, large.body]).toEqual([413, refused('INVALID')]);
});

test.each([
  ['GET', '/v1/nothing'],
  ['GET', '/'],
  ['PUT', '/v1/networks'],
  ['GET', '/v2/networks'],
])('%s %s is NOT_FOUND in the same form', async (method, path) => {
  const answer = await host.call(method, path);
  expect([answer.status, answer.body]).toEqual([404, refused('NOT_FOUND', `there is no ${method} ${path}`)]);
});

test('a path that cannot be decoded is refused', async () => {
  const answer = await host.call('GET', '/v1/networks/%zz');
  expect([answer.status, answer.body]).toEqual([400, refused('INVALID')]);
});

test('what is thrown without a code is INTERNAL, with its own advice when it has some', async () => {
  host.operations.status = async () => {
    throw Object.assign(new Error('setns of /run/netns/a:\n  EPERM'), { hint: 'run as root' });
  };
  const answer = await host.call('GET', '/v1/status');
  expect([answer.status, answer.body]).toEqual([
    500,
    { error: { code: 'INTERNAL', message: 'setns of /run/netns/a: EPERM', hint: 'run as root' } },
  ]);
});

test('a reference may hold slashes, colons and a long label', async () => {
  await host.call('POST', '/v1/networks', { name: 'web' });
  await host.call('POST', '/v1/endpoints', { network: 'web', netns: '/run/netns/c1', name: 'c1' });
  const named = await host.call('GET', `/v1/endpoints/${encodeURIComponent('web/c1')}`);
  expect(named.body).toMatchObject({ name: 'c1', network: 'web' });
  const byAddress = await host.call('GET', `/v1/endpoints/${encodeURIComponent('10.88.0.2/16')}`);
  expect(byAddress.body).toMatchObject({ name: 'c1' });
  const label = `label:${'k'.repeat(300)}=${'v'.repeat(60)}`;
  expect((await host.call('GET', `/v1/endpoints/${encodeURIComponent(label)}`)).body).toEqual(
    refused('NOT_FOUND', expect.stringContaining(label)),
  );
});

test('a port is published once and taken back by its spec', async () => {
  await host.call('POST', '/v1/networks', { name: 'web' });
  await host.call('POST', '/v1/endpoints', { network: 'web', netns: '/run/netns/c1', name: 'c1' });
  const published = await host.call('POST', '/v1/endpoints/c1/ports', { spec: '8080:80' });
  expect([published.status, published.body]).toEqual([201, [expect.objectContaining({ hostPort: 8080, port: 80 })]]);
  const again = await host.call('POST', '/v1/endpoints/c1/ports', { spec: '8080:80' });
  const words = 'Bind for 0.0.0.0:8080 failed: port is already allocated';
  expect([again.status, again.body]).toEqual([409, refused('PORT_ALLOCATED', words)]);
  const taken = await host.call('DELETE', '/v1/endpoints/c1/ports?spec=8080%3A80');
  expect([taken.status, taken.body]).toEqual([200, published.body]);
  expect((await host.call('GET', '/v1/ports')).body).toEqual([]);
});

test('an endpoint cannot be called world, host or lo', async () => {
  const attach = (more: object) =>
    host.call('POST', '/v1/endpoints', { network: 'web', netns: '/run/netns/c1', ...more });
  expect((await attach({ name: 'world' })).body).toEqual(refused('INVALID', 'name is "world"'));
  expect((await attach({ ifname: 'lo' })).body).toEqual(refused('INVALID', 'ifname is "lo"'));
  expect((await attach({ ifname: 'a/b' })).body).toEqual(refused('INVALID', 'ifname is "a/b"'));
  expect((await attach({ netns: 'relative' })).body).toEqual(refused('INVALID', 'netns is "relative"'));
});

test('a trace is asked for by ends or by packet, and a half of each is refused by what it lacks', async () => {
  const ends = await host.call('POST', '/v1/trace', { from: 'a', to: 'b', port: '80/tcp' });
  expect(ends.body).toMatchObject({ verdict: 'DROPPED', reason: 'ISOLATED' });
  const half = await host.call('POST', '/v1/trace', { from: 'a', to: 'b' });
  expect(half.body).toEqual(refused('INVALID', 'port is missing'));
  const nowhere = await host.call('POST', '/v1/trace', { packet: 'ff'.repeat(14), at: 'nowhere' });
  expect(nowhere.body).toEqual(refused('INVALID', 'at is "nowhere"'));
});

test('filters of conntrack come as flags, once or several times', async () => {
  const both = await host.call('GET', '/v1/conntrack?state=ESTABLISHED&state=closing');
  expect(both.body).toHaveLength(2);
  expect((await host.call('GET', '/v1/conntrack?port=0')).body).toEqual(refused('INVALID', 'port[0] is "0"'));
  expect((await host.call('DELETE', '/v1/conntrack?state=CLOSING')).body).toEqual({ flushed: 1 });
  expect((await host.call('GET', '/v1/conntrack')).body).toHaveLength(1);
});

test('the deny list takes 100,000 prefixes in one request, and gives them back', async () => {
  const cidrs = Array.from(
    { length: 100_000 },
    (_, i) => `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::/64`,
  );
  const added = await host.call('POST', '/v1/deny', { cidrs });
  expect(added.status).toBe(200);
  const listed = await host.call('GET', '/v1/deny');
  expect(listed.body).toHaveLength(100_000);
  const bad = await host.call('POST', '/v1/deny', { cidrs: ['192.0.2.0/24', '192.0.2.0/99'] });
  expect(bad.body).toEqual(refused('INVALID', 'cidrs[1] is "192.0.2.0/99"'));
});

test('a map is dumped entry by entry, with 64-bit numbers kept exact', async () => {
  const dump = await host.call('GET', '/v1/maps/endpoints');
  expect(dump.body).toEqual({
    name: 'endpoints',
    bpftool: 'bpftool map dump pinned /sys/fs/bpf/vetch/v1/maps/endpoints',
    entries: [
      { key: { network: 1, addr: '10.88.0.2' }, value: { number: 1, packets: 7, huge: '9223372036854775808' } },
    ],
  });
  expect((await host.call('GET', '/v1/maps/none')).status).toBe(404);
});

test('metrics are text on the same socket', async () => {
  const metrics = await host.call('GET', '/metrics');
  expect(metrics.text).toBe('# TYPE vetch_endpoints gauge\nvetch_endpoints 0\n');
  expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
});
