import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OwnKeys } from './own-keys.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vetch-keys-'));
  path = join(directory, 'wireguard-keys');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('the first key is made when it is asked for, stays, and is for nobody but root to read', () => {
  const [key, ...more] = new OwnKeys(path).all();
  expect(more).toEqual([]);
  expect(key).toMatchObject({ slot: 0, port: 51_871, publicKey: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(new OwnKeys(path).all()).toEqual([key]);
});

test('a change of keys goes on in the next process, and each new key is of the other device', () => {
  const keys = new OwnKeys(path);
  const [first] = keys.all();
  keys.begin();
  const [old, second] = new OwnKeys(path).all();
  expect(old).toEqual(first);
  expect(second).toMatchObject({ slot: 1, port: 51_872 });
  expect(second?.publicKey).not.toBe(first?.publicKey);
  const next = new OwnKeys(path);
  next.end('new');
  expect(new OwnKeys(path).all()).toEqual([second]);
  next.begin();
  expect(next.all().map(({ slot }) => slot)).toEqual([1, 0]);
  next.end('old');
  expect(new OwnKeys(path).all()).toEqual([second]);
});

test('what lies where it is written, longer and for others to read, makes the keys neither', () => {
  writeFileSync(`${path}.new`, 'x'.repeat(1_000));
  chmodSync(`${path}.new`, 0o644);
  const keys = new OwnKeys(path).all();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(new OwnKeys(path).all()).toEqual(keys);
});

test('what was half written before a crash is no key, and a file that is none is told of by its path', () => {
  const [key] = new OwnKeys(path).all();
  writeFileSync(`${path}.new`, readFileSync(path).subarray(0, 20));
  expect(new OwnKeys(path).all()).toEqual([key]);
  for (const text of ['', '{', '{"keys":[]}', '{"keys":[{"privateKey":"x","slot":0}]}']) {
    writeFileSync(path, text);
    expect(() => new OwnKeys(path).all(), text).toThrow(`the keys in ${path} cannot be read`);
  }
});
