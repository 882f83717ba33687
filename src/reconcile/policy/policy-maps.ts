import { setTimeout } from 'node:timers/promises';
import { gracePeriod } from '../../loader/ffi/libc.ts';
import type { PolicyChanges } from '../../policy/compiler.ts';
import type { PolicyTables } from '../../policy/tables.ts';
import type { RawEntry } from '../entry.ts';
import { AppliedTables } from './applied.ts';
import { allKeys, type HalfChange, isEmpty, type PolicyDifference, policyDifference } from './difference.ts';
import { type HalvedMap, halfSize } from './encode.ts';
import { observePolicy, type PolicyRawMaps } from './observe.ts';

/** The permissions' generation, whose lowest bit says which half of each entry counts. */
export interface Generation {
  readonly parity: 0 | 1;
  /** Turns the parity: from the next packet on the other halves count, and flows are judged again. */
  turn(): void;
}

/** Milliseconds that a kernel without a barrier is given to end the programs that are running. */
const patience = 100;

/** Of these, what is gone is removed; an array's slots stay. */
const keyedMaps = ['addressBlocks', 'policy', 'learned'] as const;
const halvedMaps: readonly HalvedMap[] = [...keyedMaps, 'identities'];

/**
 * What the kernel holds of policy.
 *
 * A change is written into the halves that no packet reads, whatever its size, and counts from one store on: no packet
 * sees a mixture. When every packet that read the old halves is gone, they are brought in step.
 */
export class PolicyMaps {
  readonly #maps: PolicyRawMaps;
  readonly #generation: Generation;
  readonly #failed: (error: unknown) => void;
  #applied: AppliedTables;
  /** Ends when both halves of everything are the same. */
  #settled: Promise<void> = Promise.resolve();
  /** Something could not be written: what the maps hold is not known until they have been read. */
  #unsure = false;

  private constructor(
    maps: PolicyRawMaps,
    generation: Generation,
    failed: (error: unknown) => void,
    applied: PolicyTables,
  ) {
    this.#maps = maps;
    this.#generation = generation;
    this.#failed = failed;
    this.#applied = new AppliedTables(applied);
  }

  /**
   * Takes up what the kernel holds, and finishes what a daemon that was killed had begun.
   *
   * @param failed is told when the halves could not be brought in step; the next `reconcile` does it
   */
  static async open(
    maps: PolicyRawMaps,
    generation: Generation,
    failed: (error: unknown) => void,
  ): Promise<PolicyMaps> {
    const { tables, torn } = await observePolicy(maps, generation.parity);
    const policy = new PolicyMaps(maps, generation, failed, tables);
    policy.#mend(torn);
    return policy;
  }

  /** What packets are judged by. */
  get applied(): PolicyTables {
    return this.#applied;
  }

  /**
   * Has the kernel judge by other tables, all of them at once. Resolves when they count.
   *
   * @param keys that may differ from what is applied
   * @throws VetchError MAP_FULL: the old ones stay
   */
  async apply(tables: PolicyTables, keys: PolicyChanges): Promise<void> {
    await this.#settled;
    if (this.#unsure) {
      await this.reconcile(tables);
      return;
    }
    await this.#turnTo(tables, keys);
  }

