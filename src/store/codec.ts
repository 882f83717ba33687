import { z } from 'zod';
import { VetchError } from '../api/error.ts';
import { quickReaders } from './quick-records.ts';
import { type Migrations, migrations, type RecordKind, type RecordOf, recordSchema, recordTypes } from './records.ts';

const envelope = z.looseObject({ schema: z.int().min(1) });

/** What a record is read by; another one only in tests. */
export interface Reading {
  readonly schema: number;
  readonly migrations: Migrations;
}

const current: Reading = { schema: recordSchema, migrations };

/** JSON, so that what is in the store can be read with any tool. */
export function encodeRecord<Kind extends RecordKind>(record: RecordOf<Kind>): string {
  return JSON.stringify({ schema: recordSchema, ...record });
}

/**
 * A record as this version has it, migrated if it is older.
 *
 * @throws VetchError UNSUPPORTED: written by a newer version; INTERNAL: not a record of its kind. Both name it
 */
export function decodeRecord<Kind extends RecordKind>(
  kind: Kind,
  key: string,
  text: string,
  reading: Reading = current,
): RecordOf<Kind> {
  const json = parseJson(kind, key, text);
  const quick = readQuickly(kind, json, reading);
  if (quick) return quick as RecordOf<Kind>;
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw unreadable(kind, key, parsed.error);
  const { schema, ...rest } = parsed.data;
  if (schema > reading.schema) throw tooNew(`record ${kind}/${key}`, schema, reading.schema);
  let record: Record<string, unknown> = rest;
  for (let version = schema; version < reading.schema; version++) {
    record = reading.migrations[kind]?.[version]?.(record) ?? record;
  }
  const result = recordTypes[kind].safeParse(record);
  if (!result.success) throw unreadable(kind, key, result.error);
  return result.data as RecordOf<Kind>;
}

function readQuickly(kind: RecordKind, json: unknown, reading: Reading) {
  if (kind !== 'addresses' && kind !== 'cluster-endpoints') return undefined;
  if (typeof json !== 'object' || json === null || !('schema' in json) || json.schema !== reading.schema)
    return undefined;
  return quickReaders[kind](json as Readonly<Record<string, unknown>>);
}

export function tooNew(what: string, seen: number, known: number): VetchError {
  return new VetchError(
    'UNSUPPORTED',
    `${what} of the state has schema ${seen}, and this version knows ${known}`,
    'start the newer version that wrote it, or restore a copy of the state from before',
  );
}

function parseJson(kind: RecordKind, key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(kind, key, cause);
  }
}

function unreadable(kind: RecordKind, key: string, cause: unknown): VetchError {
  const why = cause instanceof z.ZodError ? firstIssue(cause) : 'it is not JSON';
  return new VetchError(
    'INTERNAL',
    `record ${kind}/${printable(key)} of the state cannot be read: ${why}`,
    'restore a copy of the state directory, or move it away to begin with an empty one',
    { cause },
  );
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'it has another form' : `${issue.path.join('.') || 'it'}: ${issue.message}`;
}

function printable(key: string): string {
  return key.replaceAll(/\p{Cc}/gu, '?');
}
