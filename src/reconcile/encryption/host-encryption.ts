import { VetchError } from '../../api/error.ts';
import type { Network } from '../../model/network.ts';
import { isEncrypted } from '../../network/drivers/encryption.ts';
import type { HostParts } from '../host-parts.ts';
import { followEncryption } from '../open-encryption.ts';
import type { PlacedNode } from '../remotes/remote-table.ts';
import { type EncryptionState, encryptionWarnings, twinsOf } from './warnings.ts';

/** What the daemon asks of a host's encryption. Whoever changes something holds the lock on the intent. */
export class HostEncryption {
  readonly #parts: HostParts;

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** Whether some network here is encrypted. */
  get needed(): boolean {
    return this.#parts.encryption.needed;
  }

  /** Keys that others may use from now on, the newest last; empty: this host cannot encrypt. */
  published() {
    return this.#parts.encryption.published();
  }

  /**
   * Nothing is done that this host could not encrypt. What was in the way may be gone by now.
   *
   * @throws VetchError UNSUPPORTED
   */
  require(network: Network, networks: Iterable<Network>): void {
    if (!isEncrypted(network)) return;
    const { encryption } = this.#parts;
    if (encryption.devices.length === 0) followEncryption(this.#parts, [network, ...networks]);
    const { problem, devices } = encryption;
    if (problem && devices.length === 0)
      throw new VetchError('UNSUPPORTED', `network ${network.name}: ${problem.what}`, problem.remedy);
  }

  /** After a key has come or gone. @throws VetchError UNSUPPORTED: a device for it cannot be opened */
  followKeys(networks: Iterable<Network>): void {
    const { encryption } = this.#parts;
    followEncryption(this.#parts, networks);
    const { problem } = encryption;
    if (problem) throw new VetchError('UNSUPPORTED', problem.what, problem.remedy);
  }

  /** Looks at who has agreed upon sessions, and has packets go by the newest keys where both ends have. */
  followSessions(): void {
    const { control, encryption } = this.#parts;
    this.#parts.attempt('follow the sessions of WireGuard', () => {
      encryption.observe();
      control.followKeys();
    });
  }

  /** Of hosts that change their keys, the newest of those that this host does not send to by an older one any more. */
  get movedTo(): string[] {
    const { encryption } = this.#parts;
    return [...this.#changing()].flatMap(({ wireguard }) => {
      const newest = wireguard.at(-1)?.publicKey;
      const used = encryption.devices.length === 0 ? newest : encryption.pathTo(wireguard)?.to.publicKey;
      return newest !== undefined && used === newest ? newest : [];
    });
  }

  /** Whether some other host has more than one key. */
  get changing(): boolean {
    return this.#changing().next().done === false;
  }

  /** Lines for people. */
  get warnings(): string[] {
    const { encryption, control } = this.#parts;
    if (!encryption.needed && !encryption.problem) return [];
    const problem = encryption.problem && `${encryption.problem.what}: ${encryption.problem.remedy}`;
    if (encryption.devices.length === 0) return problem === undefined ? [] : [problem];
    this.#parts.attempt('look at the sessions of WireGuard', () => encryption.observe());
    const own = encryption.devices.map(({ key }) => key.publicKey);
    const twins = twinsOf(control.remotes.nodes, own);
    const states = [...control.remotes.nodes].map(({ name, wireguard }): EncryptionState => {
      const twin = twins.get(name);
      if (twin !== undefined) return { name, hasKey: true, twin };
      const to = encryption.pathTo(wireguard)?.to.publicKey;
      const peer = to === undefined ? undefined : encryption.peer(to);
      return { name, hasKey: wireguard.length > 0, ...(peer ? { lastHandshake: peer.lastHandshake } : {}) };
    });
    return [...(problem === undefined ? [] : [problem]), ...encryptionWarnings(states, Date.now())];
  }

  *#changing(): Generator<PlacedNode> {
    for (const node of this.#parts.control.remotes.nodes) if (node.wireguard.length > 1) yield node;
  }
}
