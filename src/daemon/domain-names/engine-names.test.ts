import { expect, test } from 'vitest';
import { loopbackServer } from './engine-names.ts';

test.each<[string, string | undefined]>([
  ['nameserver 127.0.0.53\noptions edns0\n', '127.0.0.53'],
  ['# nameserver 127.0.0.53\nnameserver 192.0.2.53\n', undefined],
  ['search example.org\nnameserver 192.0.2.53\n  nameserver\t::1 \n', '::1'],
  ['nameserver 2001:db8::1\n', undefined],
  ['', undefined],
])('of %j the server on the loopback is %s', (text, expected) => {
  expect(loopbackServer(text)).toBe(expected);
});