  async #turnTo(tables: PolicyTables, keys: PolicyChanges): Promise<void> {
    const difference = policyDifference(this.#applied, tables, keys);
    if (isEmpty(difference)) return;
    const { parity } = this.#generation;
    this.#begin(difference, ({ before, after }) => (parity === 0 ? [before, after] : [after, before]));
    this.#generation.turn();
    this.#applied.follow(tables, keys);
    this.#settled = this.#settle(difference).catch((error: unknown) => {
      this.#unsure = true;
      this.#failed(error);
    });
  }

  /**
   * Writes what no packet can have to do with yet, or any more: of an endpoint that comes or goes.
   *
   * @throws VetchError MAP_FULL: nothing of it stays
   */
  async applyUnread(tables: PolicyTables, keys: PolicyChanges): Promise<void> {
    await this.#settled;
    if (this.#unsure) {
      await this.reconcile(tables);
      return;
    }
    const difference = policyDifference(this.#applied, tables, keys);
    this.#begin(difference, ({ after }) => [after, after]);
    this.#applied.follow(tables, keys);
    this.#forget(difference);
  }

  /** Makes the kernel hold exactly these tables; gives how many entries it did not. */
  async reconcile(tables: PolicyTables): Promise<number> {
    await this.#settled;
    const observed = await observePolicy(this.#maps, this.#generation.parity);
    this.#applied = new AppliedTables(observed.tables);
    this.#mend(observed.torn);
    const keys = allKeys(this.#applied, tables);
    const { halves, newPorts, oldPorts } = policyDifference(this.#applied, tables, keys);
    await this.#turnTo(tables, keys);
    this.#unsure = false;
    return observed.torn.length + halves.length + newPorts.length + oldPorts.length;
  }

  /** Resolves when no change is under way. */
  settled(): Promise<void> {
    return this.#settled;
  }

  #begin(difference: PolicyDifference, halves: (change: HalfChange) => readonly [Uint8Array, Uint8Array]): void {
    try {
      this.#maps.policyPorts.raw.updateMany(pairsOf(difference.newPorts));
      this.#write(difference.halves, halves);
    } catch (error) {
      // The compiler goes back by numbers of its own: what comes next may be more than the next change.
      this.#unsure = true;
      this.#takeBack(difference);
      throw error;
    }
  }

  async #settle(difference: PolicyDifference): Promise<void> {
    try {
      await gracePeriod();
    } catch {
      await setTimeout(patience);
    }
    this.#write(
      difference.halves.filter(({ isGone }) => !isGone),
      ({ after }) => [after, after],
    );
    this.#forget(difference);
  }

  /** Back to what was there before, of what may have been written. */
  #takeBack({ halves, newPorts }: PolicyDifference): void {
    this.#write(
      halves.filter(({ isNew }) => !isNew),
      ({ before }) => [before, before],
    );
    this.#delete(halves.filter(({ isNew }) => isNew));
    // Of a set that was being repaired, what was there stays.
    this.#maps.policyPorts.raw.deleteMany(newPorts.filter(({ isNew }) => isNew).map(({ key }) => key));
  }

  /** Removes what nothing refers to any more. */
  #forget({ halves, oldPorts }: PolicyDifference): void {
    this.#delete(halves.filter(({ isGone }) => isGone));
    this.#maps.policyPorts.raw.deleteMany(oldPorts);
  }

  #delete(changes: readonly HalfChange[]): void {
    for (const map of keyedMaps) {
      this.#maps[map].raw.deleteMany(changes.filter((change) => change.map === map).map(({ key }) => key));
    }
  }

  /** Brings halves in step with those that count. */
  #mend(torn: readonly (RawEntry & { readonly map: HalvedMap })[]): void {
    const { parity } = this.#generation;
    for (const { map, key, value } of torn) {
      const half = value.slice(parity * halfSize[map], (parity + 1) * halfSize[map]);
      if (map !== 'identities' && half.every((byte) => byte === 0)) this.#maps[map].raw.delete(key);
      else this.#maps[map].raw.update(key, joined([half, half]));
    }
  }

  #write(changes: readonly HalfChange[], halves: (change: HalfChange) => readonly [Uint8Array, Uint8Array]): void {
    for (const map of halvedMaps) {
      const entries = changes
        .filter((change) => change.map === map)
        .map((one) => [one.key, joined(halves(one))] as const);
      if (entries.length > 0) this.#maps[map].raw.updateMany(entries);
    }
  }
}

function joined([even, odd]: readonly [Uint8Array, Uint8Array]): Uint8Array {
  const value = new Uint8Array(even.length + odd.length);
  value.set(even);
  value.set(odd, even.length);
  return value;
}

function pairsOf(entries: readonly RawEntry[]) {
  return entries.map(({ key, value }) => [key, value] as const);
}
