import { expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { Forwarder } from './forwarder.ts';
import { answerReply, rcode, rcodeOf, refusal } from './reply.ts';
import type { Upstream } from './resolv-conf.ts';
import { query } from './testing.ts';

const [first, second]: [Upstream, Upstream] = [
  { address: '192.0.2.1', port: 53 },
  { address: '192.0.2.2', port: 53 },
];
const www = query('www.example.org');
const right = answerReply(www, []);
const failure = refusal(www, rcode.serverFailure);

/** Servers by what they do, and whom was asked. */
function upstreams(behaviour: Readonly<Record<string, Buffer | 'silent'>>) {
  const asked: string[] = [];
  const exchange: Exchange = async (_, { address }) => {
    asked.push(address);
    const reply = behaviour[address];
    if (reply === undefined || reply === 'silent') throw new Error('no answer');
    return reply;
  };
  const forwarder = new Forwarder({ upstreams: () => [first, second], byUdp: exchange, byTcp: exchange });
  return { asked, forwarder };
}

test('the first server that has an answer is the last that is asked', async () => {
  const { asked, forwarder } = upstreams({ [first.address]: right, [second.address]: right });
  expect(await forwarder.forward(www, '10.88.0.2', 'udp')).toEqual({ reply: right });
  expect(asked).toEqual([first.address]);
});

test('a server that is silent, or cannot answer, is passed over', async () => {
  for (const bad of ['silent', failure] as const) {
    const { forwarder } = upstreams({ [first.address]: bad, [second.address]: right });
    expect(await forwarder.forward(www, '10.88.0.2', 'udp')).toEqual({ reply: right });
  }
});

test('a name that a server denies is denied: no other is asked', async () => {
  const denial = refusal(www, rcode.nameError);
  const { asked, forwarder } = upstreams({ [first.address]: denial, [second.address]: right });
  expect(await forwarder.forward(www, '10.88.0.2', 'udp')).toEqual({ reply: denial });
  expect(asked).toEqual([first.address]);
});

test('a question is on its way until what comes before its answer is done', async () => {
  const exchange: Exchange = async () => right;
  const forwarder = new Forwarder({ upstreams: () => [first], byUdp: exchange, most: { total: 2, each: 1 } });
  let done = () => {};
  const before = new Promise<void>((resolve) => (done = resolve));
  const seen: Buffer[] = [];
  const held = forwarder.forward(www, '10.88.0.2', 'udp', (reply) => {
    seen.push(reply);
    return before;
  });
  await expect.poll(() => seen).toEqual([right]);
  expect(await forwarder.forward(www, '10.88.0.2', 'udp')).toBe('overload');
  expect(await forwarder.forward(www, '10.88.0.3', 'udp')).toEqual({ reply: right });
  done();
  expect([await held, forwarder.running]).toEqual([{ reply: right }, 0]);
});

test('three tries are made, and then it is said that they failed', async () => {
  const { asked, forwarder } = upstreams({});
  expect(await forwarder.forward(www, '10.88.0.2', 'udp')).toBe('failed');
  expect(asked).toEqual([first.address, second.address, first.address]);
  const none = new Forwarder({ upstreams: () => [] });
  expect(await none.forward(www, '10.88.0.2', 'udp')).toBe('failed');
});

test('where no server can answer, what the first said is passed on', async () => {
  const { forwarder } = upstreams({ [first.address]: failure, [second.address]: refusal(www, rcode.refused) });
  const forwarded = await forwarder.forward(www, '10.88.0.2', 'udp');
  expect(typeof forwarded === 'object' && rcodeOf(forwarded.reply)).toBe(rcode.serverFailure);
});

test('a cut answer is fetched by TCP for who asked by TCP, and passed on to who asked by UDP', async () => {
  const cut = Buffer.from(right);
  cut.writeUInt8(cut.readUInt8(2) | 2, 2);
  const forwarder = new Forwarder({ upstreams: () => [first], byUdp: async () => cut, byTcp: async () => right });
  expect(await forwarder.forward(www, '10.88.0.2', 'tcp')).toEqual({ reply: right });
  expect(await forwarder.forward(www, '10.88.0.2', 'udp')).toEqual({ reply: cut });
});

test('no more questions are on their way than may be, for one container and in all, and each gives its place back', async () => {
  const waiting: (() => void)[] = [];
  const byUdp: Exchange = () => new Promise((resolve) => waiting.push(() => resolve(right)));
  const forwarder = new Forwarder({ upstreams: () => [first], byUdp, most: { total: 3, each: 2 } });
  const results = ['a', 'a', 'a', 'b', 'b'].map((source) => forwarder.forward(www, source, 'udp'));
  expect([await results[2], await results[4]]).toEqual(['overload', 'overload']);
  expect(forwarder.running).toBe(3);
  for (const answer of waiting) answer();
  await Promise.all(results);
  expect(forwarder.running).toBe(0);
  const again = forwarder.forward(www, 'a', 'udp');
  waiting.at(-1)?.();
  expect(await again).toEqual({ reply: right });
});

test('by default a container has 64 questions on their way, and four that flood leave most places free', async () => {
  const waiting: (() => void)[] = [];
  const byUdp: Exchange = () => new Promise((resolve) => waiting.push(() => resolve(right)));
  const forwarder = new Forwarder({ upstreams: () => [first], byUdp });
  const asked = ['a', 'b', 'c', 'd'].flatMap((source) =>
    Array.from({ length: 300 }, () => forwarder.forward(www, source, 'udp')),
  );
  expect(forwarder.running).toBe(4 * 64);
  const other = forwarder.forward(www, 'e', 'udp');
  for (const answer of waiting) answer();
  expect(await other).toEqual({ reply: right });
  await Promise.all(asked);
});
