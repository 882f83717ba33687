import { readFileSync } from 'node:fs';

/** How many tests ended in which way. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, a line each. */
  readonly failures: readonly string[];
}

export const none: Count = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** One failure. */
export function failure(what: string): Count {
  return { ...none, failed: 1, failures: [what] };
}

export function add(a: Count, b: Count): Count {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures],
  };
}

/** The part of vitest's JSON report that is counted. */
interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Counts a report; a file that failed outside of its tests (an import, a hook) counts as one failure. */
export function countReport(report: Report): Count {
  const failures = report.testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      return tests.length === 0
        ? [`${name}: outside of its tests`]
        : tests.map(({ fullName }) => `${name}: ${fullName}`);
    });
  const counted = { passed: report.numPassedTests, skipped: report.numPendingTests + report.numTodoTests };
  if (failures.length === 0 && !report.success) failures.push('the run itself');
  return { ...counted, failed: failures.length, failures };
}

export function readReport(path: string): Count {
  return countReport(JSON.parse(readFileSync(path, 'utf8')) as Report);
}
