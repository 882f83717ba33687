import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MapView } from '../../src/api/schemas/map.ts';
import type { Host } from './host.ts';
import { counted, type Ends, Held, play } from './joined.ts';
import { Lab } from './lab.ts';

// TCP from socket to socket, on a network with vetch.accelerate=latency, beside one without.

let lab: Lab;
let host: Host;

const fast: Ends = { server: 'shop', client: 'till', address: '10.88.0.2' };
const fast6: Ends = { ...fast, address: 'fd00:88::2' };
const plain: Ends = { server: 'stall', client: 'purse', address: '10.89.0.2' };

beforeAll(async () => {
  lab = await Lab.create({ clients: [] });
  host = lab.host();
  const option = ['--opt', 'vetch.accelerate=latency'];
  await host.vetch('network', 'create', 'fast', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64', ...option);
  await host.vetch('network', 'create', 'plain', '--subnet', '10.89.0.0/16');
  for (const name of ['shop', 'till']) await host.attach('fast', name);
  for (const name of ['stall', 'purse']) await host.attach('plain', name);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const inMap = async (name: string) =>
  (await host.vetch<MapView[]>('maps', 'ls')).find((map) => map.name === name)?.entries;

test.each([fast, fast6])('every message of a dialogue goes from socket to socket: %o', async (ends) => {
  const { answer, ...counts } = await counted(host, () => play(host, ends, 'echo'));
  expect(answer).toEqual({ right: 100 });
  expect(counts).toEqual({ joined: 2, unjoined: 0, bypassed: 200, declined: 0 });
});

test('a socket of IPv6 that takes IPv4 is joined like any other', async () => {
  const { answer, ...counts } = await counted(host, () => play(host, fast, 'echo', { DUAL: '1' }));
  expect(answer).toEqual({ right: 100 });
  expect(counts).toEqual({ joined: 2, unjoined: 0, bypassed: 200, declined: 0 });
});

test('multipath TCP stays on the stack', async () => {
  const { answer, ...counts } = await counted(host, () => play(host, fast, 'echo', { PROTOCOL: '262' }));
  expect(answer).toEqual({ right: 100 });
  expect(counts).toEqual({ joined: 0, unjoined: 0, bypassed: 0, declined: 0 });
});

test('without the option nothing does', async () => {
  const { answer, ...counts } = await counted(host, () => play(host, plain, 'echo'));
  expect(answer).toEqual({ right: 100 });
  expect(counts).toEqual({ joined: 0, unjoined: 0, bypassed: 0, declined: 0 });
});

test.each([fast, fast6])(
  'what takes turns by the socket and by the stack arrives whole and in order: %o',
  async (ends) => {
    // Each way a thousand times, as they alternate at random: how long that takes is the scheduler's to say.
    const sums = { bypassed: 0, declined: 0 };
    for (let run = 0; run < 10 && Math.min(sums.bypassed, sums.declined) <= 1000; run++) {
      const { answer, bypassed, declined } = await counted(host, () => play(host, ends, 'juggle', { STEPS: '40000' }));
      expect(answer).toMatchObject({ whole: true });
      sums.bypassed += bypassed;
      sums.declined += declined;
    }
    expect(sums.bypassed).toBeGreaterThan(1000);
    expect(sums.declined).toBeGreaterThan(1000);
  },
);

test('what two threads pour into a connection, and two others read as they like, arrives whole', async () => {
  const { answer, bypassed } = await counted(host, () => play(host, fast, 'stream', { SECONDS: '4' }));
  expect(answer).toMatchObject({ whole: [true, true] });
  expect(bypassed).toBeGreaterThan(1000);
});

test('what one thread reads in large pieces, while another writes to the same socket, arrives whole', async () => {
  const { answer, bypassed, declined } = await counted(host, () => play(host, fast, 'records', { SECONDS: '6' }));
  expect(answer).toEqual({ whole: true });
  expect(bypassed).toBeGreaterThan(0);
  expect(declined).toBeGreaterThan(1000);
});

test.each(['50', '1000', '60000'])('who does not read stops who writes, by pieces of %s bytes', async (PIECE) => {
  const { sent, room, whole, seconds } = await play<Record<'sent' | 'room' | 'seconds', number> & { whole: boolean }>(
    host,
    fast,
    'full',
    { PIECE },
  );
  expect(whole).toBe(true);
  // A last piece may be larger than what is left
  expect(sent).toBeLessThan(1.25 * room);
  expect(seconds).toBeLessThan(5);
});

test.each([
  'half_close',
  'reset',
  'sendfile',
  'splice_into',
  'peek',
  'readiness',
  'times',
  'keepalive',
  'churn',
  'reconnect',
])('a program sees no difference: %s', async (scenario) => {
  const expected = await play(host, plain, scenario);
  const { answer, joined } = await counted(host, () => play(host, fast, scenario));
  expect(answer).toEqual(expected);
  expect(joined).toBeGreaterThan(0);
});

// What docs/accelerate.md says is not kept.
test('a program that reads by splice does not see what went from socket to socket', async () => {
  expect(await play(host, fast, 'splice_from')).toEqual({ answer: 'EAGAIN', readable: true });
});
test('who lends memory to a write is not told that it is his again', async () => {
  expect(await play(host, plain, 'zero_copy')).toEqual({ sent: 50_000, told: 1 });
  expect(await play(host, fast, 'zero_copy')).toEqual({ sent: 50_000, told: 'timeout' });
});
test('a byte of urgent data arrives in its place among the others', async () => {
  expect(await play(host, fast, 'urgent')).toMatchObject({ sent: 1, rest: ['b!cd'] });
});
test('who closes without having read all ends the connection as one who has', async () => {
  expect(await play(host, fast, 'close_unread')).toEqual({ got: ['', 4, 'EPIPE'] });
});
test('MSG_WAITALL answers with what there is, and never waits for what has come another way', async () => {
  expect(await play(host, plain, 'wait_all')).toEqual({ got: [4, 200_003] });
  expect(await play(host, fast, 'wait_all')).toEqual({ got: [1, 200_003] });
  // Nor where he is the last of many
  expect(await play(host, fast, 'wait_all', { POLLERS: '20' })).toEqual({ got: [1, 200_003] });
});

test('sockets leave the map when they close', async () => {
  await play(host, fast, 'churn');
  expect(await inMap('joined')).toBe(0);
  {
    await using held = await Held.open(host, fast);
    await held.exchange('here');
    expect(await inMap('joined')).toBe(2);
  }
  // Killed, with all that it had open
  expect(await inMap('joined')).toBe(0);
});

test('a flow keeps its entry, which counts its messages and their bytes', async () => {
  await using held = await Held.open(host, fast);
  const { bypassed } = await counted(host, async () => {
    for (let n = 0; n < 10; n++) expect(await held.exchange('x'.repeat(100))).toMatchObject({ there: 'x'.repeat(100) });
  });
  expect(bypassed).toBe(20);
  expect(await inMap('joined')).toBe(2);
  expect(await host.vetch('maps', 'dump', 'joined')).toMatchObject({ entries: [{}, {}] });
  const flows = await host.vetch<{ bytes: number; packets: number; state: string }[]>(
    'conntrack',
    'ls',
    '--network',
    'fast',
  );
  expect(flows.some(({ bytes, packets, state }) => state === 'ESTABLISHED' && bytes >= 2000 && packets >= 20)).toBe(
    true,
  );
});

test('a permission that is taken back stops the live connection, and given again lets it go on', async () => {
  await using held = await Held.open(host, fast);
  expect(await held.exchange('allowed')).toEqual({ there: 'allowed', back: 'allowed' });
  const document = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: fast}
spec: {podSelector: {}, policyTypes: [Ingress]}`;
  await host.must('sh', '-c', `cat > /run/closed.yaml <<E\n${document}\nE`);
  await host.vetch('policy', 'apply', '-f', '/run/closed.yaml');
  expect(await held.exchange('refused')).toEqual({ there: 'timeout', back: 'timeout' });
  expect(await host.drops('POLICY_DENIED')).toBeGreaterThan(0);
  await host.vetch('policy', 'delete', '-n', 'fast', 'closed');
  // What was refused is sent again by the stack, and read first
  await expect.poll(async () => (await held.exchange('again')).there, { timeout: 20_000 }).toBe('again');
  await expect
    .poll(async () => (await counted(host, () => held.exchange('fast'))).bypassed, { timeout: 20_000 })
    .toBe(2);
});

test('a change of policy that keeps the permission costs a message its way, and none is lost', async () => {
  await using held = await Held.open(host, fast);
  await host.vetch('endpoint', 'label', 'fast/shop', 'tier=front');
  await host.vetch('endpoint', 'label', 'fast/shop', 'tier=back');
  for (let n = 0; n < 5; n++) expect(await held.exchange(`m${n}`)).toEqual({ there: `m${n}`, back: `m${n}` });
  expect((await counted(host, () => held.exchange('fast'))).bypassed).toBe(2);
});

test('what is given a limit goes by the stack from then on, where it is counted', async () => {
  await using held = await Held.open(host, fast);
  expect((await counted(host, () => held.exchange('free'))).bypassed).toBe(2);
  await host.vetch('endpoint', 'label', 'fast/till', 'vetch.rate.egress=10Mbit');
  expect(await counted(host, () => held.exchange('limited'))).toMatchObject({
    answer: { there: 'limited', back: 'limited' },
    bypassed: 0,
    declined: 2,
  });
  await host.vetch('endpoint', 'label', 'fast/till', 'vetch.rate.egress-');
  expect((await counted(host, () => held.exchange('free again'))).bypassed).toBe(2);
});

test('connections go on without the daemon, and begin without it', async () => {
  await using held = await Held.open(host, fast);
  await host.stopDaemon('SIGKILL');
  expect(await held.exchange('alone')).toEqual({ there: 'alone', back: 'alone' });
  expect(await play(host, fast, 'echo')).toEqual({ right: 100 });
  await host.start();
  expect(await held.exchange('again')).toEqual({ there: 'again', back: 'again' });
  expect((await counted(host, () => held.exchange('fast'))).bypassed).toBe(2);
});

test('the address of an endpoint is not enough: in a namespace of one’s own nothing is joined', async () => {
  await host.ip('link add forged0 type veth peer name forged1', 'netns add forged0', 'netns add forged1');
  for (const [index, name] of ['forged0', 'forged1'].entries()) {
    await host.ip(`link set ${name} netns ${name}`);
    await host.must('ip', '-n', name, 'address', 'add', `10.88.0.${2 + index}/24`, 'dev', name);
    await host.must('ip', '-n', name, 'link', 'set', name, 'up');
  }
  const forged = { ...fast, server: 'forged0', client: 'forged1' };
  const { answer, joined } = await counted(host, () => play(host, forged, 'echo'));
  expect(answer).toEqual({ right: 100 });
  expect(joined).toBe(0);
});

test('an endpoint that is detached is cut off in the middle of a connection', async () => {
  await host.attach('fast', 'guest');
  const guest = { ...fast, client: 'guest' };
  await using held = await Held.open(host, guest);
  expect(await held.exchange('here')).toEqual({ there: 'here', back: 'here' });
  await host.vetch('endpoint', 'detach', 'fast/guest');
  expect(await held.exchange('gone')).toEqual({ there: 'timeout', back: 'timeout' });
});

test('an endpoint of a network with the option may be without it', async () => {
  await host.attach('fast', 'proxy', '--opt', 'vetch.accelerate=off');
  const { answer, joined } = await counted(host, () => play(host, { ...fast, client: 'proxy' }, 'echo'));
  expect(answer).toEqual({ right: 100 });
  expect(joined).toBe(0);
});

test('what finds the map full stays on the stack, and is counted', async () => {
  await using held = await Held.open(host, fast);
  await host.stopDaemon();
  await host.must('sh', '-c', 'echo "map-sizes: { joined: 1 }" > /run/small.yaml');
  expect(await host.uninstall()).toContain('pin');
  // Whatever was joined needs the devices by now
  expect(await held.exchange('cut off')).toEqual({ there: 'timeout', back: 'timeout' });
  await host.start('--config', '/run/small.yaml');
  const { answer, joined, unjoined, bypassed } = await counted(host, () => play(host, fast, 'echo'));
  expect(answer).toEqual({ right: 100 });
  expect({ joined, unjoined, bypassed }).toEqual({ joined: 1, unjoined: 1, bypassed: 0 });
});

test('on a kernel that has not what it needs all stays on the stack, and the status says so', async () => {
  await using without = await Lab.create({ clients: [], start: false });
  const old = without.host();
  await old.must('mount', '-t', 'tmpfs', 'tmpfs', '/sys/kernel/btf');
  await old.start();
  await old.vetch('network', 'create', 'fast', '--subnet', '10.88.0.0/16', '--opt', 'vetch.accelerate=latency');
  for (const name of ['shop', 'till']) await old.attach('fast', name);
  const { answer, joined } = await counted(old, () => play(old, fast, 'echo'));
  expect(answer).toEqual({ right: 100 });
  expect(joined).toBe(0);
  expect((await old.status()).warnings).toContainEqual(
    expect.stringMatching(/^vetch.accelerate=latency has no effect/),
  );
});
