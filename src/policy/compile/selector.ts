import type { LabelSelector } from '../../model/policy.ts';

/** One thing that must hold of labels. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: ReadonlySet<string>;
}

/** All of them must hold; none: everything matches. */
export type Selector = readonly Requirement[];

/** In one order, so that equal selectors look alike. */
export function compileSelector(selector: LabelSelector = {}): Selector {
  const requirements: Requirement[] = [
    ...Object.entries(selector.matchLabels ?? {}).map(
      ([key, value]): Requirement => ({ key, operator: 'In', values: new Set([value]) }),
    ),
    ...(selector.matchExpressions ?? []).map(
      ({ key, operator, values = [] }): Requirement => ({ key, operator, values: new Set([...values].sort()) }),
    ),
  ];
  return requirements.sort((a, b) => (describe(a) < describe(b) ? -1 : 1));
}

/** Equal for equal selectors. */
export function selectorKey(selector: Selector): string {
  return selector.map(describe).join(',');
}

/** As in Kubernetes: a missing label is none of any values. */
export function selects(selector: Selector, labels: ReadonlyMap<string, string>): boolean {
  for (const { key, operator, values } of selector) {
    const value = labels.get(key);
    if (operator === 'In' && (value === undefined || !values.has(value))) return false;
    if (operator === 'NotIn' && value !== undefined && values.has(value)) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

function describe({ key, operator, values }: Requirement): string {
  return JSON.stringify([key, operator, ...values]);
}
