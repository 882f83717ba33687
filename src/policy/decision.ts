/**
 * One decision of the compiled tables as a word, as bpf/abi/policy.h has it: bits 31-30 the kind; of `DECISION_PORTS` the rest is the
 * number of a port set, otherwise bits 29-14 the document's number, bit 13 that it is an egress rule, bits 12-0 the
 * rule's index.
 */
export const DECISION_PORTS = 0;
export const DECISION_ALLOW = 1;
export const DECISION_DENY = 2;
export const DECISION_AUDIT = 3;

export const DECISION_KIND_SHIFT = 30;
export const DECISION_DOCUMENT_SHIFT = 14;
export const DECISION_EGRESS = 0x2000;
export const DECISION_NO_RULE = 0x1fff;

export const POLICY_INGRESS = 0;
export const POLICY_EGRESS = 1;
export type PolicyDirection = typeof POLICY_INGRESS | typeof POLICY_EGRESS;

export const STANDING_INGRESS = 1;
export const STANDING_EGRESS = 2;
export const STANDING_NAMES = 4;

export const IDENTITY_HOST = 1;
export const IDENTITY_WORLD = 2;
export const IDENTITY_REMOTE_NODE = 3;
export const IDENTITY_FIRST_LOCAL = 256;

/** Rules of one document in one direction: the index after the last is {@link DECISION_NO_RULE}. */
export const maxRules = DECISION_NO_RULE - 1;
export const maxDocumentNumber = 0xffff;
export const maxPortSet = 2 ** DECISION_KIND_SHIFT - 1;

export type VerdictKind = typeof DECISION_ALLOW | typeof DECISION_DENY | typeof DECISION_AUDIT;

/** Who decided; undefined: no document did, and it is the default. */
export interface Decider {
  /** 1 to 65535. */
  readonly document: number;
  readonly direction: PolicyDirection;
  /** Undefined: the document isolates, and none of its rules matched. */
  readonly rule: number | undefined;
}

export type Decision =
  | { readonly kind: typeof DECISION_PORTS; readonly portSet: number }
  | { readonly kind: VerdictKind; readonly decider: Decider | undefined };

export function encodeDecision(decision: Decision): number {
  const kind = decision.kind << DECISION_KIND_SHIFT;
  if (decision.kind === DECISION_PORTS) return decision.portSet;
  const { decider } = decision;
  if (decider === undefined) return kind >>> 0;
  const direction = decider.direction === POLICY_EGRESS ? DECISION_EGRESS : 0;
  return (kind | (decider.document << DECISION_DOCUMENT_SHIFT) | direction | (decider.rule ?? DECISION_NO_RULE)) >>> 0;
}

export function decodeDecision(word: number): Decision {
  const kind = kindOf(word);
  if (kind === DECISION_PORTS) return { kind, portSet: word };
  const document = (word >>> DECISION_DOCUMENT_SHIFT) & maxDocumentNumber;
  if (document === 0) return { kind, decider: undefined };
  const rule = word & DECISION_NO_RULE;
  return {
    kind,
    decider: {
      document,
      direction: (word & DECISION_EGRESS) === 0 ? POLICY_INGRESS : POLICY_EGRESS,
      rule: rule === DECISION_NO_RULE ? undefined : rule,
    },
  };
}

function kindOf(word: number): VerdictKind | typeof DECISION_PORTS {
  switch (word >>> DECISION_KIND_SHIFT) {
    case DECISION_ALLOW:
      return DECISION_ALLOW;
    case DECISION_DENY:
      return DECISION_DENY;
    case DECISION_AUDIT:
      return DECISION_AUDIT;
    default:
      return DECISION_PORTS;
  }
}
