import type { Attachment } from '../desired/attachments.ts';

/** A pinned link, or a filter that stands for one on kernels without TCX. */
export interface ObservedAttachment {
  readonly hook: string;
  readonly target: string;
  readonly programId: number;
  /** Of a device's. */
  readonly ifindex?: number;
  /** Of a cgroup's. */
  readonly cgroupId?: bigint;
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
 * @param known what was in place at the last pass, and at which device or cgroup: only what is missing of it counts as repaired
 */
export function planAttachments(
  desired: readonly Attachment[],
  observed: readonly ObservedAttachment[],
  programIds: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, number | bigint>,
): AttachmentPlan {
  const found = new Map(observed.map((attachment) => [placeOf(attachment), attachment]));
  const wanted = new Set(desired.map(placeOf));
  const steps: AttachmentStep[] = [];
  let repairs = 0;
  for (const attachment of desired) {
    const current = found.get(placeOf(attachment));
    const inPlace = current?.live === true && isAt(current, attachment);
    if (!inPlace) {
      steps.push({ kind: 'attach', attachment, stale: current !== undefined });
      if (known.get(placeOf(attachment)) === holderOf(attachment)) repairs++;
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

/** What has the place's name now: the ifindex of a device, the id of a cgroup; 0 where it is always the same. */
export function holderOf(attachment: Attachment): number | bigint {
  return attachment.kind === 'cgroup' ? (attachment.cgroupId ?? 0) : attachment.ifindex;
}

function isAt(current: ObservedAttachment, attachment: Attachment): boolean {
  if (attachment.kind !== 'cgroup') return current.ifindex === attachment.ifindex;
  return attachment.cgroupId === undefined || current.cgroupId === attachment.cgroupId;
}

/** What is attached at most once. */
export function placeOf(attachment: { readonly hook: string; readonly target: string }): string {
  return `${attachment.hook} ${attachment.target}`;
}
