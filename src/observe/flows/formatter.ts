import type { FlowEnd, FlowView } from '../../api/schemas/flow.ts';
import { dropReasonName, Hook, Verdict } from '../../maps/generated/abi.ts';
import { formatAddress } from '../../model/address.ts';
import { ownerOfWire } from '../host-wire.ts';
import { frameProtocolName } from '../protocol.ts';
import type { KtimeClock } from './clock.ts';
import type { FlowDirectory, FlowPeer } from './directory.ts';
import { at, type Records } from './record.ts';

/** Ends that are kept before all are forgotten. */
const maxKept = 8192;

/** v4-mapped addresses begin with these words. */
const v4Word = new Int32Array(Uint8Array.of(0, 0, 0xff, 0xff).buffer)[0] as number;

const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];
const tcpFlagsOf = Array.from({ length: 256 }, (_, flags) => flagNames.filter((_, bit) => flags & (1 << bit)));
const noFlags: readonly string[] = [];
const noLabels: Readonly<Record<string, string>> = {};
const verdictOf = new Map<number, FlowView['verdict']>(
  Object.entries(Verdict).map(([name, number]) => [number, name as FlowView['verdict']]),
);

interface KnownAddress {
  readonly ip: string;
  readonly peer: FlowPeer | undefined;
}

export interface FormatterOptions {
  readonly clock: KtimeClock;
  readonly directory: FlowDirectory;
  /** Name of this host. */
  readonly node: string;
}

/** Makes the objects that users see of raw records. */
export class FlowFormatter {
  readonly #clock: KtimeClock;
  readonly #directory: FlowDirectory;
  readonly #node: string;
  #version: number | undefined;
  /** By the address's last word and network. */
  readonly #v4 = new Map<number, KnownAddress>();
  readonly #v6 = new Map<string, KnownAddress>();

  constructor({ clock, directory, node }: FormatterOptions) {
    this.#clock = clock;
    this.#directory = directory;
    this.#node = node;
    this.#version = directory.version;
  }

  /** The record at byte `offset`, a multiple of 8. */
  view(records: Records, offset: number): FlowView {
    if (this.#directory.version === undefined || this.#directory.version !== this.#version) this.#forget();
    const { bytes, words } = records;
    const word = (field: number) => (words[(offset + field) >> 2] as number) >>> 0;
    const byte = (field: number) => bytes[offset + field] as number;
    const protocol = byte(at.protocol);
    const verdict = byte(at.verdict);
    const network = word(at.network);
    const decision = word(at.decision);
    return {
      time: this.#clock.format(word(at.time + 4), word(at.time)),
      verdict: verdictOf.get(verdict) ?? 'AUDIT',
      reason: verdict === Verdict.DROPPED ? dropReasonName(byte(at.reason) | (byte(at.reason + 1) << 8)) : null,
      source: this.#end(records, offset, at.source, at.sourcePort, word(at.sourceIdentity), network, protocol),
      destination: this.#end(
        records,
        offset,
        at.destination,
        at.destinationPort,
        word(at.destinationIdentity),
        network,
        protocol,
      ),
      protocol: frameProtocolName(protocol, byte(at.ethertype) | (byte(at.ethertype + 1) << 8)),
      tcpFlags: protocol === 6 ? (tcpFlagsOf[byte(at.tcpFlags)] ?? noFlags) : noFlags,
      network: network === 0 ? null : (this.#directory.networkName(network) ?? String(network)),
      node: this.#node,
      decidedBy: decision === 0 ? null : this.#directory.decidedBy(decision),
    };
  }

  #end(
    { bytes, words }: Records,
    offset: number,
    address: number,
    port: number,
    identity: number,
    network: number,
    protocol: number,
  ): FlowEnd {
    const { ip, peer } =
      this.#ownEnd(bytes, offset, address, network) ?? this.#known(bytes, words, offset + address, network);
    const where = offset + port;
    return {
      ip,
      port:
        protocol === 6 || protocol === 17 || protocol === 132
          ? ((bytes[where] as number) << 8) | (bytes[where + 1] as number)
          : null,
      endpoint: peer?.name ?? null,
      // A packet that is dropped early has been given no identity yet.
      identity: identity === 0 ? (peer?.identity ?? 0) : identity,
      labels: peer?.labels ?? noLabels,
    };
  }

  /** The end of a packet that is the endpoint's whose cgroup saw it; undefined: it is another's. */
  #ownEnd(bytes: Uint8Array, offset: number, address: number, network: number): KnownAddress | undefined {
    const owner = ownerOfWire(network);
    const own = bytes[offset + at.hook] === Hook.CGROUP_EGRESS ? at.source : at.destination;
    if (owner === undefined || address !== own) return undefined;
    const ip = formatAddress(Uint8Array.prototype.slice.call(bytes, offset + address, offset + address + 16));
    return { ip, peer: this.#directory.endpointNumbered?.(owner) };
  }

  #known(bytes: Uint8Array, words: Int32Array, where: number, network: number): KnownAddress {
    const word = where >> 2;
    const last = words[word + 3] as number;
    if (words[word + 2] === v4Word && words[word + 1] === 0 && words[word] === 0) {
      const key = network * 4_294_967_296 + (last >>> 0);
      return this.#v4.get(key) ?? this.#learn(this.#v4, key, bytes, where, network);
    }
    const key = `${network} ${words[word]} ${words[word + 1]} ${words[word + 2]} ${last}`;
    return this.#v6.get(key) ?? this.#learn(this.#v6, key, bytes, where, network);
  }

  #learn<Key>(kept: Map<Key, KnownAddress>, key: Key, bytes: Uint8Array, where: number, network: number): KnownAddress {
    const address = Uint8Array.prototype.slice.call(bytes, where, where + 16);
    const peer =
      this.#directory.endpointAt(network, address) ??
      (network === 0 ? undefined : this.#directory.endpointAt(0, address));
    const known = { ip: formatAddress(address), peer };
    if (kept.size >= maxKept) kept.clear();
    kept.set(key, known);
    return known;
  }

  #forget(): void {
    this.#version = this.#directory.version;
    this.#v4.clear();
    this.#v6.clear();
  }
}
