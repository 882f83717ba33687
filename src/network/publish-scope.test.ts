import { expect, test } from 'vitest';
import { publishesOnAllHosts } from './publish-scope.ts';
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
