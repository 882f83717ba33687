import { closeSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { VetchError } from '../../src/api/error.ts';
import { openById } from '../../src/loader/enumerate.ts';
import { KernelError } from '../../src/loader/kernel-error.ts';
import { mapInfo } from '../../src/loader/map-info.ts';
import { BpfObject } from '../../src/loader/object.ts';
import { ArrayMap } from '../../src/maps/array-map.ts';
import { type Codec, u32Codec, u64Codec } from '../../src/maps/codec.ts';
import type { MapDefinition, MapType } from '../../src/maps/definition.ts';
import { type Endpoint, endpointCodec, endpointKeyCodec, mapDefinitions } from '../../src/maps/generated/abi.ts';
import { HashMap } from '../../src/maps/hash-map.ts';
import { LpmMap } from '../../src/maps/lpm-map.ts';
import { createMap, MapInMap } from '../../src/maps/map-in-map.ts';
import { PackedEntries } from '../../src/maps/packed-entries.ts';
import { PerCpuArray } from '../../src/maps/per-cpu-array.ts';
import { PerCpuMap } from '../../src/maps/per-cpu-map.ts';
import { possibleCpus, RawMap } from '../../src/maps/raw-map.ts';
import { loaderObject } from './loader-support.ts';

const opened: Disposable[] = [];

afterEach(() => {
  for (const map of opened.splice(0)) map[Symbol.dispose]();
});

function keep<T extends Disposable>(map: T): T {
  opened.push(map);
  return map;
}

function define<K, V, T extends MapType>(type: T, key: Codec<K>, value: Codec<V>, maxEntries: number, flags = 0) {
  const definition: MapDefinition<K, V, T> = {
    name: `vt_${type}`,
    type,
    key,
    value,
    maxEntries,
    flags,
    writer: 'control',
  };
  const shape = { name: definition.name, type, keySize: key.size, valueSize: value.size, maxEntries, flags };
  return { definition, fd: createMap(shape) };
}

const numbered = (type: 'hash' | 'lru_hash', maxEntries: number) => {
  const { fd, definition } = define(type, u32Codec, u64Codec, maxEntries);
  return keep(new HashMap(fd, definition));
};

const address = (...last: number[]) => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...last]);

test('an entry is read as it was written', () => {
  const { fd, definition } = define('hash', endpointKeyCodec, endpointCodec, 10);
  const endpoints = keep(new HashMap(fd, definition));
  const key = { network: 7, addr: address(10, 88, 0, 2) };
  const value: Endpoint = {
    number: 1,
    ifindex: 0xffff_ffff,
    network: 7,
    mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    flags: 1,
  };
  expect(endpoints.get(key)).toBeUndefined();
  endpoints.set(key, value);
  expect(endpoints.get(key)).toEqual(value);
  expect([...endpoints.entries()]).toEqual([[key, value]]);
  expect(endpoints.delete(key)).toBe(true);
  expect(endpoints.delete(key)).toBe(false);
});

test('the flags of an update are kept', () => {
  const map = numbered('hash', 10);
  expect(() => map.set(1, 1n, 'exist')).toThrow(KernelError);
  map.set(1, 1n, 'noexist');
  expect(() => map.set(1, 2n, 'noexist')).toThrow(/EEXIST/);
  map.set(1, 2n, 'exist');
  expect(map.get(1)).toBe(2n);
});

test('batches write, read and delete more than fits one of them', () => {
  const map = numbered('hash', 10_000);
  const entries = Array.from({ length: 10_000 }, (_, index): [number, bigint] => [index, BigInt(index) << 32n]);
  map.setMany(entries);
  expect(map.count()).toBe(10_000);
  expect([...map.entries()].sort(([a], [b]) => a - b)).toEqual(entries);
  expect(map.deleteMany(entries.map(([key]) => key))).toBe(10_000);
  expect(map.count()).toBe(0);
});

