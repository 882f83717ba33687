import { expect, test } from 'vitest';
import { countReport } from './count.ts';

const report = {
  success: true,
  numPassedTests: 3,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [],
};

test('todo tests count as skipped', () => {
  expect(countReport(report)).toEqual({ passed: 3, failed: 0, skipped: 2, failures: [] });
});

test('a failed test is named', () => {
  const assertionResults = [
    { status: 'failed', fullName: 'a thing breaks' },
    { status: 'passed', fullName: 'a thing holds' },
  ];
  const testResults = [{ name: 'a.test.ts', status: 'failed', assertionResults }];
  expect(countReport({ ...report, success: false, testResults })).toEqual({
    ...{ passed: 3, failed: 1, skipped: 2 },
    failures: ['a.test.ts: a thing breaks'],
  });
});

test('a file that does not even load counts as a failure', () => {
  const testResults = [{ name: 'a.test.ts', status: 'failed', assertionResults: [] }];
  expect(countReport({ ...report, success: false, testResults })).toMatchObject({
    failed: 1,
    failures: ['a.test.ts: outside of its tests'],
  });
});

test('a run that fails without a failed test counts as a failure', () => {
  expect(countReport({ ...report, success: false })).toMatchObject({ failed: 1, failures: ['the run itself'] });
});
