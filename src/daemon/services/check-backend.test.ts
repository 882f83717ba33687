import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { checkBackend } from './check-backend.ts';

const servers: (Server | HttpServer)[] = [];
const signal = new AbortController().signal;

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Gives the port. */
function listen(server: Server | HttpServer): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

test.each([
  [200, true],
  [302, true],
  [404, false],
  [503, false],
])('a reply with the status %i is healthy: %s', async (status, healthy) => {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status).end('x'.repeat(1_000_000));
  });
  expect(await checkBackend({ path: '/healthz' }, '127.0.0.1', await listen(server), signal)).toBe(healthy);
  expect(asked).toEqual(['GET /healthz']);
});

test('who takes the connection and never replies is healthy for TCP alone', async () => {
  const port = await listen(createServer((socket) => socket.on('error', () => undefined).unref()));
  expect(await checkBackend({}, '127.0.0.1', port, signal)).toBe(true);
  expect(await checkBackend({ path: '/' }, '127.0.0.1', port, signal)).toBe(false);
});

test('a port at which nobody listens is not healthy', async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  servers.length = 0;
  expect(await checkBackend({}, '127.0.0.1', port, signal)).toBe(false);
  expect(await checkBackend({ path: '/' }, '127.0.0.1', port, signal)).toBe(false);
});

test('what speaks no HTTP is not healthy', async () => {
  const port = await listen(createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n')));
  expect(await checkBackend({ path: '/' }, '127.0.0.1', port, signal)).toBe(false);
});

test.each([
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\n\r\n',
])('who answers with %j and ends is not healthy', async (reply) => {
  const port = await listen(createServer((socket) => socket.on('error', () => undefined).end(reply)));
  expect(await checkBackend({ path: '/' }, '127.0.0.1', port, signal)).toBe(false);
});

test('a check that is given up ends at once', async () => {
  const port = await listen(createServer((socket) => socket.on('error', () => undefined).unref()));
  const stop = new AbortController();
  const checked = checkBackend({ path: '/' }, '127.0.0.1', port, stop.signal);
  stop.abort();
  expect(await checked).toBe(false);
});
