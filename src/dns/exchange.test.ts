import { expect, test } from 'vitest';
import { answers } from './exchange.ts';
import { packet } from './testing.ts';

/** A reply to `packet(name)`, with some of its bytes changed. */
function reply(name: string, change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = packet(name);
  bytes.writeUInt16BE(0x8180, 2);
  change(bytes);
  return bytes;
}

const asked = packet('www.Example.org');

test('a response under the number of the query, to its question in any case, is its answer', () => {
  expect(answers(asked, reply('www.Example.org'))).toBe(true);
  expect(answers(asked, reply('WWW.example.ORG'))).toBe(true);
});

test.each([
  ['under another number', reply('www.Example.org', (bytes) => bytes.writeUInt16BE(8, 0))],
  ['to another name', reply('vvv.Example.org')],
  ['to a longer name', reply('www.Example.org.uk')],
  ['for another type', reply('www.Example.org', (bytes) => bytes.writeUInt16BE(28, bytes.length - 4))],
  ['for another class', reply('www.Example.org', (bytes) => bytes.writeUInt16BE(3, bytes.length - 2))],
  ['that is a query', packet('www.Example.org')],
  ['of another kind', reply('www.Example.org', (bytes) => bytes.writeUInt16BE(0xa180, 2))],
  ['without a question', reply('www.Example.org', (bytes) => bytes.writeUInt16BE(0, 4))],
  ['that is cut off', reply('www.Example.org').subarray(0, 20)],
  ['of no bytes', Buffer.alloc(0)],
])('a packet %s is none', (_, bytes) => {
  expect(answers(asked, bytes)).toBe(false);
});
