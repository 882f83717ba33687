import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { VetchError } from '../../api/error.ts';

export type Path = readonly PropertyKey[];

/** One document of a YAML stream, and where its fields stand. */
export interface LocatedDocument {
  /** Plain JSON data. */
  readonly data: unknown;
  /** 1-based line of the field, else of the nearest one that holds it. */
  line(path: Path): number;
}

/**
 * The documents of a YAML stream; empty ones are left out. JSON is YAML.
 *
 * @param file what the text is called in errors
 * @throws VetchError INVALID with file and line: not YAML
 */
export function parseLocatedYaml(text: string, file: string): LocatedDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: false });
  if (!Array.isArray(documents)) return [];
  return documents
    .filter((document) => document.errors.length + document.warnings.length > 0 || document.contents !== null)
    .filter((document) => !isEmpty(document))
    .map((document) => locate(document, lines, file));
}

function isEmpty(document: Document): boolean {
  return document.errors.length === 0 && isScalar(document.contents) && document.contents.value === null;
}

function locate(document: Document, lines: LineCounter, file: string): LocatedDocument {
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw notYaml(file, lines.linePos(problem.pos[0]).line, problem.message, problem);
  const lineOf = (node: Node | undefined): number => lines.linePos(node?.range?.[0] ?? 0).line;
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw notYaml(file, lineOf(document.contents ?? undefined), what, cause);
  }
  return { data, line: (path) => lineOf(nodeAt(document, path)) };
}

/** The node of a path's last step that is there; of a field its key, so that a key without a value has a line too. */
function nodeAt(document: Document, path: Path): Node | undefined {
  let value: unknown = document.contents;
  let found = document.contents ?? undefined;
  for (const step of path) {
    if (isMap(value)) {
      const pair = value.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return found;
      if (isScalar(pair.key)) found = pair.key;
      value = pair.value;
    } else if (isSeq<Node>(value) && typeof step === 'number') {
      const item = value.items[step];
      if (item === undefined) return found;
      found = item;
      value = item;
    } else return found;
  }
  return found;
}

function notYaml(file: string, line: number, what: string, cause: unknown): VetchError {
  const [first = ''] = what.split('\n');
  return new VetchError('INVALID', `${file}:${line}: this is not YAML: ${first}`, 'correct it there', { cause });
}
