import { expect, test } from 'vitest';
import type { Endpoint } from './endpoint.ts';
import { leanEndpoint } from './lean-endpoint.ts';

const endpoint: Endpoint = {
  ...{ id: 'b'.repeat(64), number: 1, name: 'web', network: 'a'.repeat(64), owner: 'vetch', ifname: 'eth0' },
  ...{ hostIfname: 'vt00000000001', mac: '02:42:0a:58:00:02', addresses: ['10.88.0.2/16'], netns: '/run/netns/web' },
  ...{ labels: {}, options: {}, ports: [], created: '2026-01-31T12:00:00Z' },
};

test('an endpoint is as it was, whatever it has', () => {
  const full: Required<Endpoint> = {
    ...{ ...endpoint, cgroup: '/sys/fs/cgroup/web', labels: { app: 'web' }, options: { rate: '1' } },
    ports: [{ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 }],
  };
  for (const one of [endpoint, full]) expect(leanEndpoint(one)).toEqual(one);
});

test('what is empty is there once for all', () => {
  const [one, other] = [leanEndpoint(endpoint), leanEndpoint({ ...endpoint, labels: {}, options: {}, ports: [] })];
  expect([one.labels === other.labels, one.options === other.options, one.ports === other.ports]).toEqual([
    ...[true, true, true],
  ]);
});
