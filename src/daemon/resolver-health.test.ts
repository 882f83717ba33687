import { expect, test } from 'vitest';
import type { ResolverView } from '../api/schemas/resolver.ts';
import { judge } from './resolver-health.ts';

const well: ResolverView = {
  ...{ version: '0.1.0', pid: 7, daemon: 'follows', since: '2026-01-31T12:00:00Z', endpoints: 2, queries: {} },
  gateways: [{ network: 'web', address: '10.88.0.1', error: null }],
  upstreams: ['192.0.2.53'],
};

test('a resolver that answers on all gateways is well', () => {
  expect(judge(well, ['web'])).toMatchObject({ ok: true, remedy: null });
});

test.each([
  ['does not run', undefined, 'containers of web find no names'],
  ['lacks a gateway', { ...well, gateways: [{ network: 'web', address: '10.88.0.1', error: 'taken' }] }, '10.88.0.1'],
  ['does not follow', { ...well, daemon: 'away' as const }, 'does not follow'],
])('one that %s is told, with what to do', (_, view, words) => {
  const check = judge(view, ['web']);
  expect(check.ok).toBe(false);
  expect(check.detail).toContain(words);
  expect(check.remedy).toMatch(/./);
});

test("a gateway of a network that nobody is on is nobody's trouble", () => {
  const gateways = [...well.gateways, { network: 'empty', address: '10.99.0.1', error: 'taken' }];
  expect(judge({ ...well, gateways }, ['web']).ok).toBe(true);
});
