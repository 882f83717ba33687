import { expect, test } from 'vitest';
import { checkReturn } from './check-return.ts';

const direct = { 'vetch.publish.return': 'direct' };
const cluster = { 'vetch.publish': 'cluster' };

test.each([
  [{}, {}],
  [{ 'vetch.publish.return': 'translated' }, {}],
  [{ ...direct, ...cluster }, {}],
  [direct, cluster],
  [{ 'vetch.publish': 'host' }, { ...direct, ...cluster }],
])('options %j within %j go together', (own, inherited) => {
  expect(() => checkReturn(own, inherited)).not.toThrow();
});

test.each([
  [direct, {}],
  [{ ...direct, 'vetch.publish': 'host' }, cluster],
  [direct, direct],
])('options %j within %j do not', (own, inherited) => {
  const hint = 'give vetch.publish=cluster along with it, or leave it out';
  expect(() => checkReturn(own, inherited)).toThrow(expect.objectContaining({ code: 'INVALID', hint }));
});
