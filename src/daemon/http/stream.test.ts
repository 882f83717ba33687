import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiHost, until } from '../../../test/api/api-host.ts';
import { eventOf } from '../../../test/api/memory-operations.ts';
import { flowView } from '../../api/schemas/flow.ts';

let host: ApiHost;
beforeEach(async () => {
  host = await ApiHost.start();
});
afterEach(() => host[Symbol.asyncDispose]());

test('flows are one object a line, and the stream ends by itself without follow', async () => {
  host.operations.held = [eventOf(80, 'FORWARDED'), eventOf(81, 'DROPPED', 'SPOOFED')];
  const answer = await host.call('GET', '/v1/flows?verdict=dropped');
  expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
  const lines = answer.text.trimEnd().split('\n');
  expect(lines.map((line) => flowView.parse(JSON.parse(line)))).toEqual([eventOf(81, 'DROPPED', 'SPOOFED')]);
});

test('the query arrives with its filters, those that are turned around apart', async () => {
  const since = '2026-01-31T12:00:00Z';
  await host.call(
    'GET',
    `/v1/flows?last=5&since=${since}&port=80&port=443&protocol=TCP&not.from=web%2Fc1&not.reason=spoofed`,
  );
  const none = { verdict: [], reason: [], from: [], to: [], port: [], protocol: [], network: [] };
  expect(host.operations.lastFlowQuery).toEqual({
    follow: false,
    last: 5,
    since,
    include: { ...none, port: [80, 443], protocol: ['tcp'] },
    exclude: { ...none, from: ['web/c1'], reason: ['SPOOFED'] },
  });
});

test.each([
  ['last=-1', 'last is "-1"'],
  ['since=yesterday', 'since is "yesterday"'],
  ['verdict=MAYBE', 'verdict[0] is "MAYBE"'],
  ['not.port=x', 'not.port[0] is "x"'],
  ['follow=perhaps', 'follow is "perhaps"'],
  ['colour=red', 'unknown field "colour"'],
])('%s is refused by name', async (query, message) => {
  const answer = await host.call('GET', `/v1/flows?${query}`);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ error: { code: 'INVALID', message } });
});

test('a filter that names nobody is refused before the stream begins', async () => {
  const answer = await host.call('GET', '/v1/flows?follow=true&from=nobody');
  expect([answer.status, answer.body]).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
});

test('a failure on the way is the last line', async () => {
  host.operations.held = [eventOf(80, 'FORWARDED')];
  host.operations.followEveryMs = 150;
  const answer = await host.call('GET', '/v1/flows?follow=true&to=breaks');
  expect(answer.status).toBe(200);
  const last = answer.text.trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse(last)).toEqual({ error: { code: 'UNAVAILABLE', message: 'the ring is gone', hint: 'restart' } });
});

test('a follower gets its headers though nothing happens yet, and its leaving ends the iterator', async () => {
  host.operations.followEveryMs = 400;
  const response = await follow();
  expect(response.statusCode).toBe(200);
  expect(host.operations.followers).toBe(1);
  response.destroy();
  await until('the follower is gone', () => host.operations.followers === 0);
});

test('a client that leaves before the first line ends the iterator too', async () => {
  for (let round = 0; round < 10; round += 1) {
    const sent = request({ socketPath: host.socketPath, path: '/v1/flows?follow=true', agent: false });
    sent.on('error', () => {});
    sent.end();
    await delay(round);
    sent.destroy();
  }
  await until(
    'every follower is gone',
    () => host.operations.lastFlowQuery !== undefined && host.operations.followers === 0,
  );
  await delay(150);
  expect(host.operations.followers).toBe(0);
});

test('a follower that does not read holds back the source', async () => {
  host.operations.followEveryMs = 0;
  const response = await follow();
  response.pause();
  let before = -1;
  await until('the source stops', () => {
    const stopped = host.operations.followed > 0 && host.operations.followed === before;
    before = host.operations.followed;
    return stopped;
  });
  await delay(50);
  expect(host.operations.followed).toBe(before);
  response.resume();
  await until('the source goes on', () => host.operations.followed > before);
  response.destroy();
  await until('the follower is gone', () => host.operations.followers === 0);
});

test('closing the server ends its followers', async () => {
  const response = await follow();
  const ended = new Promise((resolve) => response.once('close', resolve));
  response.on('error', () => {});
  response.resume();
  await host.close();
  await ended;
  await until('the follower is gone', () => host.operations.followers === 0);
});

function follow(): Promise<import('node:http').IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: host.socketPath, path: '/v1/flows?follow=true', agent: false }, resolve);
    sent.on('error', reject);
    sent.end();
  });
}
