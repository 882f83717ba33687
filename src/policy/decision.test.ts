import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DECISION_ALLOW,
  DECISION_AUDIT,
  DECISION_DENY,
  DECISION_PORTS,
  type Decision,
  decodeDecision,
  encodeDecision,
  maxDocumentNumber,
  maxPortSet,
  maxRules,
  POLICY_EGRESS,
  POLICY_INGRESS,
} from './decision.ts';

const decider = fc.record({
  document: fc.integer({ min: 1, max: maxDocumentNumber }),
  direction: fc.constantFrom(POLICY_INGRESS, POLICY_EGRESS),
  rule: fc.option(fc.integer({ min: 0, max: maxRules - 1 }), { nil: undefined }),
});
const decision: fc.Arbitrary<Decision> = fc.oneof(
  fc.record({ kind: fc.constant(DECISION_PORTS), portSet: fc.integer({ min: 1, max: maxPortSet }) }),
  fc.record({
    kind: fc.constantFrom(DECISION_ALLOW, DECISION_DENY, DECISION_AUDIT),
    decider: fc.option(decider, { nil: undefined }),
  }),
);

test('a decision survives being a word, which is an unsigned one and never that of an absent entry', () => {
  fc.assert(
    fc.property(decision, (one) => {
      const word = encodeDecision(one);
      expect(word).toBeGreaterThan(0);
      expect(word).toBeLessThan(2 ** 32);
      expect(decodeDecision(word)).toEqual(one);
    }),
  );
});

test('the bits are those that the datapath reads', () => {
  const egress = { document: 3, direction: POLICY_EGRESS, rule: 5 } as const;
  expect(encodeDecision({ kind: DECISION_DENY, decider: egress })).toBe(0x80000000 + 3 * 0x4000 + 0x2000 + 5);
  const isolates = { document: 0xffff, direction: POLICY_INGRESS, rule: undefined } as const;
  expect(encodeDecision({ kind: DECISION_AUDIT, decider: isolates })).toBe(0xffffdfff);
  expect(encodeDecision({ kind: DECISION_ALLOW, decider: undefined })).toBe(0x40000000);
});
