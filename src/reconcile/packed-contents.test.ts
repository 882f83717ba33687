import { expect, test } from 'vitest';
import { PackedContents } from './packed-contents.ts';

const entry = (key: number, value: number) => ({ key: Uint8Array.of(key, 0), value: Uint8Array.of(value, 0, value) });

test('entries come back by their keys and in their order, a later one in the place of an earlier', () => {
  const contents = new PackedContents();
  expect([contents.size, contents.get(Uint8Array.of(1, 0)), [...contents.values()]]).toEqual([0, undefined, []]);
  // More than there is room for at first.
  for (let key = 0; key < 200; key++) contents.set(entry(key, 7));
  contents.set(entry(150, 9));
  expect(contents.size).toBe(200);
  expect(contents.get(Uint8Array.of(150, 0))).toEqual(entry(150, 9));
  expect(contents.get(Uint8Array.of(201, 0))).toBeUndefined();
  const expected = Array.from({ length: 200 }, (_, key) => entry(key, key === 150 ? 9 : 7));
  expect([...contents.values()]).toEqual(expected);
  expect([contents.indexOf(Uint8Array.of(150, 0)), contents.indexOf(Uint8Array.of(150, 1))]).toEqual([150, -1]);
  expect([contents.hasValue(150, Uint8Array.of(9, 0, 9)), contents.hasValue(151, Uint8Array.of(9, 0, 9))]).toEqual([
    true,
    false,
  ]);
});

test('what was taken from the caller is a copy', () => {
  const contents = new PackedContents();
  const mine = entry(1, 1);
  contents.set(mine);
  mine.value[0] = 2;
  expect(contents.get(mine.key)).toEqual(entry(1, 1));
});
