import type { Attachment } from '../desired/attachments.ts';

/** A pinned link, or a filter that stands for one on kernels without TCX. */
export interface ObservedAttachment {
  readonly hook: string;
  readonly target: string;
  readonly programId: number;
  /** Of a device's. */
  readonly ifindex?: number;
  /** False: detached, or its device or cgroup is gone. */
  readonly live: boolean;
}

export type AttachmentStep =
  | {
      readonly kind: 'attach';
      readonly attachment: Attachment /** A dead pin is in its place. */;
      readonly stale: boolean;
    }
  | { readonly kind: 'replace'; readonly attachment: Attachment }
  | { readonly kind: 'detach'; readonly hook: string; readonly target: string };

export interface AttachmentPlan {
  readonly steps: readonly AttachmentStep[];
  /** Steps that repair what somebody else undid: not programs of a new version, nor devices that came or went. */
  readonly repairs: number;
}

/**
 * What makes the kernel's attachments equal to the desired ones: programs are replaced in place, new ones attached, and
 * only then those that are not wanted any more detached.
 *
 * @param programIds of the programs that should run, by name
 * @param known what was in place at the last pass, and at which device: only what is missing of it counts as repaired
 */
export function planAttachments(
  desired: readonly Attachment[],
  observed: readonly ObservedAttachment[],
  programIds: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, number>,
): AttachmentPlan {
  const found = new Map(observed.map((attachment) => [placeOf(attachment), attachment]));
  const wanted = new Set(desired.map(placeOf));
  const steps: AttachmentStep[] = [];
  let repairs = 0;
  for (const attachment of desired) {
    const current = found.get(placeOf(attachment));
    const ifindex = attachment.kind === 'cgroup' ? undefined : attachment.ifindex;
    const inPlace = current?.live === true && (ifindex === undefined || current.ifindex === ifindex);
    if (!inPlace) {
      steps.push({ kind: 'attach', attachment, stale: current !== undefined });
      if (known.get(placeOf(attachment)) === (ifindex ?? 0)) repairs++;
    } else if (current.programId !== programIds.get(attachment.program)) {
      steps.push({ kind: 'replace', attachment });
    }
  }
  for (const attachment of observed) {
    if (wanted.has(placeOf(attachment))) continue;
    steps.push({ kind: 'detach', hook: attachment.hook, target: attachment.target });
  }
  return { steps, repairs };
}

/** What is attached at most once. */
export function placeOf(attachment: { readonly hook: string; readonly target: string }): string {
  return `${attachment.hook} ${attachment.target}`;
}
