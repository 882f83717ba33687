import type { DecidedBy } from '../../api/schemas/flow.ts';
import type { TraceHook, TraceStepView } from '../../api/schemas/trace.ts';
import {
  DecisionLayout,
  decisionKindName,
  dropReasonName,
  Step,
  stepName,
  type Trace,
} from '../../maps/generated/abi.ts';

/** What one program said of one packet. */
export interface StepOutcome {
  readonly views: readonly TraceStepView[];
  /** Null unless dropped. */
  readonly reason: string | null;
  /** Whether the program let it go on as if it were not there: the next hook sees it. */
  readonly passed: boolean;
}

/** What steps speak of by number. */
export interface StepNames {
  /** Name of a device by its index. */
  deviceName(ifindex: number): string;
  /** The document and rule that a decision of policy is; null: none, or one that is gone. */
  decidedBy(decision: number): DecidedBy | null;
}

export function readSteps(hook: TraceHook, trace: Trace, names: StepNames): StepOutcome {
  const steps = trace.steps.slice(0, trace.count);
  const views = steps.map(({ step, detail }) => ({
    hook,
    action: stepName(step).toLowerCase(),
    detail: detailText(step, detail, names),
  }));
  if (trace.count > trace.steps.length)
    views.push({ hook, action: 'more', detail: `${trace.count - trace.steps.length}` });
  const dropped = steps.find(({ step }) => step === Step.DROPPED);
  return {
    views,
    reason: dropped ? dropReasonName(dropped.detail) : null,
    passed: steps.some(({ step }) => step === Step.PASSED),
  };
}

function detailText(step: number, detail: number, names: StepNames): string {
  switch (step) {
    case Step.DROPPED:
      return dropReasonName(detail);
    case Step.TO_ENDPOINT:
    case Step.TO_UPLINK:
    case Step.TO_LAN:
    case Step.TO_WIREGUARD:
      return `${names.deviceName(detail)} (ifindex ${detail})`;
    case Step.FLOODED:
      return `${detail} members`;
    case Step.EGRESS_DECIDED:
    case Step.INGRESS_DECIDED:
      return decisionText(detail, names.decidedBy(detail));
    default:
      return detail === 0 ? '' : String(detail);
  }
}

/** `allow by NetworkPolicy shop/db, rule 0` */
function decisionText(decision: number, decider: DecidedBy | null): string {
  const verdict = decisionKindName(decision >>> DecisionLayout.KIND_SHIFT).toLowerCase();
  if (decider === null) return `${verdict}, no document decides`;
  const { kind, namespace, name, rule } = decider;
  const where = namespace === null ? name : `${namespace}/${name}`;
  return `${verdict} by ${kind} ${where}, ${rule === null ? 'none of whose rules matches' : `rule ${rule}`}`;
}
