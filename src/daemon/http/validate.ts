import type { z } from 'zod';
import { VetchError } from '../../api/error.ts';

type Issue = z.core.$ZodIssue;

/**
 * Gives `input` as `schema` has it, defaults filled in.
 *
 * @throws VetchError INVALID, naming the first field that is wrong, its value and what it must be.
 */
export function validate<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw first
    ? refusal(concrete(first), input)
    : new VetchError('INVALID', 'unreadable request', 'see /v1/openapi.json');
}

function refusal(issue: Issue, input: unknown): VetchError {
  const field = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    const where = field === '' ? '' : ` in ${field}`;
    return new VetchError(
      'INVALID',
      `unknown field ${names}${where}`,
      'leave it out; /v1/openapi.json has those there are',
    );
  }
  const value = valueAt(input, issue.path);
  const must = message(issue);
  if (field === '') return new VetchError('INVALID', 'the request has no readable body', `it ${must}`);
  if (value === undefined) return new VetchError('INVALID', `${field} is missing`, `it ${must}`);
  return new VetchError('INVALID', `${field} is ${shown(value)}`, `it ${must}`);
}

/** Of a union that explains nothing itself, the branch that the input came closest to. */
function concrete(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return issue;
  const distance = (branch: readonly Issue[]) =>
    branch.length +
    2 * branch.reduce((keys, one) => keys + (one.code === 'unrecognized_keys' ? one.keys.length : 0), 0);
  const [closest] = issue.errors.toSorted((a, b) => distance(a) - distance(b));
  const inner = closest?.[0];
  return inner ? concrete({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}

function message(issue: Issue): string {
  const own = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  if (own.startsWith('must ')) return own;
  if (own.startsWith('at most ')) return `may have ${own}`;
  const expected = /expected (\w+)/.exec(own)?.[1];
  return expected ? `must be ${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}` : `is refused: ${own}`;
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    // A flag given once stands for a list of one.
    if (typeof part === 'number' && !Array.isArray(value)) continue;
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
