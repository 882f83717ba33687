import { expect, test } from 'vitest';
import { canonicalDomain, matchesDomain } from './domain-name.ts';

test.each<[string, string, boolean]>([
  ['example.com', 'example.com', true],
  ['example.com', 'www.example.com', false],
  ['*.example.com', 'www.example.com', true],
  ['*.example.com', 'a.b.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', 'myexample.com', false],
  ['*.example.com', '.example.com', false],
  ['*.example.com', '*.example.com', true],
  ['example.com', 'example.com.evil.test', false],
  ['*.example.com', 'www.example.com.evil.test', false],
])('%s is for %s: %s', (pattern, name, expected) => {
  expect(matchesDomain(pattern, name)).toBe(expected);
});

test('case and the final dot make no other name', () => {
  expect(canonicalDomain('WWW.Example.COM.')).toBe('www.example.com');
});

test('a letter that is like one of ASCII only beyond it makes another', () => {
  expect(matchesDomain('kubernetes.io', canonicalDomain('\u212aubernetes.io'))).toBe(false);
});