test('a batch deletes what is there and steps over what is not', () => {
  const map = numbered('hash', 100);
  map.setMany(Array.from({ length: 50 }, (_, index) => [index * 2, 0n]));
  expect(map.deleteMany(Array.from({ length: 100 }, (_, index) => index))).toBe(50);
  expect(map.count()).toBe(0);
});

test('packed entries are written and deleted as they lie', () => {
  const map = numbered('hash', 5000);
  const packed = new PackedEntries(4, 8);
  for (let number = 0; number < 3000; number++) {
    const index = packed.add();
    u32Codec.encode(number, packed.keys, index * 4);
    u64Codec.encode(BigInt(number) << 32n, packed.values, index * 8);
  }
  map.raw.updatePacked(packed);
  expect([...map.entries()].sort(([a], [b]) => a - b)).toEqual(
    Array.from({ length: 3000 }, (_, number) => [number, BigInt(number) << 32n]),
  );
  map.delete(1500);
  expect(map.raw.deletePacked(packed)).toBe(2999);
  expect(map.count()).toBe(0);
  expect(() => map.raw.updatePacked(new PackedEntries(4, 4))).toThrow(RangeError);
});

test('empty batches and empty maps are fine', () => {
  const map = numbered('hash', 10);
  map.setMany([]);
  map.raw.updatePacked(new PackedEntries(4, 8));
  expect(map.deleteMany([])).toBe(0);
  expect(map.raw.deletePacked(new PackedEntries(4, 8))).toBe(0);
  expect([...map.entries()]).toEqual([]);
});

test('a full map refuses with its name, its capacity and the setting that raises it', () => {
  const map = numbered('hash', 10);
  const fill = () => map.setMany(Array.from({ length: 11 }, (_, index) => [index, 0n]));
  expect(fill).toThrow(VetchError);
  expect(() => map.set(99, 0n)).toThrow(
    expect.objectContaining({
      code: 'MAP_FULL',
      message: 'the map vt_hash is full: it has room for 10',
      hint: expect.stringContaining('mapSizes.vt_hash'),
    }),
  );
  expect(map.count()).toBe(10);
});

test('an LRU map makes room by itself', () => {
  const map = numbered('lru_hash', 100);
  map.setMany(Array.from({ length: 1000 }, (_, index) => [index, 0n]));
  expect(map.count()).toBeLessThanOrEqual(100);
});

test('an array has every slot, and refuses one beyond its end', () => {
  const { fd, definition } = define('array', u32Codec, u64Codec, 5000);
  const map = keep(new ArrayMap(fd, definition));
  map.setMany([
    [0, 1n],
    [4999, 2n],
  ]);
  expect(map.get(4999)).toBe(2n);
  expect([...map.entries()]).toHaveLength(5000);
  expect(map.count()).toBe(5000);
  expect(() => map.set(5000, 1n)).toThrow(expect.objectContaining({ code: 'MAP_FULL' }));
});

test('a longest-prefix map answers with the longest prefix, iterates and deletes exactly', () => {
  const { fd, definition } = define('lpm_trie', mapDefinitions.subnets.key, mapDefinitions.subnets.value, 5000, 1);
  const map = keep(new LpmMap(fd, definition));
  const wide = { prefixlen: 96 + 8, addr: address(10, 0, 0, 0) };
  const narrow = { prefixlen: 96 + 24, addr: address(10, 1, 2, 0) };
  map.set(wide, { network: 1, flags: 0 });
  map.set(narrow, { network: 2, flags: 0 });
  const host = (...last: number[]) => ({ prefixlen: 128, addr: address(...last) });
  expect(map.get(host(10, 1, 2, 3))?.network).toBe(2);
  expect(map.get(host(10, 9, 9, 9))?.network).toBe(1);
  expect(map.get(host(11, 0, 0, 1))).toBeUndefined();
  expect(map.delete(narrow)).toBe(true);
  expect(map.get(host(10, 1, 2, 3))?.network).toBe(1);
  const many = Array.from({ length: 3000 }, (_, index) => host(192, 168, index >> 8, index & 255));
  map.setMany(many.map((key) => [key, { network: 9, flags: 0 }]));
  expect(map.count()).toBe(3001);
  expect(map.deleteMany([...map.entries()].map(([key]) => key))).toBe(3001);
});

