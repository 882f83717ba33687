import { setTimeout } from 'node:timers/promises';
import { gracePeriod } from '../../loader/ffi/libc.ts';
import type { PolicyChanges } from '../../policy/compiler.ts';
import type { PolicyTables } from '../../policy/tables.ts';
import { AppliedTables } from './applied.ts';
import { allKeys, type PolicyDifference, policyDifference } from './difference.ts';
import { type HalvedMap, halvedMaps, isAbsent } from './encode.ts';
import type { Life, Side } from './half-changes.ts';
import { observePolicy, type PolicyRawMaps, type TornEntry } from './observe.ts';

/** The permissions' generation, whose lowest bit says which half of each entry counts. */
export interface Generation {
  readonly parity: 0 | 1;
  /** Turns the parity: from the next packet on the other halves count, and flows are judged again. */
  turn(): void;
}

/** Milliseconds that a kernel without a barrier is given to end the programs that are running. */
const patience = 100;

/** Of these, what is gone is removed; an array's slots stay. */
const keyedMaps = ['policy', 'addressBlocks', 'learned'] as const;
/** Who somebody is is written last, and removed first: what is decided about them is there meanwhile. */
const writeOrder: readonly HalvedMap[] = [...keyedMaps, 'identities'];

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
  readonly #barrier: () => Promise<void>;
  #applied: AppliedTables;
  /** Ends when both halves of everything are the same. */
  #settled: Promise<void> = Promise.resolve();
  /** Something could not be written: what the maps hold is not known until they have been read. */
  #unsure = false;

  private constructor(
    maps: PolicyRawMaps,
    generation: Generation,
    failed: (error: unknown) => void,
    barrier: () => Promise<void>,
    applied: PolicyTables,
  ) {
    this.#maps = maps;
    this.#generation = generation;
    this.#failed = failed;
    this.#barrier = barrier;
    this.#applied = new AppliedTables(applied);
  }

  /**
   * Takes up what the kernel holds, and finishes what a daemon that was killed had begun.
   *
   * @param failed is told when the halves could not be brought in step; the next `reconcile` does it
   * @param barrier resolves when every program that was running at the call has ended. Default: the kernel's
   */
  static async open(
    maps: PolicyRawMaps,
    generation: Generation,
    failed: (error: unknown) => void,
    barrier = gracePeriod,
  ): Promise<PolicyMaps> {
    const { tables, torn } = await observePolicy(maps, generation.parity);
    const policy = new PolicyMaps(maps, generation, failed, barrier, tables);
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
   * @param store when all is written, and before it counts: what it throws is thrown, and the old ones stay
   * @throws VetchError MAP_FULL: the old ones stay
   */
  async apply(tables: PolicyTables, keys: PolicyChanges, store?: () => Promise<void>): Promise<void> {
    await this.#settled;
    if (this.#unsure) {
      await this.reconcile(tables, store);
      return;
    }
    await this.#turnTo(policyDifference(this.#applied, tables, keys), store);
    this.#applied.follow(tables, keys);
  }

  async #turnTo(difference: PolicyDifference, store?: () => Promise<void>): Promise<void> {
    if (difference.count === 0) return store?.();
    if (this.#generation.parity === 0) this.#begin(difference, 'before', 'after');
    else this.#begin(difference, 'after', 'before');
    try {
      await store?.();
    } catch (error) {
      this.#unsure = true;
      this.#takeBack(difference);
      throw error;
    }
    this.#generation.turn();
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
    this.#begin(difference, 'after', 'after', ['comes', 'stays']);
    this.#applied.follow(tables, keys);
    this.#forget(difference);
  }

  /**
   * Makes the kernel hold exactly these tables; gives how many entries it did not.
   *
   * @param store see `apply`
   */
  async reconcile(tables: PolicyTables, store?: () => Promise<void>): Promise<number> {
    await this.#settled;
    const observed = await observePolicy(this.#maps, this.#generation.parity, this.#applied.standings);
    this.#applied = new AppliedTables(observed.tables);
    this.#mend(observed.torn);
    const keys = allKeys(this.#applied, tables);
    const difference = policyDifference(this.#applied, tables, keys);
    await this.#turnTo(difference, store);
    this.#applied.follow(tables, keys);
    this.#unsure = false;
    return observed.torn.length + difference.count;
  }

  /** Resolves when no change is under way. */
  settled(): Promise<void> {
    return this.#settled;
  }

  #begin(difference: PolicyDifference, even: Side, odd: Side, lives?: readonly Life[]): void {
    try {
      this.#maps.policyPorts.raw.updatePacked(difference.ports.come);
      this.#maps.policyPorts.raw.updatePacked(difference.ports.repaired);
      this.#write(difference, even, odd, lives);
    } catch (error) {
      // The compiler goes back by numbers of its own: what comes next may be more than the next change.
      this.#unsure = true;
      this.#takeBack(difference);
      throw error;
    }
  }

  async #settle(difference: PolicyDifference): Promise<void> {
    try {
      await this.#barrier();
    } catch {
      await setTimeout(patience);
    }
    this.#write(difference, 'after', 'after', ['comes', 'stays']);
    this.#forget(difference);
  }

  /** Back to what was there before, of what may have been written. */
  #takeBack(difference: PolicyDifference): void {
    this.#write(difference, 'before', 'before', ['stays', 'goes']);
    this.#delete(difference, 'comes');
    // Of a set that was being repaired, what was there stays.
    this.#maps.policyPorts.raw.deletePacked(difference.ports.come);
  }

  /** Removes what nothing refers to any more. */
  #forget(difference: PolicyDifference): void {
    this.#delete(difference, 'goes');
    this.#maps.policyPorts.raw.deletePacked(difference.ports.go);
  }

  #write({ halves }: PolicyDifference, even: Side, odd: Side, lives?: readonly Life[]): void {
    for (const map of writeOrder) this.#maps[map].raw.updatePacked(halves[map].entries(even, odd, lives));
  }

  #delete({ halves }: PolicyDifference, life: Life): void {
    for (const map of keyedMaps.toReversed())
      this.#maps[map].raw.deletePacked(halves[map].entries('before', 'after', [life]));
  }

  /** Brings halves in step with those that count. */
  #mend(torn: readonly TornEntry[]): void {
    const { parity } = this.#generation;
    for (const { map, key, value } of torn) {
      const { size } = halvedMaps[map].half;
      const half = value.slice(parity * size, (parity + 1) * size);
      if (map !== 'identities' && isAbsent(map, half)) this.#maps[map].raw.delete(key);
      else this.#maps[map].raw.update(key, Buffer.concat([half, half]));
    }
  }
}
