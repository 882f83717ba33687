import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import { decodeMessages, type Request } from './message.ts';
import type { Netns } from './netns.ts';
import { Payload } from './payload.ts';
import * as request from './requests.ts';
import { requestsOfIproute2 } from './testing/recorded.ts';

const REQUEST_AND_ACK = 5;

/** Sizes of the structs before the attributes, by RTM_NEW*. */
const headerSizes = new Map([
  [16, 16],
  [20, 8],
  [24, 12],
  [28, 12],
  [36, 20],
  [44, 20],
]);
/** Attributes that hold attributes, after a struct of this size, as paths of types. */
const nested: Readonly<Record<string, number>> = { '16/18': 0, '16/18/2': 0, '16/18/2/1': 16, '44/2': 0 };

/**
 * A message as something to compare: attributes in the order of their types, without the flag of nesting and without
 * zeros at the end, since neither the order nor a text's end means anything to the kernel.
 */
function tree(type: number, payload: Payload): unknown {
  const kind = type & ~3;
  const attributes = (part: Payload, path: string, offset: number): unknown =>
    [...part.attributes(offset)]
      .sort(([a], [b]) => a - b)
      .map(([attribute, value]) => {
        const here = `${path}/${attribute}`;
        const size = nested[here];
        if (size === undefined) return [attribute, hex(value).replace(/(00)+$/, '')];
        return [attribute, hex(value).slice(0, 2 * size), attributes(value, here, size)];
      });
  const size = headerSizes.get(kind) ?? 0;
  return [hex(payload).slice(0, 2 * size), attributes(payload, String(kind), size)];
}

const hex = (payload: Payload) => Buffer.from(payload.bytes()).toString('hex');

function recorded(text: string) {
  const bytes = Buffer.from(text, 'hex');
  const [message] = decodeMessages(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length);
  if (!message) throw new Error('no message was recorded');
  return { type: message.type, flags: message.flags, tree: tree(message.type, message.payload) };
}

function built({ type, flags, payload }: Request) {
  return { type, flags: flags | REQUEST_AND_ACK, tree: tree(type, Payload.of(payload)) };
}

const netns = { fd: 4 } as Netns;
const filter = { fd: 4, name: 'tc_verdict:[*fsobj]' };

const cases: readonly (readonly [keyof typeof requestsOfIproute2, Request])[] = [
  [
    'createVeth',
    request.createVeth({
      name: 'vt0',
      mac: '02:00:00:00:00:01',
      mtu: 1450,
      peer: { name: 'eth0', mac: '02:00:00:00:00:02', mtu: 1450, netns },
    }),
  ],
  ['setLink', request.setLink(2, { up: true, noarp: true })],
  ['address4', request.addAddress(2, '10.88.0.2/16')],
  ['address6', request.addAddress(2, 'fd00:88::2/64', { noDad: true })],
  [
    'route4',
    request.addRoute({
      destination: '172.20.0.0/16',
      gateway: '10.88.0.3',
      ifindex: 2,
      source: '10.88.0.2',
      metric: 7,
      table: 1000,
      onlink: true,
    }),
  ],
  ['route6', request.addRoute({ destination: '::/0', gateway: 'fd00:88::1', ifindex: 2 })],
  ['linkRoute', request.addRoute({ destination: '10.99.0.0/16', ifindex: 2, source: '10.88.0.2' })],
  ['deleteRoute', request.deleteRoute({ destination: '10.99.0.0/16', ifindex: 2 })],
  ['neighbour', request.setNeighbour({ ifindex: 2, address: '10.88.0.3', mac: '02:00:00:00:00:05' })],
  ['clsact', request.addClsact(2, { ingressBlock: 30309 })],
  ['blockFilter', request.replaceBpfFilter({ block: 30309, priority: 2, handle: 5, ...filter })],
  ['egressFilter', request.addBpfFilter({ ifindex: 3, parent: 'egress', ...filter })],
];

describe('a request says to the kernel what iproute2 says', () => {
  test.each(cases)('%s', (name, ours) => {
    const theirs = recorded(requestsOfIproute2[name]);
    // iproute2 leaves REPLACE out of filters, where it means nothing but to readers, and has it of neighbours.
    const flags = name === 'blockFilter' ? theirs.flags | 0x100 : theirs.flags;
    expect(built(ours)).toEqual({ ...theirs, flags });
  });

  test('of every kind that was recorded', () => {
    expect(cases.map(([name]) => name).sort()).toEqual(Object.keys(requestsOfIproute2).sort());
  });
});

describe('a request is refused before it is sent', () => {
  test('where a device name is too long for the kernel', () => {
    expect(() => request.createVeth({ name: 'sixteen-bytes-xx', peer: { name: 'x' } })).toThrow(
      "'sixteen-bytes-xx' is not a device's name",
    );
    expect(() => request.setLink(2, { name: '' })).toThrow(VetchError);
  });

  test('where an address is none', () => {
    expect(() => request.addAddress(2, '10.88.0.2/33')).toThrow(/is not a subnet/);
    expect(() => request.addRoute({ destination: '10.0.0.0/8', gateway: 'x' })).toThrow(/is not an IP address/);
    expect(() => request.setNeighbour({ ifindex: 2, address: '10.0.0.1', mac: '02' })).toThrow(/is not a MAC/);
  });

  test('where the families of a route differ', () => {
    expect(() => request.addRoute({ destination: '10.0.0.0/8', gateway: 'fd00::1' })).toThrow(/families differ/);
    expect(() => request.addRoute({ destination: '::/0', source: '10.0.0.1', ifindex: 2 })).toThrow(/families differ/);
  });
});
