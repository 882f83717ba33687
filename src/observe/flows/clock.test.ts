import { expect, test } from 'vitest';
import { type ClockSource, KtimeClock } from './clock.ts';

/** A machine that started at `booted` (ns since 1970); each reading takes 10 µs. */
function machine(booted: bigint): ClockSource & { sleep(ns: bigint): void; set(booted: bigint): void } {
  let now = 1_000_000_000n;
  let start = booted;
  return {
    monotonic: () => {
      now += 10_000n;
      return now;
    },
    realtime: () => Number((start + now) / 1_000_000n),
    sleep: (ns) => {
      now += ns;
    },
    set: (to) => {
      start = to;
    },
  };
}

const booted = 1_700_000_000_123_456_000n;
const error = (clock: KtimeClock, truth: bigint) => Number(clock.offset - truth);

test('the distance of the clocks is found to some microseconds', () => {
  expect(Math.abs(error(new KtimeClock(machine(booted)), booted))).toBeLessThan(20_000);
});

test('a wall clock that is set is followed', () => {
  const source = machine(booted);
  const clock = new KtimeClock(source);
  source.set(booted + 7_000_000_000n);
  clock.recheck();
  expect(Math.abs(error(clock, booted))).toBeLessThan(20_000);
  source.sleep(6_000_000_000n);
  clock.recheck();
  expect(Math.abs(error(clock, booted + 7_000_000_000n))).toBeLessThan(20_000);
});

test('an event keeps its date while the clocks agree', () => {
  const source = machine(booted);
  const clock = new KtimeClock(source);
  const before = clock.offset;
  for (let i = 0; i < 50; i++) {
    source.sleep(6_000_333_000n);
    clock.recheck();
  }
  expect(clock.offset).toBe(before);
});

test('a ktime is written as RFC 3339 with microseconds, and read back', () => {
  const clock = new KtimeClock();
  const ktime = clock.now();
  const text = clock.format(Number(ktime >> 32n), Number(ktime & 0xffff_ffffn));
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(Math.abs(Date.parse(text) - Date.now())).toBeLessThan(50);
  expect(Math.abs(Number(clock.toKtime(new Date(text)) - ktime))).toBeLessThan(1_001_000);
});
