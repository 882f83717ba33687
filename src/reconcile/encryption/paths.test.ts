import { expect, test } from 'vitest';
import { innerAddress, type OwnKey } from '../../model/wireguard.ts';
import { type Agreed, nodeCrypt, pathBetween } from './paths.ts';

const text = (letter: string) => Buffer.alloc(32, letter).toString('base64');
const device = (letter: string, ifindex: number) => {
  const key: OwnKey = { privateKey: '', publicKey: text(letter), slot: 0, port: 51_871 };
  return { key, ifindex };
};
const key = (letter: string) => ({ publicKey: text(letter), port: 51_871 });

const [a1, a2] = [device('a', 1), device('A', 2)];
const [b1, b2] = [key('b'), key('B')];
const agreed = (...pairs: readonly (readonly [typeof a1, typeof b1])[]): Agreed => {
  return (from, to) => pairs.some(([one, other]) => one === from && other === to);
};

test('hosts of one key each use it, whether they have spoken or not', () => {
  expect(pathBetween([a1], [b1], agreed())).toEqual({ from: a1, to: b1 });
});

test('a newer key is used once there is a session of it, and the older one until then', () => {
  expect(pathBetween([a1], [b1, b2], agreed())).toEqual({ from: a1, to: b1 });
  expect(pathBetween([a1], [b1, b2], agreed([a1, b1]))).toEqual({ from: a1, to: b1 });
  expect(pathBetween([a1], [b1, b2], agreed([a1, b1], [a1, b2]))).toEqual({ from: a1, to: b2 });
  expect(pathBetween([a1, a2], [b1], agreed([a1, b1], [a2, b1]))).toEqual({ from: a2, to: b1 });
});

test('two hosts that change theirs at one moment go by what both have agreed upon, the newest first', () => {
  expect(pathBetween([a1, a2], [b1, b2], agreed([a1, b1], [a2, b1]))).toEqual({ from: a2, to: b1 });
  expect(pathBetween([a1, a2], [b1, b2], agreed([a1, b1], [a2, b1], [a1, b2]))).toEqual({ from: a1, to: b2 });
  expect(pathBetween([a1, a2], [b1, b2], agreed([a1, b2], [a2, b2]))).toEqual({ from: a2, to: b2 });
});

test('without a key of either nothing is sent, and nothing is believed', () => {
  expect(nodeCrypt(pathBetween([], [b1], agreed()), [b1])).toEqual({});
  expect(nodeCrypt(pathBetween([a1], [], agreed()), [])).toEqual({});
});

test('the map says whom to send to, as whom, by which device, and who else is believed', () => {
  const path = pathBetween([a1], [b1, b2], agreed([a1, b2]));
  expect(nodeCrypt(path, [b1, b2])).toEqual({
    ...{ to: innerAddress(text('B')), from: innerAddress(text('a')), also: innerAddress(text('b')), ifindex: 1 },
  });
  expect(nodeCrypt(pathBetween([a1], [b1], agreed()), [b1])).not.toHaveProperty('also');
});

test('the address of a key is a unique local one, and no two keys share it', () => {
  expect(innerAddress(text('a'))[0]).toBe(0xfd);
  expect(innerAddress(text('a'))).toHaveLength(16);
  expect(innerAddress(text('a'))).toEqual(innerAddress(text('a')));
  expect(innerAddress(text('a'))).not.toEqual(innerAddress(text('A')));
});
