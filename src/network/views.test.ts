import { expect, test } from 'vitest';
import { endpointView as endpointSchema } from '../api/schemas/endpoint.ts';
import { networkView as networkSchema } from '../api/schemas/network.ts';
import { portView as portSchema } from '../api/schemas/port.ts';
import { indexOf, planned } from './testing.ts';
import { endpointView, networkView, portViews, remoteView } from './views.ts';

const network = planned({ subnets: ['10.1.0.0/24', 'fd00:1::/64'], labels: { team: 'a' } });
const endpoint = {
  ...indexOf(network).attach({ name: 'web' }),
  ports: [
    { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 },
    { protocol: 'tcp', hostAddress: '::', hostPort: 8080, port: 80 },
  ],
} as const;

test('a network is shown as the API promises', () => {
  const view = networkView(network, ['web', 'db']);
  expect(networkSchema.strict().parse(view)).toEqual(view);
  expect(view).toMatchObject({
    subnets: ['10.1.0.0/24', 'fd00:1::/64'],
    gateways: ['10.1.0.1', 'fd00:1::1'],
    endpoints: ['db', 'web'],
  });
});

test('an endpoint is shown as the API promises', () => {
  const view = endpointView(endpoint, network, 256, 'h1');
  expect(endpointSchema.strict().parse(view)).toEqual(view);
  expect(view).toMatchObject({ network: 'frontend', gateways: ['10.1.0.1', 'fd00:1::1'], ports: endpoint.ports });
});

test('an endpoint of another host is shown as what this one knows of it', () => {
  const { id, name, owner, mac, addresses, labels, ports } = endpoint;
  const remote = { id, name, network: network.id, owner, mac, addresses, labels, ports, node: 'h2' };
  const view = remoteView(remote, network, 256);
  expect(endpointSchema.strict().parse(view)).toEqual(view);
  expect(view).toMatchObject({ node: 'h2', hostIfname: '', addresses: endpoint.addresses });
});

test('each published port is shown beside the address of its family', () => {
  const views = portViews(endpoint, network);
  for (const view of views) expect(portSchema.strict().parse(view)).toEqual(view);
  expect(views.map(({ hostAddress, address }) => [hostAddress, address])).toEqual([
    ['0.0.0.0', '10.1.0.2'],
    ['::', 'fd00:1::2'],
  ]);
});

test('a port that every host of the cluster leads to is shown as one', () => {
  const [first, second] = endpoint.ports;
  const ports = [{ ...first, scope: 'cluster' as const }, second];
  const views = portViews({ ...endpoint, ports }, network);
  for (const view of views) expect(portSchema.strict().parse(view)).toEqual(view);
  expect(views.map(({ scope }) => scope)).toEqual(['cluster', undefined]);
});

test('a port whose answers take the direct way is shown as one', () => {
  const [first, second] = endpoint.ports;
  const ports = [{ ...first, scope: 'cluster' as const, return: 'direct' as const }, second];
  const views = portViews({ ...endpoint, ports }, network);
  for (const view of views) expect(portSchema.strict().parse(view)).toEqual(view);
  expect(views.map((view) => view.return)).toEqual(['direct', undefined]);
});
