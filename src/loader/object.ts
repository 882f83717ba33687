import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as libbpf from './ffi/libbpf.ts';
import type { Pointer } from './ffi/library.ts';
import { lastErrno } from './ffi/memory.ts';
import { silence, takeMessages } from './ffi/print.ts';
import { KernelError } from './kernel-error.ts';
import { LoadError } from './load-error.ts';
import { checkReuse } from './map-reuse.ts';
import { Program } from './program.ts';
import { setVariable, type VariableValue, variablesOf } from './variables.ts';

export interface LoadOptions {
  /** Values of `const volatile` globals, by name. Those left out keep the value in the object. */
  readonly rodata?: Readonly<Record<string, VariableValue>>;
  /** Capacities, by map name; of a ring buffer, bytes. Default: what the object says. */
  readonly maxEntries?: Readonly<Record<string, number>>;
  /**
   * A directory of a bpffs: maps are pinned there under their names, and reused from there when they exist and are
   * the same. Default: every load makes its own maps, which live as long as what uses them.
   */
  readonly pinMaps?: string;
  /** Load these programs only. Default: all. */
  readonly programs?: readonly string[];
}

/** Room for the verifier's words. Untouched pages cost nothing; the kernel writes only on a refusal. */
const logBytes = 15 * 1024 * 1024;

/** A loaded object file: owns its programs' and maps' descriptors until it is closed. */
export class BpfObject implements Disposable {
  readonly programs: readonly Program[];
  readonly #maps: ReadonlyMap<string, number>;
  readonly #path: string;
  #object: Pointer;

  private constructor(path: string, object: Pointer) {
    this.#path = path;
    this.#object = object;
    this.#maps = new Map([...mapsOf(object)].map((map) => [libbpf.objectMapName(map), libbpf.objectMapFd(map)]));
    this.programs = [...programsOf(object)]
      .filter((program) => libbpf.programFd(program) >= 0)
      .map((program) => Program.borrowed(libbpf.programFd(program), libbpf.programName(program)));
  }

  /**
   * Loads an object file in one go. The verifier may take longer than an event loop should wait: see `loadAsync`.
   *
   * @throws {LoadError} when libbpf or the verifier refuses it.
   * @throws {VetchError} INVALID when a pinned map is not the map that the object has, or an option names what the
   *   object has not.
   */
  static load(path: string, options: LoadOptions = {}): BpfObject {
    const opened = open(path, options);
    return finish(path, opened, libbpf.objectLoad(opened.object), (object) => new BpfObject(path, object));
  }

  /** Like `load`, with the verifier at work on another thread. */
  static async loadAsync(path: string, options: LoadOptions = {}): Promise<BpfObject> {
    const opened = open(path, options);
    const result = await libbpf.objectLoadAsync(opened.object);
    return finish(path, opened, result, (object) => new BpfObject(path, object));
  }

  /** @throws {RangeError} when the object has no such program, or was told not to load it. */
  program(name: string): Program {
    const program = this.programs.find((candidate) => candidate.name === name);
    if (!program) throw new RangeError(`${this.#path} has no loaded program ${name}`);
    return program;
  }

  /** The object's own descriptor: it is closed with the object. */
  mapFd(name: string): number {
    const fd = this.#maps.get(name);
    if (fd === undefined || this.#object === null) throw new RangeError(`${this.#path} has no map ${name}`);
    return fd;
  }

  /** What is pinned or attached stays; the rest goes. */
  close(): void {
    if (this.#object === null) return;
    libbpf.objectClose(this.#object);
    this.#object = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

interface Opened {
  readonly object: Pointer;
  /** Kept alive until the load is over: libbpf holds its address. */
  readonly log: Uint8Array;
}

function open(path: string, options: LoadOptions): Opened {
  silence();
  takeMessages();
  const object = libbpf.objectOpenFile(path, null);
  if (object === null) {
    const errno = lastErrno();
    const messages = takeMessages();
    throw messages.length > 0 ? new LoadError(errno, path, '', messages) : new KernelError(errno, 'open', path);
  }
  try {
    selectPrograms(path, object, options.programs);
    prepareMaps(path, object, options);
    prepareVariables(path, object, options.rodata ?? {});
    const log = new Uint8Array(logBytes);
    for (const program of programsOf(object)) libbpf.programSetLogBuf(program, log, log.length);
    return { object, log };
  } catch (error) {
    libbpf.objectClose(object);
    throw error;
  }
}

function finish<T>(path: string, { object, log }: Opened, result: number, make: (object: Pointer) => T): T {
  const messages = takeMessages();
  if (result >= 0) return make(object);
  libbpf.objectClose(object);
  const end = log.indexOf(0);
  throw new LoadError(-result, path, Buffer.from(log.buffer, 0, end < 0 ? log.length : end).toString(), messages);
}

function selectPrograms(path: string, object: Pointer, names: readonly string[] | undefined): void {
  if (!names) return;
  const missing = new Set(names);
  for (const program of programsOf(object)) {
    libbpf.programSetAutoload(program, missing.delete(libbpf.programName(program)));
  }
  if (missing.size > 0) throw new RangeError(`${path} has no program ${[...missing].join(', ')}`);
}

function prepareMaps(path: string, object: Pointer, { maxEntries = {}, pinMaps }: LoadOptions): void {
  const missing = new Set(Object.keys(maxEntries));
  if (pinMaps !== undefined) mkdirSync(pinMaps, { recursive: true });
  for (const map of mapsOf(object)) {
    if (libbpf.objectMapIsInternal(map)) continue;
    const name = libbpf.objectMapName(map);
    const entries = maxEntries[name];
    missing.delete(name);
    if (entries !== undefined) libbpf.objectMapSetMaxEntries(map, entries);
    if (pinMaps === undefined) continue;
    const pin = join(pinMaps, name);
    checkReuse(map, name, pin);
    libbpf.objectMapSetPinPath(map, pin);
  }
  if (missing.size > 0) throw new RangeError(`${path} has no map ${[...missing].join(', ')}`);
}

function prepareVariables(path: string, object: Pointer, values: Readonly<Record<string, VariableValue>>): void {
  const wanted = Object.entries(values);
  if (wanted.length === 0) return;
  const variables = variablesOf(readFileSync(path));
  const sections = [...mapsOf(object)].filter((map) => libbpf.objectMapIsInternal(map));
  for (const [name, value] of wanted) {
    const variable = variables.get(name);
    // libbpf calls the map `<object>.rodata`.
    const map = variable && sections.find((section) => libbpf.objectMapName(section).endsWith(variable.section));
    if (!variable || !map) throw new RangeError(`${path} has no variable ${name}`);
    setVariable(map, name, variable, value);
  }
}

function* programsOf(object: Pointer): Generator<Pointer> {
  for (let at = libbpf.objectNextProgram(object, null); at !== null; at = libbpf.objectNextProgram(object, at))
    yield at;
}

function* mapsOf(object: Pointer): Generator<Pointer> {
  for (let at = libbpf.objectNextMap(object, null); at !== null; at = libbpf.objectNextMap(object, at)) yield at;
}
