import { expect, test } from 'vitest';
import { compareSizes } from './committed.ts';

const size = { verified: 10_000, translated: 1000, bytes: 6000 };

test('a program may grow by 5%, or by few instructions', () => {
  const small = { verified: 20, translated: 10, bytes: 60 };
  const before = { a: size, b: small };
  const after = {
    a: { verified: 10_500, translated: 1050, bytes: 6300 },
    b: { verified: 120, translated: 110, bytes: 560 },
  };
  expect(compareSizes('6.1', before, after)).toEqual([]);
  expect(compareSizes('6.1', after, before)).toEqual([]);
});

test('a jump is named with both numbers and what to do', () => {
  const problems = compareSizes('6.1', { a: size }, { a: { verified: 10_501, translated: 1101, bytes: 6501 } });
  expect(problems).toHaveLength(3);
  expect(problems[0]).toMatch(/^a has 10501 instructions that the verifier walks on Linux 6.1, and had 10000: .*make/);
  expect(problems[1]).toContain('1101 translated instructions');
  expect(problems[2]).toContain('6501 bytes of machine code');
});

test('a new program and one that is gone are named', () => {
  expect(compareSizes('6.1', { a: size }, { b: size })).toEqual([
    'b is not in bpf/instructions.json of Linux 6.1: run `make instructions`',
    'bpf/instructions.json has a, and nothing else has: run `make instructions`',
  ]);
});
