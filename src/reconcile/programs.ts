import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { feature } from '../loader/features.ts';
import { BpfObject } from '../loader/object.ts';
import { type PinTree, repin } from '../loader/pin.ts';
import { Program } from '../loader/program.ts';
import { mapDefinitions } from '../maps/generated/abi.ts';

/**
 * The objects of the datapath, in the order in which they are loaded: what serves flows that exist comes first. The last is left
 * out where the kernel has not what it needs: its connections stay on the stack.
 */
export const objectNames = [
  'endpoint',
  'host',
  'lan',
  'uplink',
  'overlay',
  'shaper',
  'xdp',
  'socket',
  'cgroup',
  'collect',
  'accelerate',
] as const;

/** What is remembered of a load, so that the next start does not do it again. */
export interface LoadRecord {
  /** Of the object file and of everything that went into the load. */
  readonly hash: string;
  /** Ids of the pinned programs, by name. The kernel gives none twice before the next boot. */
  readonly programs: Readonly<Record<string, number>>;
}

export type LoadRecords = Readonly<Record<string, LoadRecord>>;

export interface LoadedPrograms {
  /** By the name that the object gives them. */
  readonly programs: ReadonlyMap<string, Program>;
  readonly records: LoadRecords;
  /** Objects that were loaded now; the others were already there, as they should be. */
  readonly loaded: readonly string[];
}

export interface ProgramSource {
  /** Where `<name>.bpf.o` lie. */
  readonly directory: string;
  readonly tree: PinTree;
  /** Entries of maps that are not to have their default size. */
  readonly mapSizes: Readonly<Record<string, number>>;
  /** Of the last start. */
  readonly records: LoadRecords;
}

/**
 * Has every program loaded and pinned, and every map with them. A program that is pinned and came from the same bytes
 * stays; a changed one is pinned in its place, and whatever runs the old one goes on with it until its link is updated.
 *
 * @throws {LoadError} when the verifier refuses one: nothing that is pinned has changed then
 */
export async function loadPrograms(source: ProgramSource): Promise<LoadedPrograms> {
  source.tree.create();
  const fresh: { name: string; object: BpfObject; hash: string }[] = [];
  const programs = new Map<string, Program>();
  const records: Record<string, LoadRecord> = {};
  const intact = mapsPinned(source.tree);
  try {
    for (const name of objectNames) {
      if (name === 'accelerate' && !feature('socketBypass').ok) continue;
      const path = join(source.directory, `${name}.bpf.o`);
      const hash = hashOf(path, source.mapSizes);
      const record = source.records[name];
      const kept = intact && record?.hash === hash ? pinnedPrograms(source.tree, record) : undefined;
      if (record && kept) {
        records[name] = record;
        for (const [program, pinned] of kept) programs.set(program, pinned);
      } else {
        const object = await BpfObject.loadAsync(path, {
          pinMaps: source.tree.maps,
          maxEntries: source.mapSizes,
        });
        fresh.push({ name, object, hash });
      }
    }
    for (const { name, object, hash } of fresh) {
      for (const program of object.programs) repin(program, source.tree.program(program.name));
      records[name] = { hash, programs: Object.fromEntries(object.programs.map(({ name, id }) => [name, id])) };
      for (const program of object.programs) {
        programs.set(program.name, Program.fromPin(source.tree.program(program.name)));
      }
    }
  } finally {
    for (const { object } of fresh) object.close();
  }
  return { programs, records, loaded: fresh.map(({ name }) => name) };
}

/** The programs of a record if all of them are still pinned. */
function pinnedPrograms(tree: PinTree, record: LoadRecord): Map<string, Program> | undefined {
  const programs = new Map<string, Program>();
  for (const [name, id] of Object.entries(record.programs)) {
    const path = tree.program(name);
    const program = existsSync(path) ? Program.fromPin(path) : undefined;
    if (program) programs.set(name, program);
    if (program?.id === id) continue;
    for (const opened of programs.values()) opened.close();
    return undefined;
  }
  return programs;
}

/** A program whose maps have lost their pins writes into maps that nobody else sees. */
function mapsPinned(tree: PinTree): boolean {
  const pinned = new Set(existsSync(tree.maps) ? readdirSync(tree.maps) : []);
  return Object.values(mapDefinitions).every(({ name }) => pinned.has(name));
}

function hashOf(path: string, mapSizes: Readonly<Record<string, number>>): string {
  const sizes = JSON.stringify(Object.entries(mapSizes).sort());
  return createHash('sha256').update(readFileSync(path)).update(sizes).digest('hex');
}
