import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decode } from 'dns-packet';
import { expect, test, vi } from 'vitest';
import { loopback, packet } from './testing.ts';
import { answerPacket, serveUdp } from './udp-server.ts';

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function ask(client: Socket, port: number): Promise<unknown> {
  const reply = once(client, 'message', { signal: AbortSignal.timeout(5000) });
  client.send(packet('shop'), port, '127.0.0.1');
  const [bytes] = await reply;
  return decode(bytes).answers?.map((answer) => 'data' in answer && answer.data);
}

test('a query from port 0 is passed over: no answer can be sent there', async () => {
  const serving = loopback(['10.88.0.2'], 0);
  const socket = await bound();
  const send = vi.spyOn(socket, 'send');
  await answerPacket(serving, packet('shop'), { address: '127.0.0.1', port: 0 }, () => socket);
  expect(serving.faults).toEqual([]);
  expect(serving.resolver.counts).toMatchObject({ malformed: 1, answered: 0 });
  expect(send).not.toHaveBeenCalled();
  await answerPacket(serving, packet('shop'), { address: '127.0.0.1', port: socket.address().port }, () => socket);
  expect(send).toHaveBeenCalledOnce();
  socket.close();
});

test('what goes wrong with one query is told, and the next is answered', async () => {
  const [free, client] = [await bound(), await bound()];
  const { port } = free.address();
  free.close();
  await once(free, 'close');
  const serving = loopback(['10.88.0.2'], port);
  const server = await serveUdp(serving);
  for (const broken of ['admits', 'answer'] as const) {
    vi.spyOn(serving.resolver, broken).mockImplementationOnce(() => {
      throw new Error(broken);
    });
    client.send(packet('shop'), port, '127.0.0.1');
    await expect.poll(() => String(serving.faults.at(-1))).toBe(`Error: ${broken}`);
    expect(await ask(client, port)).toEqual(['10.88.0.2']);
  }
  client.close();
  await server.close();
});
