import { existsSync } from 'node:fs';
import { feature } from '../loader/features.ts';
import type { Attachable } from '../loader/link/link.ts';
import type { XdpMode } from '../loader/link/xdp.ts';
import type { PinTree } from '../loader/pin.ts';
import type { Program } from '../loader/program.ts';
import type { Intent } from '../model/intent.ts';
import type { Netlink } from '../netlink/netlink.ts';
import { type AttachmentContext, applyAttachment, endLink } from './apply/attachments.ts';
import { ClsactAttachments } from './clsact-attachments.ts';
import { type CgroupAttachment, desiredAttachments, joinAttachment } from './desired/attachments.ts';
import type { HostFacts, HostLink } from './facts.ts';
import { observeLinks } from './observed/attachments.ts';
import { holderOf, placeOf, planAttachments } from './plan/attachments.ts';

/** Where programs run, apart from the shared filter block. */
export class Attachments {
  readonly #tree: PinTree;
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #clsact: ClsactAttachments | undefined;
  readonly #cgroup: string;
  #staysOnStack = false;
  readonly #xdpModes = new Map<string, XdpMode>();
  /** What was in place at the end of the last pass, and at which device or cgroup. */
  #known: Map<string, number | bigint> = new Map();

  constructor(tree: PinTree, programs: ReadonlyMap<string, Program>, netlink: Netlink, cgroup: string) {
    this.#tree = tree;
    this.#programs = programs;
    this.#cgroup = cgroup;
    this.#clsact = feature('tcx').ok ? undefined : new ClsactAttachments(netlink);
  }

  /**
   * Devices whose driver has no native XDP: every packet of theirs costs a socket buffer before it is judged.
   *
   * @param links as of the last pass, for those that were attached before this process began
   */
  genericXdp(links: readonly HostLink[]): string[] {
    const ours = this.#programs.get('xdp_uplink')?.id;
    const before = links.filter(({ xdp }) => xdp?.mode === 'generic' && xdp.programId === ours);
    const now = [...this.#xdpModes].filter(([, mode]) => mode === 'generic').map(([device]) => device);
    return [...new Set([...now, ...before.map(({ name }) => name)])];
  }

  /**
   * Has every program run where it should, and nowhere else; returns how many somebody had detached.
   *
   * @param hostOnly those of the host's own devices alone: before anything is sent there
   */
  reconcile(
    intent: Pick<Intent, 'networks' | 'endpoints' | 'deny'>,
    facts: HostFacts,
    failed: (error: unknown) => void,
    hostOnly = false,
  ): number {
    const wanted = desiredAttachments(intent, facts, this.#cgroup);
    // The one that a kernel may not have; the stack serves in its place.
    const all = wanted.filter(({ program }) => program !== 'sock_join' || this.#programs.has(program));
    this.#staysOnStack = all.length < wanted.length;
    const desired = hostOnly ? all.filter(ofHostDevices) : all;
    const found = [...observeLinks(this.#tree), ...(this.#clsact?.observe(facts.links) ?? [])];
    const observed = hostOnly ? found.filter(ofHostDevices) : found;
    const ids = new Map([...this.#programs].map(([name, { id }]) => [name, id]));
    const { steps, repairs } = planAttachments(desired, observed, ids, this.#known);
    for (const step of steps) {
      try {
        applyAttachment(step, this.#context);
        if (step.kind === 'detach' && step.hook === 'xdp_uplink') this.#xdpModes.delete(step.target);
      } catch (error) {
        failed(error);
      }
    }
    if (!hostOnly) {
      this.#known = new Map(desired.map((at) => [placeOf(at), holderOf(at)]));
    }
    return repairs;
  }

  /** Whether connections are seen that may go from socket to socket. */
  get join(): boolean {
    return this.#known.has(placeOf(joinAttachment(this.#cgroup)));
  }

  /** Whether an endpoint asks for that, and the kernel cannot do it. */
  get staysOnStack(): boolean {
    return this.#staysOnStack;
  }

  /** Those of one endpoint's cgroup, which has none yet. @throws KernelError: none of them stays */
  attachAll(attachments: readonly CgroupAttachment[]): void {
    try {
      for (const attachment of attachments) {
        const stale = existsSync(this.#tree.link(attachment.hook, attachment.target));
        applyAttachment({ kind: 'attach', attachment, stale }, this.#context);
        this.#known.set(placeOf(attachment), holderOf(attachment));
      }
    } catch (error) {
      this.detachAll(attachments);
      throw error;
    }
  }

  /** Those that are there. */
  detachAll(attachments: readonly CgroupAttachment[]): void {
    for (const attachment of attachments) {
      this.#known.delete(placeOf(attachment));
      const { hook, target } = attachment;
      if (existsSync(this.#tree.link(hook, target))) endLink(this.#tree, hook, target);
    }
  }

  get #context(): AttachmentContext {
    return {
      tree: this.#tree,
      programs: this.#programs as ReadonlyMap<string, Attachable>,
      onXdp: (device, mode) => this.#xdpModes.set(device, mode),
      ...(this.#clsact ? { clsact: this.#clsact } : {}),
    };
  }
}

function ofHostDevices({ hook }: { readonly hook: string }): boolean {
  return ['from_host', 'from_shaper', 'from_overlay', 'from_wireguard'].includes(hook);
}
