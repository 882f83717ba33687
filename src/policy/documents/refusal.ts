import type { z } from 'zod';
import { VetchError } from '../../api/error.ts';
import type { LocatedDocument, Path } from './located-yaml.ts';

type CustomIssue = {
  code: 'custom';
  message: string;
  path: PropertyKey[];
  params?: Record<string, unknown>;
};

/** What a schema says of a value it refuses: `what; what to do`. */
export function refused(what: string, remedy: string): string {
  return `${what}; ${remedy}`;
}

/** For `addIssue`: the field asks for something that this host lacks. */
export function unsupported(what: string, remedy: string, path: Path = []): CustomIssue {
  return { ...invalid(what, remedy, path), params: { unsupported: true } };
}

/** For `addIssue`: a rule that concerns more than one field. */
export function invalid(what: string, remedy: string, path: Path = []): CustomIssue {
  return { code: 'custom', message: refused(what, remedy), path: [...path] };
}

/** `spec.ingress[0].from[1].ipBlock`; a key with a dot in it is quoted in brackets. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/** `file:line: path: what`, and what to do as the hint. */
export function refusal(
  code: 'INVALID' | 'UNSUPPORTED',
  file: string,
  document: LocatedDocument,
  path: Path,
  message: string,
): VetchError {
  const split = message.lastIndexOf('; ');
  const [what, remedy] = split === -1 ? [message, 'correct it'] : [message.slice(0, split), message.slice(split + 2)];
  const where = path.length === 0 ? '' : `${formatPath(path)}: `;
  return new VetchError(code, `${file}:${document.line(path)}: ${where}${what}`, remedy);
}

/** The first thing that a schema found wrong, as a refusal. */
export function refusalOf(error: z.ZodError, file: string, document: LocatedDocument): VetchError {
  const issue = deepest(error.issues);
  if (issue === undefined) return refusal('INVALID', file, document, [], 'the document is wrong');
  const [key = ''] = issue.code === 'unrecognized_keys' ? issue.keys : [];
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, key] : issue.path;
  const lacked = issue.code === 'custom' && issue.params?.unsupported === true;
  return refusal(lacked ? 'UNSUPPORTED' : 'INVALID', file, document, path, `${seen(issue)}${explain(issue)}`);
}

/** A field that is unknown says more than one that is missing beside it: it is often the same, misspelt. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  return issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0];
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return refused('there is no such field', 'correct its name, or leave it out');
  if (issue.message.includes('; ')) return issue.message;
  return refused(issue.message.toLowerCase(), 'correct it');
}

/** The value, where what is said about it does not show it: `70000 ` before `is no port`. */
function seen({ input, message }: z.core.$ZodIssue): string {
  const isShown = typeof input === 'string' || typeof input === 'number';
  return isShown && /^is (?!missing)/.test(message) ? `${JSON.stringify(input)} ` : '';
}
