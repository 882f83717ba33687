import { setTimeout } from 'node:timers/promises';
import { gracePeriod } from '../../loader/ffi/libc.ts';
import type { PolicyTables } from '../../policy/tables.ts';
import type { RawEntry } from '../entry.ts';
import { type HalfChange, type PolicyDifference, policyDifference } from './difference.ts';
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

const halvedMaps: readonly HalvedMap[] = ['addressBlocks', 'policy', 'identities'];

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
  #current: PolicyTables;
  /** Ends when both halves of everything are the same. */
  #settled: Promise<void> = Promise.resolve();

  private constructor(
    maps: PolicyRawMaps,
    generation: Generation,
    failed: (error: unknown) => void,
    current: PolicyTables,
  ) {
    this.#maps = maps;
    this.#generation = generation;
    this.#failed = failed;
    this.#current = current;
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
  get current(): PolicyTables {
    return this.#current;
  }

  /**
   * Has the kernel judge by other tables, all of them at once. Resolves when they count.
   *
   * @throws VetchError MAP_FULL: the old ones stay
   */
  async apply(tables: PolicyTables): Promise<void> {
    await this.#settled;
    const difference = policyDifference(this.#current, tables);
    const { halves, newPorts, oldPorts } = difference;
    if (halves.length + newPorts.length + oldPorts.length === 0) return;
    this.#stage(difference);
    this.#generation.turn();
    this.#current = tables;
    this.#settled = this.#settle(difference).catch(this.#failed);
  }

  /**
   * Writes what no packet can have to do with yet, or any more: of an endpoint that comes or goes. The caller has waited
   * for `settled`.
   *
   * @throws VetchError MAP_FULL: nothing of it stays
   */
  applyUnread(tables: PolicyTables): void {
    const difference = policyDifference(this.#current, tables);
    try {
      this.#maps.policyPorts.raw.updateMany(pairsOf(difference.newPorts));
      this.#write(difference.halves, ({ after }) => [after, after]);
    } catch (error) {
      this.#takeBack(difference);
      throw error;
    }
    this.#current = tables;
    this.#forget(difference);
  }

  /** Repairs what differs from the tables that should be there; gives how many entries did. */
  async reconcile(tables: PolicyTables): Promise<number> {
    await this.#settled;
    const observed = await observePolicy(this.#maps, this.#generation.parity);
    this.#current = observed.tables;
    this.#mend(observed.torn);
    const { halves, newPorts, oldPorts } = policyDifference(observed.tables, tables);
    await this.apply(tables);
    return observed.torn.length + halves.length + newPorts.length + oldPorts.length;
  }

  /** Resolves when no change is under way. */
  settled(): Promise<void> {
    return this.#settled;
  }

  #stage(difference: PolicyDifference): void {
    const { parity } = this.#generation;
    try {
      this.#maps.policyPorts.raw.updateMany(pairsOf(difference.newPorts));
      this.#write(difference.halves, ({ before, after }) => (parity === 0 ? [before, after] : [after, before]));
    } catch (error) {
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
      difference.halves.filter(({ gone }) => !gone),
      ({ after }) => [after, after],
    );
    this.#forget(difference);
  }

  /** Back to what was there before, of what may have been written. */
  #takeBack({ halves, newPorts }: PolicyDifference): void {
    const isNew = ({ map, before }: HalfChange) => map !== 'identities' && before.every((byte) => byte === 0);
    this.#write(
      halves.filter((change) => !isNew(change)),
      ({ before }) => [before, before],
    );
    for (const map of halvedMaps) {
      const keys = halves.filter((change) => change.map === map && isNew(change)).map(({ key }) => key);
      if (map !== 'identities') this.#maps[map].raw.deleteMany(keys);
    }
    this.#maps.policyPorts.raw.deleteMany(newPorts.map(({ key }) => key));
  }

  /** Removes what nothing refers to any more. */
  #forget({ halves, oldPorts }: PolicyDifference): void {
    for (const map of halvedMaps) {
      const keys = halves.filter((change) => change.map === map && change.gone).map(({ key }) => key);
      if (map === 'identities' || keys.length === 0) continue;
      this.#maps[map].raw.deleteMany(keys);
    }
    if (oldPorts.length > 0) this.#maps.policyPorts.raw.deleteMany(oldPorts);
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
