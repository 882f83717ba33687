import { renameSync } from 'node:fs';
import { attachCgroup } from '../../loader/link/cgroup.ts';
import { type Attachable, type Link, openPinnedLink } from '../../loader/link/link.ts';
import type { LinkInfo } from '../../loader/link/link-info.ts';
import { attachTcx } from '../../loader/link/tcx.ts';
import { attachXdp, type XdpMode } from '../../loader/link/xdp.ts';
import { type PinTree, repin, unpin } from '../../loader/pin.ts';
import type { ClsactAttachments } from '../clsact-attachments.ts';
import type { Attachment } from '../desired/attachments.ts';
import { cgroupId } from '../host-cgroups.ts';
import type { AttachmentStep } from '../plan/attachments.ts';

export interface AttachmentContext {
  readonly tree: PinTree;
  readonly programs: ReadonlyMap<string, Attachable>;
  /** Kernels before 6.6 have no TCX: filters of a clsact qdisc stand in for links. */
  readonly clsact?: ClsactAttachments;
  /** Told the mode of each XDP attachment. */
  readonly onXdp: (device: string, mode: XdpMode) => void;
}

/** @throws KernelError */
export function applyAttachment(step: AttachmentStep, context: AttachmentContext): void {
  const { tree, clsact } = context;
  if (step.kind === 'detach') {
    if (isPinned(tree, step.hook, step.target)) endLink(tree, step.hook, step.target);
    else clsact?.detach(step.target, step.hook);
    return;
  }
  const { attachment } = step;
  const program = context.programs.get(attachment.program);
  if (!program) throw new Error(`program ${attachment.program} is not loaded`);
  if (clsact && (attachment.kind === 'ingress' || attachment.kind === 'egress')) {
    clsact.attach({ ...attachment, kind: attachment.kind }, program);
    return;
  }
  const path = tree.link(attachment.hook, attachment.target);
  if (step.kind === 'replace') {
    using link = openPinnedLink(path);
    link.update(program);
    return;
  }
  if (step.stale && !leaveToSockets(tree, attachment.hook, attachment.target)) unpin(path);
  using link = attach(attachment, program, context);
  repin(link, path);
}

/** As {@link detachLink}, but sockets that have outlived their cgroup, passed on to another, stay under its programs. */
export function endLink(tree: PinTree, hook: string, target: string): void {
  if (!leaveToSockets(tree, hook, target)) detachLink(tree.link(hook, target));
}

/**
 * Has the link to a cgroup that is gone live for as long as sockets of it do, apart from its path, which another cgroup
 * may come to have. In no map any more, it lets nothing pass.
 *
 * @returns false: there are none, or it is no such link
 */
function leaveToSockets(tree: PinTree, hook: string, target: string): boolean {
  const path = tree.link(hook, target);
  const link = infoOfPin(path);
  if (link.type !== 'cgroup' || !link.live || link.cgroupId === cgroupId(target)) return false;
  const apart = tree.link(hook, `gone ${link.cgroupId}`);
  if (apart !== path) renameSync(path, apart);
  return true;
}

function infoOfPin(path: string): LinkInfo {
  using link = openPinnedLink(path);
  return link.info();
}

/** Ends a pinned link's attachment, if it is still one, and removes its pin. */
export function detachLink(path: string): void {
  {
    using link = openPinnedLink(path);
    // Closing the last descriptor ends what the kernel cannot detach by itself.
    if (link.info().live) detachOrLeave(link);
  }
  unpin(path);
}

function detachOrLeave(link: Link): void {
  try {
    link.detach();
  } catch {
    // Links of some kinds have no detach: they end with their pin.
  }
}

function attach(attachment: Attachment, program: Attachable, { onXdp }: AttachmentContext): Link {
  switch (attachment.kind) {
    case 'cgroup':
      return attachCgroup({ program, cgroupPath: attachment.target, attachType: attachment.attachType });
    case 'xdp': {
      const link = attachXdp({ program, ifindex: attachment.ifindex, mode: 'auto' });
      onXdp(attachment.target, link.mode);
      return link;
    }
    default:
      return attachTcx({ program, ifindex: attachment.ifindex, direction: attachment.kind });
  }
}

function isPinned(tree: PinTree, hook: string, target: string): boolean {
  return tree.links().some((link) => link.hook === hook && link.target === target);
}
