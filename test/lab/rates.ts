import type { Machine } from './machine.ts';

/** How long a silence is made up for; docs/bandwidth.md. */
export const burstSeconds = 0.25;

/** Starts an iperf3 server on a machine. */
export async function listen(machine: Machine): Promise<void> {
  await machine.spawn('iperf3', '-s', '--forceflush').until(/listening/);
}

export interface Sending {
  readonly seconds: number;
  /** Seconds before them that are not counted. Default: none. */
  readonly warmUp?: number;
  /** Default: 1. */
  readonly streams?: number;
  /** Default: cubic, which most machines have. A container without privileges has but what its host allows. */
  readonly congestion?: 'cubic' | 'bbr' | 'default';
  /** Datagrams in the place of TCP: bits a second, bytes of each. */
  readonly udp?: { readonly bits: number; readonly length: number };
}

export interface Sent {
  readonly seconds: number;
  /** What the receiver was given, without headers. */
  readonly payloadBits: number;
  /** With the headers of IP and TCP, of packets of 1500 bytes. */
  readonly wireBits: number;
  /** Of datagrams. */
  readonly packets: number;
  readonly lost: number;
}

/** Sends as fast as it can, after a silence as long as any burst. */
export async function send(from: Machine, to: string, options: Sending): Promise<Sent> {
  const { seconds, warmUp = 0, streams = 1, congestion = 'cubic', udp } = options;
  await new Promise((resolve) => setTimeout(resolve, 1000 * burstSeconds));
  const streamed = ['-P', String(streams)];
  const tcp = congestion === 'default' ? [] : ['-C', congestion];
  const kind = udp ? ['-u', '-b', String(udp.bits / streams), '-l', String(udp.length)] : tcp;
  const command = ['iperf3', '-c', to, '-t', String(seconds), '-O', String(warmUp), '--json', ...streamed, ...kind];
  const { stdout } = await from.execWith({ timeoutSeconds: seconds + warmUp + 15 }, ...command);
  const { end, error } = JSON.parse(stdout);
  if (error) throw new Error(`iperf3 from ${from.name} to ${to}: ${error}`);
  const { bytes, seconds: took, packets = 0, lost_packets: lost = 0 } = end.sum_received ?? end.sum;
  const headers = to.includes(':') ? 72 : 52;
  return {
    seconds: took,
    payloadBits: 8 * bytes,
    wireBits: udp ? 8 * bytes : onWire(8 * bytes, headers),
    packets,
    lost,
  };
}

/** Payload with its headers: of IP, and of TCP with its timestamps. */
function onWire(bits: number, headers: number): number {
  return (bits * 1500) / (1500 - headers);
}
