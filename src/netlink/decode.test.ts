import { describe, expect, test } from 'vitest';
import { decodeAcknowledgement, refusal } from './acknowledgement.ts';
import { decodeAddress } from './address.ts';
import { decodeFilter } from './filter.ts';
import { decodeLink, decodeLinkSummary } from './link.ts';
import { decodeMessages, type Message, MessageType } from './message.ts';
import { decodeEvent } from './monitor.ts';
import { decodeNeighbour } from './neighbour.ts';
import type { Payload } from './payload.ts';
import { decodeQdisc } from './qdisc.ts';
import { decodeRoute } from './route.ts';
import { answers } from './testing/recorded.ts';

function messages(datagrams: readonly string[]): Message[] {
  return datagrams.flatMap((text) => {
    const bytes = Buffer.from(text, 'hex');
    return [...decodeMessages(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length)];
  });
}

function decoded<T>(datagrams: readonly string[], decode: (payload: Payload) => T | undefined): T[] {
  return messages(datagrams)
    .filter((message) => message.type !== MessageType.DONE)
    .map((message) => decode(message.payload))
    .filter((item) => item !== undefined);
}

describe('an answer of the kernel is read as', () => {
  test('devices: what they are, what they belong to, and where their other end is', () => {
    const links = decoded(answers.links, decodeLink);
    for (const [at, summary] of decoded(answers.links, decodeLinkSummary).entries())
      expect(links[at]).toMatchObject(summary);
    expect(links.map(({ name, kind, index }) => [index, name, kind])).toEqual([
      [1, 'lo', undefined],
      [2, 'br0', 'bridge'],
      [3, 'vt0', 'veth'],
      [4, 'p1', 'veth'],
      [5, 'p0', 'veth'],
    ]);
    const [lo, , vt0, p1] = links;
    expect(lo).toMatchObject({ loopback: true, ethernet: false, up: false, mtu: 65536 });
    expect(lo).not.toHaveProperty('mac');
    expect(vt0).toMatchObject({
      mac: '02:00:00:00:00:01',
      mtu: 1450,
      master: 2,
      linkIndex: 2,
      linkNetnsId: 0,
      alias: 'web',
      up: true,
      noarp: true,
      ethernet: true,
      operstate: 'lowerlayerdown',
    });
    expect(p1).toMatchObject({ linkIndex: 5, operstate: 'up', noarp: false });
    expect(p1).not.toHaveProperty('linkNetnsId');
    expect(p1).not.toHaveProperty('master');
    expect(p1).not.toHaveProperty('xdp');
  });

  test('addresses of both families, with the flags that say whether to send from them', () => {
    const addresses = decoded(answers.addresses, decodeAddress);
    expect(addresses.map(({ cidr, family, scope, secondary }) => [cidr, family, scope, secondary])).toEqual([
      ['10.88.0.1/16', 4, 'universe', false],
      ['10.88.0.9/16', 4, 'universe', true],
      ['fe80::ff:fe00:4/64', 6, 'link', true],
      ['fd00:88::1/64', 6, 'universe', false],
      ['fe80::ff:fe00:3/64', 6, 'link', true],
    ]);
    expect(addresses[0]).toMatchObject({ ifindex: 5, prefixLength: 16 });
    expect([...(addresses[0]?.address ?? [])].slice(10)).toEqual([255, 255, 10, 88, 0, 1]);
    expect(addresses[0]).not.toHaveProperty('peer');
  });

  test('routes of all tables, with their sources, metrics and gateways', () => {
    const routes = decoded(answers.routes, decodeRoute);
    expect(routes.find(({ destination }) => destination === '172.20.0.0/16')).toEqual({
      family: 4,
      destination: '172.20.0.0/16',
      gateway: '10.88.0.2',
      ifindex: 5,
      source: '10.88.0.9',
      scope: 'universe',
      onlink: false,
      metric: 7,
      table: 1000,
      type: 'unicast',
      protocol: 4,
    });
    expect(routes.find(({ destination }) => destination === '172.21.0.0/16')).toMatchObject({
      gateway: '192.0.2.1',
      onlink: true,
      table: 254,
    });
    expect(routes.find(({ destination }) => destination === 'fd01::/48')).toMatchObject({
      family: 6,
      gateway: 'fd00:88::2',
      metric: 1024,
    });
    expect(routes.find(({ destination }) => destination === '10.88.255.255/32')).toMatchObject({
      type: 'broadcast',
      table: 255,
      scope: 'link',
    });
  });

  test('a default route that leads nowhere', () => {
    const [route] = decoded(answers.unreachable, decodeRoute);
    expect(route).toMatchObject({ destination: '0.0.0.0/0', type: 'unreachable', metric: 4278198272 });
    expect(route).not.toHaveProperty('ifindex');
  });

  test('neighbours and how far they are believed', () => {
    expect(decoded(answers.neighbours, decodeNeighbour)).toEqual(
      expect.arrayContaining([
        { ifindex: 5, family: 4, address: '10.88.0.2', mac: '02:00:00:00:00:05', state: 'permanent' },
        { ifindex: 5, family: 6, address: 'fd00:88::2', mac: '02:00:00:00:00:06', state: 'stale' },
      ]),
    );
  });

  test('qdiscs, and the block that clsact shares', () => {
    expect(decoded(answers.qdiscs, decodeQdisc)).toContainEqual({
      ifindex: 5,
      kind: 'clsact',
      handle: 0xffff0000,
      parent: 0xfffffff1,
      ingressBlock: 30309,
    });
  });

  test('filters of a block and of a device, with the program that each runs', () => {
    const common = { kind: 'bpf', name: 'tc_verdict', directAction: true };
    const program = { programId: expect.any(Number), programTag: expect.stringMatching(/^[0-9a-f]{16}$/) };
    expect(decoded(answers.block, decodeFilter)).toEqual([
      { block: 30309, handle: 5, priority: 2, ...common, ...program },
    ]);
    expect(decoded(answers.egress, decodeFilter)).toEqual([
      { ifindex: 5, handle: 1, priority: 1, ...common, ...program },
    ]);
  });

  test('a refusal, with the words that come with it', () => {
    const [message] = messages(answers.refused);
    if (!message) throw new Error('nothing was recorded');
    const acknowledgement = decodeAcknowledgement(message);
    expect(acknowledgement).toEqual({ errno: 101, detail: 'Nexthop has invalid gateway' });
    const request = { type: 24, flags: 0, payload: new Uint8Array(), operation: 'add route', object: '9.0.0.0/8' };
    expect(refusal(request, acknowledgement)).toMatchObject({
      code: 'ENETUNREACH',
      message: 'cannot add route 9.0.0.0/8: ENETUNREACH: Nexthop has invalid gateway',
    });
  });

  test('the acknowledgement of what was granted', () => {
    const [message] = messages(answers.granted);
    if (!message) throw new Error('nothing was recorded');
    expect(decodeAcknowledgement(message)).toEqual({ errno: 0 });
  });
});

describe('an event', () => {
  test('is what came or went', () => {
    const [link] = messages(answers.links);
    if (!link) throw new Error('nothing was recorded');
    expect(decodeEvent(link)).toMatchObject({ kind: 'link', removed: false, link: { name: 'lo' } });
    expect(decodeEvent({ ...link, type: 17 })).toMatchObject({ kind: 'link', removed: true, link: { name: 'lo' } });
  });

  test('of a bridge that loses a port is not that of a device that goes', () => {
    const [, bytes = ''] = answers.links;
    const ofBridge = `${bytes.slice(0, 32)}07${bytes.slice(34)}`;
    const [message] = messages([ofBridge]);
    if (!message) throw new Error('nothing was recorded');
    expect(decodeEvent({ ...message, type: 17 })).toBeUndefined();
  });
});
