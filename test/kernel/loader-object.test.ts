import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { VetchError } from '../../src/api/error.ts';
import { LoadError } from '../../src/loader/load-error.ts';
import { mapInfo } from '../../src/loader/map-info.ts';
import { BpfObject } from '../../src/loader/object.ts';
import { Program } from '../../src/loader/program.ts';
import { loaderObject, openDescriptors, ownBpffs, refusedObject } from './loader-support.ts';

const packet = new Uint8Array(60);

test('an object is loaded with the values it was compiled with', () => {
  using object = BpfObject.load(loaderObject);
  expect(object.program('tc_verdict').testRun({ data: packet }).retval).toBe(7);
});

test('variables of every size are set before the load', () => {
  using object = BpfObject.load(loaderObject, { rodata: { verdict: 21, doubled: true, small: 0xbeef } });
  const context = new Uint8Array(192);
  const result = object.program('tc_verdict').testRun({ data: packet, context });
  expect(result.retval).toBe(42);
  // skb->cb[0], at byte 48 of struct __sk_buff
  expect(new DataView(result.contextOut.buffer, result.contextOut.byteOffset).getUint32(48, true)).toBe(0xbeef);
});

test('a variable that the object does not have is refused by name', () => {
  expect(() => BpfObject.load(loaderObject, { rodata: { verdikt: 1 } })).toThrow(/no variable verdikt/);
});

test('a value that does not fit its variable is refused', () => {
  expect(() => BpfObject.load(loaderObject, { rodata: { small: 0x1_0000 } })).toThrow(/does not fit/);
});

test('only the programs that were asked for are loaded', () => {
  using object = BpfObject.load(loaderObject, { programs: ['xdp_accept'] });
  expect(object.programs.map(({ name }) => name)).toEqual(['xdp_accept']);
  expect(() => object.program('tc_verdict')).toThrow(/no loaded program tc_verdict/);
  expect(() => BpfObject.load(loaderObject, { programs: ['nonesuch'] })).toThrow(/no program nonesuch/);
});

test('a capacity can be changed before the load', () => {
  using object = BpfObject.load(loaderObject, { maxEntries: { table: 5000 } });
  expect(mapInfo(object.mapFd('table'))).toMatchObject({ name: 'table', maxEntries: 5000, keySize: 4, valueSize: 8 });
  expect(() => BpfObject.load(loaderObject, { maxEntries: { tabel: 1 } })).toThrow(/no map tabel/);
});

test('pinned maps are shared by the objects that are loaded after', () => {
  using bpffs = ownBpffs();
  const pinMaps = `${bpffs.path}/maps`;
  using first = BpfObject.load(loaderObject, { pinMaps });
  using second = BpfObject.load(loaderObject, { pinMaps });
  expect(mapInfo(second.mapFd('table')).id).toBe(mapInfo(first.mapFd('table')).id);
  expect(existsSync(`${pinMaps}/events`)).toBe(true);
});

test('a pinned map of another shape is refused with every difference, and left as it is', () => {
  using bpffs = ownBpffs();
  const pinMaps = `${bpffs.path}/maps`;
  using first = BpfObject.load(loaderObject, { pinMaps });
  const id = mapInfo(first.mapFd('table')).id;
  const load = () => BpfObject.load(loaderObject, { pinMaps, maxEntries: { table: 200 } });
  expect(load).toThrow(VetchError);
  expect(load).toThrow(/the map table pinned at .* entries 100 where 200 are needed/);
  using again = BpfObject.load(loaderObject, { pinMaps });
  expect(mapInfo(again.mapFd('table')).id).toBe(id);
});

test('a refused program is reported with the last lines of the log and the file that holds all of it', () => {
  let refusal: unknown;
  try {
    BpfObject.load(refusedObject);
  } catch (error) {
    refusal = error;
  }
  if (!(refusal instanceof LoadError)) throw new Error('the object was loaded');
  expect(refusal).toMatchObject({ code: 'EACCES', program: 'xdp_careless', object: refusedObject });
  expect(refusal.message).toContain('invalid access to packet');
  const logPath = refusal.logPath ?? '';
  expect(readFileSync(logPath, 'utf8')).toContain('invalid access to packet');
  rmSync(dirname(logPath), { recursive: true });
});

test('a refused object leaves no pins', () => {
  using bpffs = ownBpffs();
  const pinMaps = `${bpffs.path}/maps`;
  expect(() => BpfObject.load(loaderObject, { pinMaps, maxEntries: { seen: 0xffff_ffff } })).toThrow(LoadError);
  expect(existsSync(`${pinMaps}/table`)).toBe(false);
});

test('what is no object is refused in words', () => {
  expect(() => BpfObject.load(import.meta.filename)).toThrow(/not a proper ELF object/);
  expect(() => BpfObject.load('/nonexistent.bpf.o')).toThrow(/ENOENT|No such file/);
});

test('loading on another thread gives the same object, and the same refusal', async () => {
  using object = await BpfObject.loadAsync(loaderObject, { rodata: { verdict: 3 } });
  expect(object.program('tc_verdict').testRun({ data: packet }).retval).toBe(3);
  const refusal = await BpfObject.loadAsync(refusedObject).catch((error: unknown) => error);
  if (!(refusal instanceof LoadError)) throw new Error('the object was loaded');
  expect(refusal.program).toBe('xdp_careless');
  rmSync(dirname(refusal.logPath ?? ''), { recursive: true });
});

test('a program says what it is, and outlives its object when it is pinned', () => {
  using bpffs = ownBpffs();
  const path = `${bpffs.path}/tc_verdict`;
  let id: number;
  {
    using object = BpfObject.load(loaderObject);
    const program = object.program('tc_verdict');
    expect(program.info()).toMatchObject({ name: 'tc_verdict', type: 3, tag: program.tag });
    expect(program.tag).toMatch(/^[0-9a-f]{16}$/);
    program.pin(path);
    id = program.id;
  }
  using pinned = Program.fromPin(path);
  expect(pinned.id).toBe(id);
  expect(pinned.testRun({ data: packet }).retval).toBe(7);
});

test('a test run returns the packet and its time, over many repetitions', () => {
  using object = BpfObject.load(loaderObject);
  const data = Uint8Array.from({ length: 60 }, (_, index) => index);
  const result = object.program('tc_verdict').testRun({ data, repeat: 1000 });
  expect(result.dataOut).toEqual(data);
  expect(result.durationNs).toBeLessThan(100_000);
});

test('a packet shorter than an Ethernet header is refused by name', () => {
  using object = BpfObject.load(loaderObject);
  expect(() => object.program('tc_verdict').testRun({ data: new Uint8Array(3) })).toThrow(/tc_verdict.*EINVAL/);
});

test('loading and closing leaks no descriptors', () => {
  BpfObject.load(loaderObject).close();
  const before = openDescriptors();
  for (let round = 0; round < 20; round++) BpfObject.load(loaderObject).close();
  expect(openDescriptors()).toBe(before);
});

test('a descriptor that is no map is refused', () => {
  using object = BpfObject.load(loaderObject);
  object.close();
  expect(() => object.mapFd('table')).toThrow(/no map table/);
  expect(() => mapInfo(-1)).toThrow(/describe a map descriptor -1/);
});
