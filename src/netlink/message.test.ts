import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessages, encodeMessage, messageSize } from './message.ts';
import { MessageWriter } from './message-writer.ts';
import { Payload } from './payload.ts';
import { answers } from './testing/recorded.ts';

const attribute = fc.tuple(fc.integer({ min: 1, max: 0x3fff }), fc.uint8Array({ maxLength: 40 }));
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

test('attributes of any length survive being written and read', () => {
  fc.assert(
    fc.property(fc.array(attribute), (attributes) => {
      const writer = new MessageWriter(8);
      for (const [type, value] of attributes) writer.attribute(type, value);
      expect(writer.length % 4).toBe(0);
      const read = [...Payload.of(writer.finish()).attributes()].map(([type, value]) => [type, value.bytes()]);
      expect(read).toEqual(attributes);
    }),
  );
});

test('attributes within attributes are found by their path', () => {
  const writer = new MessageWriter().u32(7).nested(3, (outer) => {
    outer.attributeU8(1, 9).nested(2, (inner) => inner.attributeText(5, 'veth').attributeU32(6, 0xffffffff));
  });
  const outer = Payload.of(writer.finish()).attributes(4).nested(3);
  expect(outer?.u8(1)).toBe(9);
  expect(outer?.nested(2)?.text(5)).toBe('veth');
  expect(outer?.nested(2)?.u32(6)).toBe(0xffffffff);
  expect(outer?.get(7)).toBeUndefined();
});

test('requests that are sent together are read one by one', () => {
  const payloads = [Uint8Array.of(1, 2, 3), new Uint8Array(), Uint8Array.of(4, 5, 6, 7)];
  const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + messageSize({ payload }), 0));
  let offset = 0;
  for (const [i, payload] of payloads.entries()) {
    offset = encodeMessage(bytes, offset, { type: 16 + i, payload }, 5, 0xffffffff - i);
  }
  expect(offset).toBe(bytes.length);
  const read = [...decodeMessages(view(bytes), bytes.length)];
  expect(read.map(({ type, flags, sequence, payload }) => [type, flags, sequence, payload.bytes()])).toEqual(
    payloads.map((payload, i) => [16 + i, 5, 0xffffffff - i, payload]),
  );
});

test('bytes that are no netlink are read as nothing, without an end that never comes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const { payload } of decodeMessages(view(bytes), bytes.length)) for (const _ of payload.attributes());
      for (const [, value] of Payload.of(bytes).attributes()) expect(value.length).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

test('a datagram that is cut off anywhere gives the messages that are whole', () => {
  const bytes = Buffer.from(answers.addresses[0], 'hex');
  const whole = [...decodeMessages(view(bytes), bytes.length)].length;
  for (let length = 0; length < bytes.length; length++) {
    const cut = Uint8Array.from(bytes.subarray(0, length));
    expect([...decodeMessages(view(cut), length)].length).toBeLessThan(whole);
  }
});
