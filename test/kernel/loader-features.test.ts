import { release } from 'node:os';
import { expect, test } from 'vitest';
import { feature, featureNames } from '../../src/loader/features.ts';

const [major = 0, minor = 0] = release().split('.').map(Number);
const atLeast = (since: string) => {
  const [wantedMajor = 0, wantedMinor = 0] = since.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
};

test.each(featureNames)('%s is found exactly on the kernels that have it', (name) => {
  const found = feature(name);
  expect(found.ok, found.detail).toBe(atLeast(found.since));
  expect(feature(name)).toBe(found);
});
