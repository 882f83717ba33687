import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LearnedFile, type LearnedLine } from './learned-file.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vetch-learned-'));
  path = join(directory, 'learned-names');
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = (address: string, until = 60_000, endpoint = 'e1'): LearnedLine => ({
  endpoint,
  address,
  names: { 'a.example': until },
});
/** Adds lines, all of which are known. */
const add = (file: LearnedFile, ...lines: LearnedLine[]) => file.add(lines, lines.length, () => lines);
const lineCount = () => readFileSync(path, 'utf8').split('\n').length - 1;

test('what was added is read, of each address the last', () => {
  const file = new LearnedFile(path, 'boot-1');
  add(file, line('192.0.2.1'), line('192.0.2.2'));
  file.add([line('192.0.2.1', 90_000)], 2, () => []);
  file.add([{ ...line('192.0.2.2'), expired: 70_000 }], 2, () => []);
  expect(new LearnedFile(path, 'boot-1').read()).toEqual([
    line('192.0.2.1', 90_000),
    { ...line('192.0.2.2'), expired: 70_000 },
  ]);
});

test('what was forgotten is not', () => {
  const file = new LearnedFile(path, 'boot-1');
  add(file, line('192.0.2.1'), line('192.0.2.1', 1, 'e2'));
  file.add([{ ...line('192.0.2.1'), names: {} }], 1, () => []);
  expect(new LearnedFile(path, 'boot-1').read()).toEqual([line('192.0.2.1', 1, 'e2')]);
});

test('nothing is known of another boot, whose clock was another, nor without a file', () => {
  expect(new LearnedFile(path, 'boot-1').read()).toEqual([]);
  add(new LearnedFile(path, 'boot-1'), line('192.0.2.1'));
  expect(new LearnedFile(path, 'boot-2').read()).toEqual([]);
  expect(new LearnedFile(path).read()).toEqual([]);
});

test('a line that was cut short harms no other', () => {
  add(new LearnedFile(path, 'boot-1'), line('192.0.2.1'));
  appendFileSync(path, '{"endpoint":"e1","addr');
  const file = new LearnedFile(path, 'boot-1');
  const kept = file.read();
  expect(kept).toEqual([line('192.0.2.1')]);
  file.add([line('192.0.2.2')], 2, () => [...kept, line('192.0.2.2')]);
  expect(new LearnedFile(path, 'boot-1').read()).toEqual([line('192.0.2.1'), line('192.0.2.2')]);
});

test('after what the disk did not take everything is written anew', () => {
  const file = new LearnedFile(path, 'boot-1');
  add(file, line('192.0.2.1'));
  rmSync(path);
  mkdirSync(path);
  expect(() => file.add([line('192.0.2.2')], 2, () => [])).toThrow('EISDIR');
  rmSync(path, { recursive: true });
  file.add([line('192.0.2.3')], 3, () => [1, 2, 3].map((last) => line(`192.0.2.${last}`)));
  expect(new LearnedFile(path, 'boot-1').read().map(({ address }) => address)).toEqual([
    '192.0.2.1',
    '192.0.2.2',
    '192.0.2.3',
  ]);
});

test('what is no line is left out', () => {
  writeFileSync(path, `boot-1\n[]\nnull\n{"endpoint":1}\n${JSON.stringify(line('192.0.2.1'))}\n`);
  expect(new LearnedFile(path, 'boot-1').read()).toEqual([line('192.0.2.1')]);
});

test('the file does not grow for ever', () => {
  const file = new LearnedFile(path, 'boot-1');
  for (let turn = 0; turn < 10_000; turn++) add(file, line('192.0.2.1', turn));
  expect(lineCount()).toBeLessThan(5000);
  expect(new LearnedFile(path, 'boot-1').read()).toEqual([line('192.0.2.1', 9999)]);
});
