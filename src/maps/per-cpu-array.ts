import { PerCpuMap } from './per-cpu-map.ts';

/** A per-CPU array: every index below its capacity has one value a possible CPU, zeros at first. */
export class PerCpuArray<V> extends PerCpuMap<number, V> {
  /** @throws {RangeError} when the index is not within the array. */
  override get(index: number): V[] {
    const values = super.get(index);
    if (!values) throw new RangeError(`the map ${this.definition.name} has no slot ${index}`);
    return values;
  }
}
