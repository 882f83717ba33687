import { expect, test } from 'vitest';
import { type LearnedChanges, LearnedNames } from './learned-names.ts';

/** Answers `name` to an endpoint with addresses that hold for so many seconds; gives what changed. */
function answer(names: LearnedNames, now: number, name: string, addresses: Record<string, number>, endpoint = 1) {
  const answered = Object.entries(addresses).map(([address, ttl]) => ({ address, ttl }));
  return names.learn({ endpoint, name, addresses: answered }, now);
}

const after = (changes: LearnedChanges) => Array.from(changes.values(), (change) => change.after);
const keys = (changes: ReadonlyMap<string, unknown>) => [...changes.keys()];

test('an answer holds for its time, and at least 5 s', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 60, '192.0.2.2': 0 });
  expect(keys(names.expire(4999))).toEqual([]);
  expect(keys(names.expire(5000))).toEqual(['1 192.0.2.2']);
  expect(keys(names.expire(59_999))).toEqual([]);
  expect(keys(names.expire(60_000))).toEqual(['1 192.0.2.1']);
  expect(names.hasExpired).toBe(true);
});

test('an answer holds for a day at most', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 2 ** 31 });
  expect(keys(names.expire(86_400_000))).toEqual(['1 192.0.2.1']);
});

test('the same answer again is no change, and holds for longer', () => {
  const names = new LearnedNames();
  expect(keys(answer(names, 0, 'a.example', { '192.0.2.1': 10 }))).toEqual(['1 192.0.2.1']);
  expect(keys(answer(names, 8000, 'a.example', { '192.0.2.1': 10 }))).toEqual([]);
  expect(keys(names.expire(17_999))).toEqual([]);
  expect(keys(names.expire(18_000))).toEqual(['1 192.0.2.1']);
});

test('an answer that holds for less does not take time away', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 60 });
  answer(names, 1000, 'a.example', { '192.0.2.1': 10 });
  expect(keys(names.expire(59_999))).toEqual([]);
});

test('an address that had expired opens again by an answer', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 10 });
  names.expire(10_000);
  expect(after(answer(names, 11_000, 'a.example', { '192.0.2.1': 10 }))).toEqual([
    { endpoint: 1, address: '192.0.2.1', names: ['a.example'], expired: false },
  ]);
  expect(names.hasExpired).toBe(false);
});

test('another name of an address is a change, and it lives as long as either', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 10 });
  const changes = answer(names, 0, 'b.example', { '192.0.2.1': 20 });
  expect(after(changes)).toEqual([
    { endpoint: 1, address: '192.0.2.1', names: ['a.example', 'b.example'], expired: false },
  ]);
  expect(keys(names.expire(10_000))).toEqual([]);
  expect(keys(names.expire(20_000))).toEqual(['1 192.0.2.1']);
});

test('what has expired is forgotten when nobody uses it, by a look that began after', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 10, '192.0.2.2': 10, '192.0.2.3': 60 });
  names.expire(10_000);
  expect(keys(names.release(new Set(), 9999))).toEqual([]);
  expect(keys(names.release(new Set(['1 192.0.2.1']), 10_000))).toEqual(['1 192.0.2.2']);
  expect(keys(names.release(new Set(), 20_000))).toEqual(['1 192.0.2.1']);
  expect(names.size).toBe(1);
});

test('an endpoint that has learned all that it may forgets what expires first, and never what it is told', () => {
  const names = new LearnedNames({ each: 3 });
  answer(names, 0, 'a.example', { '192.0.2.1': 30, '192.0.2.2': 10, '192.0.2.3': 20 });
  const changes = answer(names, 0, 'b.example', { '192.0.2.4': 5 });
  expect(keys(changes)).toEqual(['1 192.0.2.2', '1 192.0.2.4']);
  expect(after(changes)).toEqual([undefined, expect.objectContaining({ address: '192.0.2.4' })]);
  const many = Object.fromEntries([10, 11, 12, 13].map((last) => [`192.0.2.${last}`, 5]));
  answer(names, 0, 'c.example', many);
  expect(Array.from(names.records(), ({ address }) => address)).toEqual(['192.0.2.10', '192.0.2.11', '192.0.2.12']);
});

test('an address keeps the names whose answers hold longest, and the one that it is told for', () => {
  const names = new LearnedNames({ names: 3 });
  const known = () => [...(names.get('1 192.0.2.1')?.names.keys() ?? [])];
  for (const [name, ttl] of [
    ['a.example', 60],
    ['b.example', 10],
    ['c.example', 30],
  ] as const) {
    answer(names, 0, name, { '192.0.2.1': ttl });
  }
  expect(after(answer(names, 0, 'd.example', { '192.0.2.1': 5 }))).toMatchObject([
    { names: ['a.example', 'c.example', 'd.example'] },
  ]);
  for (let at = 0; at < 1000; at++) answer(names, at, `n${at}.example`, { '192.0.2.1': 60 });
  expect(known()).toEqual(['n997.example', 'n998.example', 'n999.example']);
  expect(keys(names.expire(60_998))).toEqual([]);
  expect(keys(names.expire(60_999))).toEqual(['1 192.0.2.1']);
});

test('what was kept is taken up as far as there is room', () => {
  const names = new LearnedNames({ total: 3, each: 2 });
  for (const endpoint of [1, 2]) {
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      names.put({ endpoint, address, names: new Map([['a.example', 1]]), expired: undefined });
    }
  }
  expect(keys(names.addresses())).toEqual(['1 192.0.2.1', '1 192.0.2.2', '2 192.0.2.1']);
});

test('when all is full nobody takes what is another endpoint’s', () => {
  const names = new LearnedNames({ total: 2 });
  answer(names, 0, 'a.example', { '192.0.2.1': 30, '192.0.2.2': 10 });
  expect(keys(answer(names, 0, 'a.example', { '192.0.2.3': 10 }, 2))).toEqual([]);
  expect(keys(answer(names, 0, 'a.example', { '192.0.2.3': 10 }))).toEqual(['1 192.0.2.2', '1 192.0.2.3']);
});

test('an endpoint that is gone has learned nothing', () => {
  const names = new LearnedNames();
  answer(names, 0, 'a.example', { '192.0.2.1': 30 });
  answer(names, 0, 'a.example', { '192.0.2.1': 30 }, 2);
  const changes = names.forget(1);
  expect([keys(changes), after(changes)]).toEqual([['1 192.0.2.1'], [undefined]]);
  expect(keys(names.addresses())).toEqual(['2 192.0.2.1']);
});

test('changes are taken back', () => {
  const names = new LearnedNames({ each: 3 });
  answer(names, 0, 'a.example', { '192.0.2.1': 30, '192.0.2.2': 10, '192.0.2.3': 10 });
  names.expire(10_000);
  const before = new Map(Array.from(names.records(), (record) => [record.address, record]));
  const changes = answer(names, 10_000, 'b.example', { '192.0.2.1': 60, '192.0.2.3': 60, '192.0.2.4': 60 });
  expect(keys(changes)).toHaveLength(4);
  names.undo(changes);
  expect(new Map(Array.from(names.records(), (record) => [record.address, record]))).toEqual(before);
});
