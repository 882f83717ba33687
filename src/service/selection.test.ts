import { expect, test } from 'vitest';
import type { Endpoint } from '../model/endpoint.ts';
import { ServiceSelection, weightOf } from './selection.ts';
import { aService } from './testing.ts';

const endpoint = (name: string, labels: Record<string, string>, network = 'a'.repeat(64)) =>
  ({ id: name, name, network, labels }) as unknown as Endpoint;
const names = (selection: ServiceSelection, id = service.id) => [...selection.selected(id)].map(({ name }) => name);

const service = aService({ select: { app: 'shop', tier: 'front' } });
const both = { app: 'shop', tier: 'front' };

test('a service has the endpoints of its network that have all of its labels', () => {
  const selection = ServiceSelection.of({
    services: new Map([[service.id, service]]),
    endpoints: new Map(
      [
        endpoint('web', both),
        endpoint('half', { app: 'shop' }),
        endpoint('other half', { tier: 'front' }),
        endpoint('elsewhere', both, 'b'.repeat(64)),
      ].map((one) => [one.id, one]),
    ),
  });
  expect(names(selection)).toEqual(['web']);
});

test('a change tells which services it changes, and no others', () => {
  const selection = new ServiceSelection();
  const other = aService({ id: '6', select: { app: 'till' } });
  selection.putService(service, [endpoint('web', both)]);
  selection.putService(other, []);
  expect([...selection.putEndpoint(endpoint('web', { ...both, color: 'red' }))]).toEqual([]);
  expect([...selection.putEndpoint(endpoint('web', { ...both, 'vetch.io/weight': '2' }))]).toEqual([service.id]);
  expect([...selection.putEndpoint(endpoint('new', both))]).toEqual([service.id]);
  expect([...selection.putEndpoint(endpoint('new', { app: 'till' }))].sort()).toEqual([service.id, other.id]);
  expect([names(selection), names(selection, other.id)]).toEqual([['web'], ['new']]);
  expect([...selection.deleteEndpoint('web')]).toEqual([service.id]);
  expect([...selection.deleteEndpoint('web')]).toEqual([]);
  selection.deleteService(other.id);
  expect([...selection.deleteEndpoint('new')]).toEqual([]);
});

test.each([
  [{}, 1],
  [{ 'vetch.io/weight': '0' }, 0],
  [{ 'vetch.io/weight': '7' }, 7],
  [{ 'vetch.io/weight': '9999' }, 1000],
  [{ 'vetch.io/weight': '100000' }, 1000],
  [{ 'vetch.io/weight': '-1' }, 1],
  [{ 'vetch.io/weight': 'heavy' }, 1],
])('the labels %j weigh %i', (labels, weight) => {
  expect(weightOf({ labels: labels as Record<string, string> })).toBe(weight);
});
