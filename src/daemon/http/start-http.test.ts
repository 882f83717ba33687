import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiHost } from '../../../test/api/api-host.ts';
import { groupId } from './socket.ts';

let host: ApiHost;
beforeEach(() => {
  host = new ApiHost();
});
afterEach(() => host[Symbol.asyncDispose]());

test('the socket is for root and the group alone, and its directory is made', async () => {
  await host.serve();
  const stat = statSync(host.socketPath);
  expect(stat.isSocket()).toBe(true);
  expect((stat.mode & 0o777).toString(8)).toBe('660');
  expect(stat.gid).toBe(groupId('vetch') ?? process.getgid?.());
});

test('the socket goes to the group when there is one', async () => {
  if (process.getuid?.() !== 0) return; // only root may give a file away
  await host.serve({ group: 'daemon' });
  expect(statSync(host.socketPath).gid).toBe(groupId('daemon'));
});

test('closing takes the socket away', async () => {
  await host.serve();
  await host.close();
  expect(existsSync(host.socketPath)).toBe(false);
});

test('a socket that a killed daemon left is replaced', async () => {
  mkdirSync(dirname(host.socketPath), { recursive: true });
  const code = `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`;
  const dead = spawn(process.execPath, ['-e', code, host.socketPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(dead.stdout, 'data');
  dead.kill('SIGKILL');
  await once(dead, 'exit');
  expect(existsSync(host.socketPath)).toBe(true);
  await host.serve();
  expect((await host.call('GET', '/v1/status')).status).toBe(200);
});

test('a socket that somebody answers on is left alone', async () => {
  mkdirSync(dirname(host.socketPath), { recursive: true });
  const other = createServer().listen(host.socketPath);
  await once(other, 'listening');
  await expect(host.serve()).rejects.toMatchObject({ code: 'IN_USE' });
  expect(existsSync(host.socketPath)).toBe(true);
  await new Promise((resolve) => other.close(resolve));
});

test('a file in the place of the socket is left alone', async () => {
  mkdirSync(dirname(host.socketPath), { recursive: true });
  writeFileSync(host.socketPath, 'mine');
  await expect(host.serve()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
});

test('a path that no socket can have is refused with its limit', async () => {
  await expect(host.serve({ socketPath: `/tmp/${'a'.repeat(120)}` })).rejects.toMatchObject({ code: 'INVALID' });
});

test('metrics are served by TCP when asked, and nothing else is', async () => {
  const { metrics } = await host.serve({ metrics: { host: '127.0.0.1', port: 0 } });
  const base = `http://127.0.0.1:${metrics?.port}`;
  const answer = await fetch(`${base}/metrics`);
  expect(await answer.text()).toContain('vetch_endpoints 0');
  expect((await fetch(`${base}/v1/networks`)).status).toBe(404);
});

test('an address for metrics that is taken is named, and nothing listens then', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const message = `127.0.0.1:${port} for metrics is taken`;
  await expect(host.serve({ metrics: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'IN_USE', message });
  expect(existsSync(host.socketPath)).toBe(false);
  await new Promise((resolve) => other.close(resolve));
});
