import { expect, test } from 'vitest';
import { DecisionKind, DecisionLayout, Identity, PolicyDirection, StandingFlag } from '../../maps/generated/abi.ts';
import * as decision from '../../policy/decision.ts';

// The pure layer knows nothing of maps, and says these numbers itself.
test('the compiler and the programs mean the same by every number of a decision', () => {
  expect({
    kinds: [decision.DECISION_PORTS, decision.DECISION_ALLOW, decision.DECISION_DENY, decision.DECISION_AUDIT],
    layout: [
      decision.DECISION_DOCUMENT_SHIFT,
      decision.DECISION_KIND_SHIFT,
      decision.DECISION_NO_RULE,
      decision.DECISION_EGRESS,
    ],
    directions: [decision.POLICY_INGRESS, decision.POLICY_EGRESS],
    standings: [decision.STANDING_INGRESS, decision.STANDING_EGRESS, decision.STANDING_NAMES],
    identities: [
      decision.IDENTITY_HOST,
      decision.IDENTITY_WORLD,
      decision.IDENTITY_REMOTE_NODE,
      decision.IDENTITY_FIRST_LOCAL,
    ],
  }).toEqual({
    kinds: [DecisionKind.PORTS, DecisionKind.ALLOW, DecisionKind.DENY, DecisionKind.AUDIT],
    layout: [DecisionLayout.DOCUMENT_SHIFT, DecisionLayout.KIND_SHIFT, DecisionLayout.NO_RULE, DecisionLayout.EGRESS],
    directions: [PolicyDirection.INGRESS, PolicyDirection.EGRESS],
    standings: [StandingFlag.INGRESS, StandingFlag.EGRESS, StandingFlag.NAMES],
    identities: [Identity.HOST, Identity.WORLD, Identity.REMOTE_NODE, Identity.FIRST_LOCAL],
  });
});
