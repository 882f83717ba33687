import { expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import { createServiceRequest } from '../api/schemas/service.ts';
import type { Network } from '../model/network.ts';
import { parseHealth, parseServicePort, planService } from './plan-service.ts';

const network = { id: 'n', name: 'web', subnets: [{ cidr: '10.88.0.0/16' }] } as unknown as Network;
const ask = (change: object) => ({
  ...createServiceRequest.parse({
    ...{ name: 'shop', network: 'web', vip: '10.88.0.200', ports: ['80:8080'], select: { app: 'shop' } },
    ...change,
  }),
});

function code(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof VetchError ? error.code : String(error);
  }
  return 'no error';
}

test.each([
  ['80', { protocol: 'tcp', port: 80, targetPort: 80 }],
  ['80:8080', { protocol: 'tcp', port: 80, targetPort: 8080 }],
  ['53/udp', { protocol: 'udp', port: 53, targetPort: 53 }],
  ['65535:1/tcp', { protocol: 'tcp', port: 65535, targetPort: 1 }],
])('%s is a port', (spec, port) => {
  expect(parseServicePort(spec)).toEqual(port);
});

test.each(['', '0', '65536', '80:', ':80', '80:0', '80/sctp', '80-90', ' 80', '80:80:80'])('%j is none', (spec) => {
  expect(code(() => parseServicePort(spec))).toBe('INVALID');
});

test('a health check is tcp, or a path', () => {
  expect([parseHealth('tcp'), parseHealth('http:/ok')]).toEqual([{}, { path: '/ok' }]);
  for (const text of ['', 'udp', 'http:', 'http:ok', 'http:/a b'])
    expect(code(() => parseHealth(text))).toBe('INVALID');
});

const made = { id: 'abc', number: 7 };

test('a request is planned with its defaults, or refused', () => {
  expect(planService(ask({}), network, made)).toMatchObject({
    ...made,
    algorithm: 'maglev',
    affinity: 0,
    network: 'n',
  });
  expect(planService(ask({}), network, made)).not.toHaveProperty('health');
  expect(code(() => planService(ask({ ports: ['80', '80:81'] }), network, made))).toBe('INVALID');
  expect(code(() => planService(ask({ select: {} }), network, made))).toBe('INVALID');
  expect(code(() => planService(ask({ vip: 'fd00::1' }), network, made))).toBe('ADDRESS_OUTSIDE_POOL');
  expect(code(() => planService(ask({ ports: ['53/udp'], health: 'tcp' }), network, made))).toBe('INVALID');
});
