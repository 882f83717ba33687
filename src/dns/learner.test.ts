import { type Answer, encode, type RecordType } from 'dns-packet';
import { expect, test } from 'vitest';
import type { LearnAnswerRequest } from '../api/schemas/names.ts';
import { addressesOf, Learner } from './learner.ts';
import { query } from './testing.ts';

/** A reply to a question for `www.example.com`. */
function reply(answers: readonly Answer[], flags = 0x180, type: RecordType = 'A'): Buffer {
  return encode({
    ...{ type: 'response', id: 7, flags, questions: [{ name: 'www.example.com', type, class: 'IN' }] },
    answers: [...answers],
  });
}
const a = (name: string, data: string, ttl: number): Answer => ({ type: 'A', name, data, ttl });
const cname = (name: string, data: string, ttl: number): Answer => ({ type: 'CNAME', name, data, ttl });
const www = query('www.example.com');

const found = (answers: readonly Answer[], flags?: number) =>
  addressesOf(www, reply(answers, flags)).map(({ address, ttl }) => `${address} ${ttl}`);

test('all addresses of the name are what an answer opens', () => {
  expect(found([a('www.example.com', '192.0.2.1', 60), a('WWW.example.com', '192.0.2.2', 0)])).toEqual([
    '192.0.2.1 60',
    '192.0.2.2 0',
  ]);
});

test('a chain of canonical names is followed in any order, and holds for as long as its shortest link', () => {
  expect(
    found([
      a('c.cdn.test', '192.0.2.1', 300),
      cname('b.cdn.test', 'c.cdn.test', 20),
      cname('www.example.com', 'b.cdn.test', 600),
    ]),
  ).toEqual(['192.0.2.1 20']);
});

test('a chain in a circle ends', () => {
  expect(
    found([
      cname('www.example.com', 'b.test', 20),
      cname('b.test', 'www.example.com', 20),
      a('b.test', '192.0.2.1', 9),
    ]),
  ).toEqual(['192.0.2.1 9']);
});

test('records of names that the question does not lead to open nothing', () => {
  expect(found([a('elsewhere.test', '192.0.2.9', 60), a('www.example.com', '192.0.2.1', 60)])).toEqual([
    '192.0.2.1 60',
  ]);
});

test('an answer that is an error opens nothing', () => {
  expect(found([a('www.example.com', '192.0.2.1', 60)], 0x183)).toEqual([]);
});

test('an answer that was cut opens what is left of it, which some take for all', () => {
  expect(found([a('www.example.com', '192.0.2.1', 60)], 0x380)).toEqual(['192.0.2.1 60']);
});

test('an answer that is no packet, or to another question, opens nothing', () => {
  const bytes = reply([a('www.example.com', '192.0.2.1', 60)]);
  expect(addressesOf(www, bytes.subarray(0, bytes.length - 6))).toEqual([]);
  expect(addressesOf({ ...www, type: 'AAAA' }, bytes)).toEqual([]);
  expect(addressesOf({ ...www, type: 'HTTPS' }, bytes)).toEqual([]);
});

/** A learner whose daemon fails so many times; what it was told. */
function learner(failures: number, patienceMs?: number, code = 'UNAVAILABLE') {
  const told: LearnAnswerRequest[] = [];
  const result = new Learner(async (request) => {
    if (failures-- > 0) throw Object.assign(new Error('no'), { code });
    told.push(request);
  }, patienceMs);
  return { learner: result, told };
}

const answer = reply([a('www.example.com', '192.0.2.1', 60)]);

test('the daemon is told of the question, of who asked, and of the addresses', async () => {
  const { learner: one, told } = learner(0);
  await one.learn('id-web', '10.88.0.2', www, answer);
  expect(told).toEqual([
    {
      ...{ network: 'id-web', source: '10.88.0.2', name: 'www.example.com' },
      addresses: [{ address: '192.0.2.1', ttl: 60 }],
    },
  ]);
});

test('an answer without addresses is told to nobody', async () => {
  const { learner: one, told } = learner(0);
  await one.learn('id-web', '10.88.0.2', www, reply([]));
  expect(told).toEqual([]);
});

test('a daemon that is away is waited for', async () => {
  const { learner: one, told } = learner(3);
  await one.learn('id-web', '10.88.0.2', www, answer);
  expect([told.length, one.missed]).toEqual([1, 0]);
});

test('a refusal is not asked for again', async () => {
  const { learner: one, told } = learner(1, 10_000, 'NOT_FOUND');
  await one.learn('id-web', '10.88.0.2', www, answer);
  expect([told.length, one.missed]).toEqual([0, 1]);
});

test('one that stays away does not keep answers for ever', async () => {
  const { learner: one, told } = learner(Number.POSITIVE_INFINITY, 250);
  await one.learn('id-web', '10.88.0.2', www, answer);
  expect([told.length, one.missed]).toEqual([0, 1]);
});

test('nor does one that is there and says nothing', async () => {
  const one = new Learner(() => new Promise(() => {}), 250);
  await one.learn('id-web', '10.88.0.2', www, answer);
  expect(one.missed).toBe(1);
});
