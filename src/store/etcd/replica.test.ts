import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClusterChanges } from '../../model/cluster.ts';
import { encodeRecord } from '../codec.ts';
import { type KeyEvent, type Keyed, Replica } from './replica.ts';

const names = ['red', 'green', 'blue'];
const keyOf = (name: string) => `namespaces/${name}`;
const textOf = (value: number) => encodeRecord<'namespaces'>({ labels: { value: String(value) } });

/** etcd with one watch and one host that follows it, step by step: what can happen between them, in any order. */
class Scene {
  readonly replica = new Replica('a');
  /** What the host believes: what it was told, and what it wrote. */
  readonly believed = new Map<string, string>();
  readonly #log: KeyEvent[] = [];
  readonly #there = new Map<string, Keyed>();
  #delivered = 0;

  get there(): Map<string, string> {
    return new Map([...this.#there].map(([key, { text }]) => [key, text]));
  }

  /** Another host writes; no value: deletes. */
  write(name: string, value: number | undefined): number {
    const key = keyOf(name);
    const revision = this.#log.length + 1;
    const text = value === undefined ? undefined : textOf(value);
    this.#log.push({ key, revision, ...(text === undefined ? {} : { text }) });
    if (text === undefined) this.#there.delete(key);
    else this.#there.set(key, { text, revision });
    return revision;
  }

  /** This host writes; `answer`: before or after the watch has brought it, or never. */
  transact(name: string, value: number | undefined, answer: 'first' | 'last' | 'lost'): void {
    const key = keyOf(name);
    if (this.replica.isUntold(key)) return;
    const text = value === undefined ? undefined : textOf(value);
    this.replica.expect(new Map([[key, text]]));
    const unchanged = (this.#there.get(key)?.revision ?? 0) === this.replica.revisionOf(key);
    const revision = unchanged ? this.write(name, value) : 0;
    if (answer !== 'first') this.deliver(100);
    if (!unchanged || answer === 'lost') {
      this.replica.failed();
      return;
    }
    this.replica.wrote(revision);
    this.#believe(key, text);
  }

  deliver(count: number): void {
    const events = this.#log.slice(this.#delivered, this.#delivered + count);
    this.#delivered += events.length;
    if (events.length > 0) this.replica.advance(events, this.#delivered);
  }

  /** The watch's place is gone: a snapshot of now. */
  losePlace(): void {
    this.#delivered = this.#log.length;
    this.replica.replace(new Map(this.#there), this.#delivered, false);
  }

  tell(fails: boolean): void {
    const changes = this.replica.take();
    if (!changes) return;
    if (fails) {
      this.replica.untold();
      return;
    }
    this.#add(changes);
    this.replica.told();
  }

  #add({ namespaces }: ClusterChanges): void {
    for (const [name, labels] of namespaces) {
      this.#believe(keyOf(name), labels && encodeRecord<'namespaces'>({ labels }));
    }
  }

  #believe(key: string, text: string | undefined): void {
    if (text === undefined) this.believed.delete(key);
    else this.believed.set(key, text);
  }
}

const name = fc.constantFrom(...names);
const value = fc.option(fc.nat(3), { nil: undefined });
const step = fc.oneof(
  fc.tuple(name, value).map(
    ([n, v]) =>
      (scene: Scene) =>
        void scene.write(n, v),
  ),
  fc.tuple(name, value, fc.constantFrom('first', 'last', 'lost')).map(
    ([n, v, answer]) =>
      (scene: Scene) =>
        scene.transact(n, v, answer as 'first'),
  ),
  fc.integer({ min: 1, max: 4 }).map((count) => (scene: Scene) => scene.deliver(count)),
  fc.boolean().map((fails) => (scene: Scene) => scene.tell(fails)),
  fc.constant((scene: Scene) => scene.losePlace()),
);

describe('a replica', () => {
  test('and whoever follows it end with what is there, whatever comes in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scene = new Scene();
        for (const take of steps) take(scene);
        scene.deliver(1_000);
        scene.tell(false);
        expect(scene.believed).toEqual(scene.there);
        const seen = [...scene.replica.view.namespaces].map(
          ([n, labels]) => [keyOf(n), encodeRecord<'namespaces'>({ labels })] as const,
        );
        expect(new Map(seen)).toEqual(scene.there);
      }),
      { numRuns: 2_000 },
    );
  });

  test('keeps of a record what could be read last, and says what could not', () => {
    const replica = new Replica('a');
    replica.advance([{ key: 'namespaces/shop', text: textOf(1), revision: 1 }], 1);
    replica.advance([{ key: 'namespaces/shop', text: '{"schema":99}', revision: 2 }], 2);
    expect(replica.view.namespaces.get('shop')).toEqual({ value: '1' });
    expect([...replica.unreadable.values()]).toMatchObject([{ code: 'UNSUPPORTED' }]);
    replica.advance([{ key: 'namespaces/shop', text: textOf(2), revision: 3 }], 3);
    expect([replica.view.namespaces.get('shop'), replica.unreadable.size]).toEqual([{ value: '2' }, 0]);
  });

  test('of another store, or one that went back, tells all that is not as it was', () => {
    const replica = new Replica('a');
    replica.advance(
      names.map((n, i) => ({ key: keyOf(n), text: textOf(i), revision: 100 + i })),
      200,
    );
    replica.tellNothing();
    const snapshot = new Map([[keyOf('red'), { text: textOf(7), revision: 3 }]]);
    replica.replace(snapshot, 5, true);
    expect(replica.position).toBe(5);
    expect([...(replica.take()?.namespaces ?? [])]).toEqual([
      ['red', { value: '7' }],
      ['green', undefined],
      ['blue', undefined],
    ]);
  });

  test('does not tell a host what it told the others itself', () => {
    const replica = new Replica('a');
    replica.advance([{ key: 'nodes/a', text: '{}', revision: 1 }], 1);
    expect([replica.take(), replica.view.nodes.size]).toEqual([undefined, 0]);
  });
});
