import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import * as build from './build.ts';
import { decode, wrongChecksums } from './decode.ts';

const ethernet = build.eth({ destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' });
const ends4 = { source: '10.88.0.2', destination: '10.88.0.3' };
const ends6 = { source: 'fd00:88::2', destination: 'fd00:88::3' };

const transports = {
  tcp: build.tcp({ source: 40000, destination: 80, options: Uint8Array.of(2, 4, 5, 180) }),
  udp: build.udp({ source: 40000, destination: 53 }),
  sctp: build.sctp({ source: 40000, destination: 9 }),
};

for (const [name, transport] of Object.entries(transports)) {
  for (const size of [0, 1, 2, 33, 1000]) {
    test(`${name} with ${size} bytes has the checksums that an independent decoder expects`, () => {
      const content = size > 0 ? [build.payload(size)] : [];
      for (const packet of [
        build.packet(ethernet, build.ipv4(ends4), transport, ...content),
        build.packet(ethernet, build.ipv6(ends6), transport, ...content),
      ]) {
        const decoded = decode(packet);
        expect(wrongChecksums(decoded)).toEqual([]);
        expect(decoded).toMatchObject({ [name]: { source: 40000 } });
      }
    });
  }
}

test('a flipped bit anywhere behind the Ethernet header is noticed by some checksum', () => {
  const packet = build.packet(ethernet, build.ipv4(ends4), transports.tcp, build.payload(5));
  // The version and the lengths decide what a checksum covers at all.
  for (let at = 22; at < packet.length; at++) {
    if (at === 23 || at === 46) continue;
    const flipped = decode(build.patched(packet, at, [(packet[at] ?? 0) ^ 4]));
    const noticed = wrongChecksums(flipped).length > 0 || flipped.ip?.fragment !== undefined;
    expect(noticed, `byte ${at}`).toBe(true);
  }
});

test('tcpdump agrees on every kind of packet', () => {
  const quoted = [build.ipv4(ends4), transports.udp, build.payload(8)];
  const packets = {
    'ethertype ARP': build.packet(
      ethernet,
      build.arp({ operation: 'request', senderMac: '02:00:00:00:00:01', senderIp: '10.88.0.2', targetIp: '10.88.0.1' }),
    ),
    'Flags \\[S\\], cksum 0x[0-9a-f]+ \\(correct\\)': build.packet(ethernet, build.ipv4(ends4), transports.tcp),
    'udp sum ok': build.packet(ethernet, build.ipv4(ends4), transports.udp, build.payload(3)),
    sctp: build.packet(ethernet, build.ipv6(ends6), transports.sctp),
    'ICMP echo request': build.packet(ethernet, build.ipv4(ends4), build.echo(4, 'request')),
    'ICMP6, echo request': build.packet(ethernet, build.ipv6(ends6), build.echo(6, 'request')),
    'unreachable - need to frag \\(mtu 1400\\)': build.packet(
      ethernet,
      build.ipv4(ends4),
      build.icmpErrors.fragmentationNeeded(1400),
      ...quoted,
    ),
    'packet too big, mtu 1300': build.packet(
      ethernet,
      build.ipv6(ends6),
      build.icmpErrors.packetTooBig(1300),
      build.ipv6(ends6),
      transports.udp,
    ),
    'neighbor solicitation': build.packet(
      ethernet,
      build.ipv6(ends6),
      build.neighbourSolicitation('fd00:88::3', '02:00:00:00:00:01'),
    ),
    'neighbor advertisement': build.packet(
      ethernet,
      build.ipv6(ends6),
      build.neighbourAdvertisement('fd00:88::3', '02:00:00:00:00:01'),
    ),
    'router advertisement': build.packet(ethernet, build.ipv6(ends6), build.routerAdvertisement('02:00:00:00:00:01')),
    'multicast listener report v2': build.packet(
      ethernet,
      build.ipv6({ ...ends6, hopLimit: 1 }),
      build.extension('hop-by-hop', build.routerAlert),
      build.mldReport('ff02::fb'),
    ),
    'frag \\(0x00001234:0\\|16\\)':
      build.fragments6(ethernet, ends6, [transports.udp, build.payload(32)], [16])[0] ?? new Uint8Array(),
  };
  for (const [pattern, bytes] of Object.entries(packets)) {
    const decoded = decode(bytes);
    expect(wrongChecksums(decoded), pattern).toEqual([]);
    const output = execFileSync('tcpdump', ['-n', '-e', '-vv', '-r', '-'], {
      input: pcap(bytes),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    expect(output).toMatch(new RegExp(pattern));
    expect(output).not.toMatch(/bad |incorrect|wrong/);
  }
});

test('fragments carry the whole packet between them', () => {
  const parts = build
    .fragments4(ethernet, ends4, [transports.udp, build.payload(64)], [24, 48])
    .map((bytes) => decode(bytes));
  expect(parts.map((part) => part.ip?.fragment)).toEqual([
    { id: 0x1234, offset: 0, more: true },
    { id: 0x1234, offset: 24, more: true },
    { id: 0x1234, offset: 48, more: false },
  ]);
  expect(parts.map((part) => part.payload.length)).toEqual([16, 24, 24]);
});

/** A capture file of one packet. */
function pcap(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(bytes.length, 32);
  header.writeUInt32LE(bytes.length, 36);
  return Buffer.concat([header, bytes]);
}
