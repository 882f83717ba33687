import { expect, test } from 'vitest';
import { publishesOnAllHosts, returnsDirectly } from './publish-scope.ts';
import { planned } from './testing.ts';

test.each([
  ['overlay', undefined, undefined, false],
  ['overlay', 'cluster', undefined, true],
  ['overlay', undefined, 'cluster', true],
  ['overlay', 'cluster', 'host', false],
  ['bridge', undefined, 'cluster', false],
] as const)('an endpoint of a network of driver %s, of %s and itself of %s, publishes on all hosts: %s', (...given) => {
  const [driver, ofNetwork, own, expected] = given;
  const options = (value: string | undefined) => (value === undefined ? {} : { 'vetch.publish': value });
  const network = planned({ driver, options: driver === 'bridge' ? {} : options(ofNetwork) });
  expect(publishesOnAllHosts({ options: options(own) }, network)).toBe(expected);
});

test.each([
  [{ 'vetch.publish': 'cluster' }, {}, false],
  [{ 'vetch.publish': 'cluster' }, { 'vetch.publish.return': 'direct' }, true],
  [{ 'vetch.publish': 'cluster', 'vetch.publish.return': 'direct' }, {}, true],
  [{ 'vetch.publish': 'cluster', 'vetch.publish.return': 'direct' }, { 'vetch.publish.return': 'translated' }, false],
  [{ 'vetch.publish': 'cluster', 'vetch.publish.return': 'direct' }, { 'vetch.publish': 'host' }, false],
  [{}, { 'vetch.publish': 'cluster', 'vetch.publish.return': 'direct' }, true],
])(
  'of a network of %j the host of an endpoint of %j answers itself who asks another one: %s',
  (ofNetwork, own, expected) => {
    expect(returnsDirectly({ options: own }, planned({ driver: 'overlay', options: ofNetwork }))).toBe(expected);
  },
);
