import { expect, test } from 'vitest';
import { clusterNetwork, endpointOptions, isForGateway, networkOptions, portSpecs } from './options.ts';

const portMap = (...entries: object[]) => ({ 'com.docker.network.portmap': entries });

test('a range that is sent from its end is published from its beginning, after what asks for one port', () => {
  const range = { Proto: 6, HostIP: '', HostPort: 8000, HostPortEnd: 8010, Port: 80 };
  expect(
    portSpecs(
      portMap(
        { Proto: 6, Port: 82 },
        range,
        { ...range, HostPort: 9001, HostPortEnd: 9001, Port: 91 },
        { ...range, HostPort: 9000, HostPortEnd: 9000, Port: 90 },
      ),
    ),
  ).toEqual(['9000:90/tcp', '9001:91/tcp', '8000-8010:80/tcp', ':82/tcp']);
});

test('host addresses of both families and all three protocols are read', () => {
  expect(
    portSpecs(
      portMap(
        { Proto: 17, Port: 53, HostIP: '127.0.0.1', HostPort: 53 },
        { Proto: 132, Port: 54, HostIP: '::1', HostPort: 54 },
        { Proto: 6, Port: 55, HostIP: '127.0.0.1', HostPort: 0 },
      ),
    ),
  ).toEqual(['127.0.0.1:53:53/udp', '[::1]:54:54/sctp', '127.0.0.1::55/tcp']);
  expect(portSpecs({})).toEqual([]);
  expect(() => portSpecs(portMap({ Proto: 1, Port: 8 }))).toThrow(/port map/);
});

test('what a user has given is told from what the engine adds', () => {
  expect(networkOptions({ 'com.docker.network.generic': { a: 'b' }, 'com.docker.network.internal': true })).toEqual({
    a: 'b',
  });
  expect(networkOptions({})).toEqual({});
  expect(
    endpointOptions({ 'com.docker.network.endpoint.exposedports': [], 'vetch.accelerate': 'off', other: null }),
  ).toEqual({ 'vetch.accelerate': 'off' });
});

test("of an address pool's options, ours is read; of an address's, whether it is for a gateway", () => {
  expect(clusterNetwork({ 'vetch.network': 'app', other: 'x' })).toBe('app');
  expect(clusterNetwork({ 'vetch.network': 7 })).toBeUndefined();
  expect(isForGateway({ RequestAddressType: 'com.docker.network.gateway' })).toBe(true);
  expect(isForGateway({})).toBe(false);
});
