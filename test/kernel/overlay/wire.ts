import type { Netns } from '../../../src/netlink/netns.ts';
import { Background } from '../../lab/process.ts';
import * as build from '../packet/build.ts';
import { vxlan } from '../tables/say.ts';

const program = new URL('../../lab/programs/wire.py', import.meta.url).pathname;

/** The device that stands for WireGuard's. */
export const wireDevice = 'vetchwg0';

/** A host that the wire leads to. */
export interface WireEnd {
  readonly netns: Netns;
  /** Those of its keys: nobody else sends under them. */
  readonly keys: readonly string[];
}

/** What lies between the WireGuard devices of hosts, where a tun device stands for each; see wire.py. */
export class Wire implements AsyncDisposable {
  readonly #ends: readonly WireEnd[];
  readonly #process: Background;
  #brought = 0;

  private constructor(ends: readonly WireEnd[]) {
    this.#ends = ends;
    const hosts = ends.map(({ netns, keys }) => ({
      ...{ netns: `/proc/${process.pid}/fd/${netns.fd}`, device: wireDevice, addresses: keys },
    }));
    this.#process = new Background(['python3', program, JSON.stringify(hosts)]);
  }

  static async between(...ends: readonly WireEnd[]): Promise<Wire> {
    const wire = new Wire(ends);
    await wire.#process.until(/ready/);
    return wire;
  }

  /** Has a packet come out of a host's device. @param train of UDP that it is to be taken for: the size of its segments */
  async bring(to: WireEnd, packet: Uint8Array, train?: number): Promise<void> {
    const size = train === undefined ? '' : `${train} `;
    const hex = Buffer.from(packet).toString('hex');
    this.#process.child.stdin?.write(`${this.#ends.indexOf(to)} ${size}${hex}\n`);
    await this.#process.until(new RegExp(`brought ${++this.#brought}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** What a tunnel between keys looks like to the device. */
export interface CryptTunnel {
  readonly from: string;
  readonly to: string;
  readonly vni: number;
  readonly flags?: number;
  readonly trafficClass?: number;
}

/** A frame in a tunnel between keys. */
export function inCryptTunnel(frame: Uint8Array, { from, to, vni, flags, trafficClass = 0 }: CryptTunnel): Uint8Array {
  return build
    .packet(
      build.eth({ source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' }),
      build.ipv6({ source: from, destination: to, trafficClass }),
      build.udp({ source: 0, destination: 0, checksum: 0 }),
      vxlan(vni, frame, flags),
    )
    .subarray(14);
}
