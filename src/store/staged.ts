import { type ClusterView, type UniqueKind, uniqueProperties } from './cluster-view.ts';
import type { ClusterWrite, SharedKind } from './cluster-writes.ts';

type Kinds = Exclude<SharedKind, 'namespaces'>;
type RecordIn<Kind extends Kinds> = NonNullable<ReturnType<ClusterView[Kind]['get']>>;

/** A cluster's records as they are after the writes that were looked at so far. */
export class Staged {
  readonly #view: ClusterView;
  readonly #writes = new Map<string, ClusterWrite>();
  /** Keys by what no two records share, of those that were looked at. */
  readonly #holders = { policies: new Map<unknown, string>(), identities: new Map<unknown, string>() };

  constructor(view: ClusterView) {
    this.#view = view;
  }

  add(write: ClusterWrite): void {
    this.#writes.set(`${write.kind} ${write.key}`, write);
  }

  get<Kind extends Kinds>(kind: Kind, key: string): RecordIn<Kind> | undefined {
    const write = this.#writes.get(`${kind} ${key}`);
    return (write ? write.record : this.#view[kind].get(key)) as RecordIn<Kind> | undefined;
  }

  *values<Kind extends Kinds>(kind: Kind): Generator<RecordIn<Kind>> {
    for (const [key, record] of this.#view[kind]) if (!this.#writes.has(`${kind} ${key}`)) yield record as never;
    for (const write of this.#writes.values()) if (write.kind === kind && write.record) yield write.record as never;
  }

  /** The record under another key that shares with `record` what no two may. */
  holder<Kind extends UniqueKind>(kind: Kind, key: string, record: RecordIn<Kind>): RecordIn<Kind> | undefined {
    const property = uniqueProperties[kind] as (record: RecordIn<Kind>) => unknown;
    const value = property(record);
    const known = this.#holders[kind].get(value) ?? this.#view.holderOf(kind, value);
    const other = known === undefined || known === key ? undefined : this.get(kind, known);
    if (other !== undefined && property(other) === value) return other;
    this.#holders[kind].set(value, key);
    return undefined;
  }
}
