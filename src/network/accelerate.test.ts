import { expect, test } from 'vitest';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { isAccelerated, parseAccelerate } from './accelerate.ts';
import { BadValue } from './options.ts';

type Options = Readonly<Record<string, string>>;

const accelerated = (network: Options, endpoint: Options = {}, labels: Options = {}) =>
  isAccelerated({ labels, options: endpoint } as Endpoint, { options: network } as Network);

test.each([
  [{}, {}, false],
  [{ 'vetch.accelerate': 'latency' }, {}, true],
  [{ 'vetch.accelerate': 'latency' }, { 'vetch.accelerate': 'off' }, false],
  [{}, { 'vetch.accelerate': 'latency' }, true],
  [{ 'vetch.accelerate': 'off' }, { 'vetch.accelerate': 'latency' }, true],
])('of a network with %o an endpoint with %o: %s', (network, endpoint, expected) => {
  expect(accelerated(network, endpoint)).toBe(expected);
});

test('what has a limit goes where packets are counted', () => {
  const on = { 'vetch.accelerate': 'latency' };
  expect(accelerated({ ...on, 'vetch.rate.ingress': '1Gbit' })).toBe(false);
  expect(accelerated(on, { 'vetch.rate.egress': '1Gbit' })).toBe(false);
  expect(accelerated(on, {}, { 'vetch.rate.egress': '1Gbit' })).toBe(false);
  expect(accelerated({ ...on, 'vetch.rate.ingress': '1Gbit' }, { 'vetch.rate.ingress': 'none' })).toBe(true);
});

test('it is off or for latency', () => {
  expect(['off', 'latency'].map(parseAccelerate)).toEqual(['off', 'latency']);
  expect(() => parseAccelerate('bulk')).toThrow(BadValue);
});
