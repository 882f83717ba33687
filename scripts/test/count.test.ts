import { expect, test } from 'vitest';
import { countReport } from './count.ts';

const report = {
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [],
};

test('todo tests count as skipped', () => {
  expect(countReport(report)).toEqual({ passed: 3, failed: 0, skipped: 2 });
});

test('a file that does not even load counts as a failure', () => {
  const testResults = [{ status: 'failed', assertionResults: [] }];
  expect(countReport({ ...report, success: false, testResults }).failed).toBe(1);
});

test('a run that fails without a failed test counts as a failure', () => {
  expect(countReport({ ...report, success: false }).failed).toBe(1);
});
