import { decode } from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseQuery } from './query.ts';
import { answerReply, fitted, isTruncated, rcode, rcodeOf, refusal } from './reply.ts';
import { packet, query } from './testing.ts';

test('whatever bytes come, they are read, refused or passed over, and no response is answered', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc
      .tuple(fc.constant(packet('shop')), fc.nat(40), fc.uint8Array({ minLength: 1, maxLength: 30 }))
      .map(([whole, at, noise]) => {
        const copy = Buffer.concat([whole, Buffer.alloc(40)]);
        copy.set(noise, at);
        return copy;
      }),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      const parsed = parseQuery(Buffer.from(bytes));
      if ((bytes[2] ?? 0x80) & 0x80 || bytes.length < 12) return void expect(parsed).toBeUndefined();
      if (!parsed || !('error' in parsed)) return;
      expect(parsed.error.readUInt16BE(0)).toBe(Buffer.from(bytes).readUInt16BE(0));
      expect(parsed.error.readUInt8(2) & 0x80).toBe(0x80);
    }),
    { numRuns: 3000 },
  );
});

test('an answer has the number and the question of its query', () => {
  const reply = decode(answerReply(query('Shop.web', 'AAAA'), []));
  expect(reply).toMatchObject({ id: 7, flag_qr: true, flag_aa: true, flag_rd: true, flag_ra: true, answers: [] });
  expect(reply.questions).toEqual([{ name: 'Shop.web', type: 'AAAA', class: 'IN' }]);
});

test('a refusal says why, under the same question', () => {
  const reply = refusal(query('shop'), rcode.nameError);
  expect(decode(reply)).toMatchObject({ id: 7, questions: [{ name: 'shop' }], answers: [] });
  expect(rcodeOf(reply)).toBe(rcode.nameError);
});

test('an answer that the asker has no room for by UDP is cut, and one that fits is not', () => {
  const small = Buffer.concat([answerReply(query('shop'), []), Buffer.alloc(400)]);
  expect(fitted(query('shop'), small)).toBe(small);
  const large = fitted(query('shop'), Buffer.concat([small, Buffer.alloc(200)]));
  expect([isTruncated(large), large.length < 512]).toEqual([true, true]);
  expect(decode(large).questions).toHaveLength(1);
  const roomy = { ...query('shop'), udpSize: 1400 };
  expect(isTruncated(fitted(roomy, Buffer.concat([small, Buffer.alloc(200)])))).toBe(false);
});
