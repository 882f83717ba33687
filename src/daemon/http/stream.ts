import { setTimeout as delay } from 'node:timers/promises';
import type { MapDump, Rows } from '../../api/operations.ts';
import { errorReply } from './errors.ts';

/** A body that is made while it is sent. Whoever sends it stops asking when the client is slow. */
export class Streamed {
  readonly contentType: string;
  readonly chunks: AsyncIterable<string>;
  /** Ends the source, also of a body that nobody has begun to read. */
  readonly cancel: () => void;

  constructor(contentType: string, chunks: AsyncIterable<string>, cancel: () => void) {
    this.contentType = contentType;
    this.chunks = chunks;
    this.cancel = cancel;
  }
}

/** Rows that are turned into text together; small enough not to hold up other requests. */
const rowsPerChunk = 256;

/** JSON, with 64-bit numbers as numbers where they are exact and as text where not. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'bigint') return item;
    return item >= Number.MIN_SAFE_INTEGER && item <= Number.MAX_SAFE_INTEGER ? Number(item) : item.toString();
  });
}

/** A JSON array. What fails before the first row is thrown here, so that it is answered as an error. */
export async function jsonArray(rows: Rows<unknown>): Promise<Streamed> {
  const { all, cancel } = await started(rows);
  return new Streamed('application/json; charset=utf-8', arrayText(all), cancel);
}

export async function mapDump(dump: MapDump): Promise<Streamed> {
  const { all, cancel } = await started(dump.entries);
  const head = toJson({ name: dump.name, bpftool: dump.bpftool }).slice(0, -1);
  async function* chunks() {
    yield `${head},"entries":`;
    yield* arrayText(all);
    yield '}';
  }
  return new Streamed('application/json; charset=utf-8', chunks(), cancel);
}

type AnyIterator = AsyncIterator<unknown> | Iterator<unknown>;

interface Started {
  readonly all: Rows<unknown>;
  readonly cancel: () => void;
}

async function started(rows: Rows<unknown>): Promise<Started> {
  if (Array.isArray(rows)) return { all: rows, cancel: () => {} };
  const iterator = iteratorOf(rows);
  return { all: resumed(iterator, await iterator.next()), cancel: () => end(iterator) };
}

function end(iterator: AnyIterator): void {
  // Whoever reads the iterator has been told of its failure; here nobody is left to tell.
  Promise.resolve(iterator.return?.()).catch(() => {});
}

async function* arrayText(rows: Rows<unknown>): AsyncGenerator<string> {
  let chunk = '[';
  let separator = '';
  let count = 0;
  for await (const row of rows) {
    chunk += separator + toJson(row);
    separator = ',';
    count += 1;
    if (count % rowsPerChunk === 0) {
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}]`;
}

/** Milliseconds in which the first line, or the refusal, of a stream of lines is expected. */
const firstLineMs = 100;

/**
 * One JSON object a line. What fails at once is thrown; what fails later is the last line, as `{"error": …}`,
 * because the status has been sent.
 */
export async function jsonLines(rows: AsyncIterable<unknown>): Promise<Streamed> {
  const iterator = iteratorOf(rows);
  const first = Promise.resolve(iterator.next());
  await Promise.race([first, delay(firstLineMs, undefined, { ref: false })]);
  async function* chunks() {
    try {
      // Headers go out with the first chunk, and a client that follows waits for them.
      yield '';
      for await (const row of resumed(iterator, await first)) yield `${toJson(row)}\n`;
    } catch (error) {
      yield `${toJson(errorReply(error).body)}\n`;
    }
  }
  return new Streamed('application/x-ndjson; charset=utf-8', chunks(), () => end(iterator));
}

function iteratorOf(rows: Rows<unknown>): AnyIterator {
  return Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
}

async function* resumed(iterator: AnyIterator, first: IteratorResult<unknown>): AsyncGenerator<unknown> {
  try {
    for (let step = first; step.done !== true; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
}