test('a full longest-prefix map refuses as any other', () => {
  const { fd, definition } = define('lpm_trie', mapDefinitions.subnets.key, mapDefinitions.subnets.value, 2, 1);
  const map = keep(new LpmMap(fd, definition));
  const set = (n: number) => map.set({ prefixlen: 128, addr: address(10, 0, 0, n) }, { network: 1, flags: 0 });
  set(1);
  set(2);
  expect(() => set(3)).toThrow(expect.objectContaining({ code: 'MAP_FULL' }));
});

test('a per-CPU array has one value a possible CPU', () => {
  using object = BpfObject.load(loaderObject);
  using seen = new PerCpuArray<bigint>(openById('map', mapInfo(object.mapFd('seen')).id), {
    name: 'seen',
    type: 'percpu_array',
    key: u32Codec,
    value: u64Codec,
    maxEntries: 4,
    flags: 0,
    writer: 'datapath',
  });
  object.program('tc_verdict').testRun({ data: new Uint8Array(60), repeat: 10 });
  const counts = seen.get(0);
  expect(counts).toHaveLength(possibleCpus());
  expect(counts.reduce((sum, count) => sum + count, 0n)).toBe(10n);
  expect([...seen.entries()].map(([index]) => index)).toEqual([0, 1, 2, 3]);
  seen.set(
    1,
    counts.map(() => 5n),
  );
  expect(seen.get(1)).toEqual(counts.map(() => 5n));
  expect(() => seen.get(4)).toThrow(/no slot 4/);
});

test('a per-CPU hash keeps values whose size is not a multiple of 8 apart', () => {
  const { fd, definition } = define('percpu_hash', u32Codec, u32Codec, 10);
  const map = keep(new PerCpuMap(fd, definition));
  const values = Array.from({ length: possibleCpus() }, (_, cpu) => cpu + 1);
  map.set(3, values);
  expect(map.get(3)).toEqual(values);
  expect([...map.entries()]).toEqual([[3, values]]);
  expect(map.get(4)).toBeUndefined();
});

test('an inner map is found by the program, and lives as long as the outer map holds it', () => {
  using object = BpfObject.load(loaderObject);
  using outer = new MapInMap(openById('map', mapInfo(object.mapFd('outer')).id), u32Codec);
  const innerFd = createMap({ name: 'inner', type: 'hash', keySize: 4, valueSize: 4, maxEntries: 16 });
  const inner = new RawMap(innerFd);
  const id = inner.id;
  inner.update(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(99, 0, 0, 0));
  outer.setMany([
    [1, innerFd],
    [2, innerFd],
  ]);
  inner.close();
  expect(outer.get(1)).toBe(id);
  expect([...outer.entries()].sort()).toEqual([
    [1, id],
    [2, id],
  ]);
  const { contextOut } = object.program('emit').testRun({ context: new Uint8Array(16) });
  expect(contextOut[8]).toBe(99);
  expect(outer.deleteMany([1, 2, 3])).toBe(2);
  expect(outer.get(1)).toBeUndefined();
});

test('bytes of the wrong length never reach the kernel', () => {
  const map = numbered('hash', 10);
  expect(() => map.raw.update(new Uint8Array(3), new Uint8Array(8))).toThrow(RangeError);
  expect(() => map.raw.lookup(new Uint8Array(4), new Uint8Array(7))).toThrow(RangeError);
  expect(() => map.setManyRaw([[new Uint8Array(4), new Uint8Array(9)]])).toThrow(RangeError);
  expect(() => map.deleteManyRaw([new Uint8Array(5)])).toThrow(RangeError);
});

test('a map of another shape than its definition is refused', () => {
  const fd = createMap({ name: 'other', type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1 });
  expect(() => new HashMap(fd, mapDefinitions.endpoints)).toThrow(/keys of 4 and values of 4 bytes where 20 and 20/);
  closeSync(fd);
});
