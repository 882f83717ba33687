import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, streamDecode } from 'dns-packet';
import { expect, test, vi } from 'vitest';
import { framed } from './exchange.ts';
import { type ServingTcp, serveTcp } from './tcp-server.ts';
import { loopback, packet } from './testing.ts';

/** So many addresses make an answer of 48 KB. */
const addresses = Array.from({ length: 3000 }, (_, index) => `10.88.${index >> 8}.${index & 0xff}`);
/** Their answers are four times what the kernel holds for a connection that nobody reads. */
const queries = 400;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function open(port: number): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  return client;
}

/** Sends all queries at once, and waits until the resolver answers no more of them. */
async function pipeline(client: Socket, { resolver }: ServingTcp): Promise<number> {
  for (let id = 0; id < queries; id++) client.write(framed(packet('shop', 'A', id)));
  for (let before = -1; ; ) {
    await delay(300);
    const { answered } = resolver.counts;
    if (answered > 0 && answered === before) return answered;
    before = answered;
  }
}

test('who asks and reads nothing is asked for nothing more, and gets every answer in order once it reads', async () => {
  const serving = loopback(addresses, await freePort());
  const server = await serveTcp(serving);
  const client = await open(serving.port);
  expect(await pipeline(client, serving)).toBeLessThan(queries / 2);
  let received = Buffer.alloc(0);
  const ids: number[] = [];
  for await (const piece of client as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, piece]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const length = 2 + received.readUInt16BE(0);
      if (ids.length === 0) expect(streamDecode(received.subarray(0, length)).answers).toHaveLength(addresses.length);
      ids.push(received.readUInt16BE(2));
      received = received.subarray(length);
    }
    if (ids.length === queries) break;
  }
  expect(ids).toEqual(Array.from({ length: queries }, (_, id) => id));
  await server.close();
});

test('who asks and never reads is hung up on', async () => {
  const serving = { ...loopback(addresses, await freePort()), idleMs: 1000 };
  const server = await serveTcp(serving);
  const client = await open(serving.port);
  client.on('error', () => {});
  const answered = await pipeline(client, serving);
  await delay(2500);
  const ended = once(client, 'close', { signal: AbortSignal.timeout(5000) });
  client.resume();
  await ended;
  expect(serving.resolver.counts.answered).toBe(answered);
  expect(answered).toBeLessThan(queries / 2);
  await server.close();
});

test('of the queries of one connection one is on its way at a time', async () => {
  const serving = loopback([], await freePort());
  let [running, most, done] = [0, 0, 0];
  vi.spyOn(serving.resolver, 'answer').mockImplementation(async (query) => {
    most = Math.max(most, ++running);
    await delay(5);
    running--;
    done++;
    return query;
  });
  const server = await serveTcp(serving);
  const client = await open(serving.port);
  client.resume();
  client.write(Buffer.concat(Array.from({ length: 20 }, (_, id) => framed(packet('www.example.org', 'A', id)))));
  await expect.poll(() => done).toBe(20);
  expect(most).toBe(1);
  client.destroy();
  await server.close();
});

test('what goes wrong with one query is told and ends its connection, and the next is answered', async () => {
  const serving = loopback(['10.88.0.2'], await freePort());
  const server = await serveTcp(serving);
  for (const broken of ['admits', 'answer'] as const) {
    vi.spyOn(serving.resolver, broken).mockImplementationOnce(() => {
      throw new Error(broken);
    });
    const client = await open(serving.port);
    client.on('error', () => {}).resume();
    client.write(framed(packet('shop')));
    await once(client, 'close', { signal: AbortSignal.timeout(5000) });
    expect(String(serving.faults.at(-1))).toBe(`Error: ${broken}`);
    const next = await open(serving.port);
    next.write(framed(packet('shop')));
    const [reply] = await once(next, 'data', { signal: AbortSignal.timeout(5000) });
    expect(decode(reply.subarray(2)).answers).toMatchObject([{ data: '10.88.0.2' }]);
    next.destroy();
  }
  await server.close();
});
