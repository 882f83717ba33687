import type { TraceHook, TraceStepView } from '../../api/schemas/trace.ts';
import { dropReasonName, Step, stepName, type Trace } from '../../maps/generated/abi.ts';

/** What one program said of one packet. */
export interface StepOutcome {
  readonly views: readonly TraceStepView[];
  /** Null unless dropped. */
  readonly reason: string | null;
  /** Whether the program let it go on as if it were not there: the next hook sees it. */
  readonly passed: boolean;
}

/** @param deviceName name of a device by its index, for people. */
export function readSteps(hook: TraceHook, trace: Trace, deviceName: (ifindex: number) => string): StepOutcome {
  const steps = trace.steps.slice(0, trace.count);
  const views = steps.map(({ step, detail }) => ({
    hook,
    action: stepName(step).toLowerCase(),
    detail: detailText(step, detail, deviceName),
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

function detailText(step: number, detail: number, deviceName: (ifindex: number) => string): string {
  switch (step) {
    case Step.DROPPED:
      return dropReasonName(detail);
    case Step.TO_ENDPOINT:
    case Step.TO_UPLINK:
      return `${deviceName(detail)} (ifindex ${detail})`;
    case Step.FLOODED:
      return `${detail} members`;
    default:
      return detail === 0 ? '' : String(detail);
  }
}
