import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BpfObject } from '../../src/loader/object.ts';
import { RingBuffer } from '../../src/maps/ring-buffer.ts';
import { loaderObject } from './loader-support.ts';

const big = 0xfedc_ba98_7654_3210n;

/** `struct request` of the fixture. */
const request = (records: number, discarded = 0) => {
  const context = new Uint8Array(16);
  new DataView(context.buffer).setUint32(0, records, true);
  new DataView(context.buffer).setUint32(4, discarded, true);
  return { context };
};

function read(ring: RingBuffer, limit?: number): [bigint, bigint][] {
  const records: [bigint, bigint][] = [];
  ring.consume((bytes, offset, length) => {
    expect(length).toBe(16);
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
    records.push([view.getBigUint64(0, true), view.getBigUint64(8, true)]);
  }, limit);
  return records;
}

const expected = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => [BigInt(from + index), big]);

test('records are read in order, once, and discarded ones never', () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  using ring = RingBuffer.open(object.mapFd('events'));
  expect(read(ring)).toEqual([]);
  object.program('emit').testRun(request(5, 2));
  expect(ring.pending()).toBe(5 * 24);
  expect(read(ring)).toEqual(expected(2, 5));
  expect(ring.pending()).toBe(0);
  expect(read(ring)).toEqual([]);
});

test('reading goes on for many times the size of the ring', () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  using ring = RingBuffer.open(object.mapFd('events'));
  const emit = object.program('emit');
  for (let round = 0; round < 500; round++) {
    expect(emit.testRun(request(60)).retval).toBe(0);
    expect(read(ring)).toEqual(expected(0, 60));
  }
});

test('a limit leaves the rest for the next time', () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  using ring = RingBuffer.open(object.mapFd('events'));
  object.program('emit').testRun(request(10));
  expect(read(ring, 4)).toEqual(expected(0, 4));
  expect(read(ring)).toEqual(expected(4, 10));
});

test('a full ring takes no more until it is read', () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  using ring = RingBuffer.open(object.mapFd('events'));
  const emit = object.program('emit');
  let written = 0;
  for (let result = 0; result === 0; ) {
    result = emit.testRun(request(60)).retval;
    written += result === 0 ? 60 : result;
  }
  expect(written).toBe(Math.floor(ring.size / 24));
  expect(read(ring)).toHaveLength(written);
  expect(emit.testRun(request(60)).retval).toBe(0);
});

test('a reader that throws loses its record and no other', () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  using ring = RingBuffer.open(object.mapFd('events'));
  object.program('emit').testRun(request(3));
  expect(() =>
    ring.consume(() => {
      throw new Error('reader');
    }),
  ).toThrow('reader');
  expect(read(ring)).toEqual(expected(1, 3));
});

test('a second consumer goes on where the first one ended', () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  object.program('emit').testRun(request(10));
  {
    using ring = RingBuffer.open(object.mapFd('events'));
    read(ring, 7);
  }
  using ring = RingBuffer.open(object.mapFd('events'));
  expect(read(ring)).toEqual(expected(7, 10));
});

test('the event loop is told when there is something to read', async () => {
  using object = BpfObject.load(loaderObject, { rodata: { big } });
  using ring = RingBuffer.open(object.mapFd('events'));
  const seen: unknown[] = [];
  using _watch = ring.watch(() => seen.push(...read(ring)));
  await sleep(20);
  expect(seen).toEqual([]);
  object.program('emit').testRun(request(3));
  await expect.poll(() => seen).toEqual(expected(0, 3));
  object.program('emit').testRun(request(1));
  await expect.poll(() => seen.length).toBe(4);
});

test('a closed ring is not read', () => {
  using object = BpfObject.load(loaderObject);
  const ring = RingBuffer.open(object.mapFd('events'));
  ring.close();
  ring.close();
  expect(() => ring.consume(() => undefined)).toThrow(/closed/);
  expect(() => RingBuffer.open(object.mapFd('table'))).toThrow();
});
