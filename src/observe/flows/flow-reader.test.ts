import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { encoded } from '../../maps/codec.ts';
import { type FlowEvent, flowEventCodec } from '../../maps/generated/abi.ts';
import { FlowLog } from './flow-log.ts';
import { type EventRing, FlowReader } from './flow-reader.ts';
import { flowEvent, flowQuery, plainNames } from './testing.ts';

/** A ring in memory; the real one is read in test/observe. */
class MemoryRing implements EventRing {
  readonly records: Uint8Array[] = [];
  watches = 0;
  #callback: (() => void) | undefined;

  put(...events: FlowEvent[]): void {
    this.records.push(...events.map((event) => encoded(flowEventCodec, event)));
    this.#callback?.();
  }

  watch(callback: () => void) {
    this.watches++;
    this.#callback = callback;
    const close = () => {
      this.#callback = undefined;
    };
    return { close, unref: () => {} };
  }

  consume(read: (bytes: Uint8Array, offset: number, length: number) => void, limit = Number.POSITIVE_INFINITY) {
    const records = this.records.splice(0, limit);
    for (const bytes of records) read(bytes, 0, bytes.length);
    return records.length;
  }

  pending(): number {
    return this.records.length;
  }
}

function reading(limit?: number) {
  const ring = new MemoryRing();
  const directory = { endpointAt: () => undefined, networkName: () => undefined, decidedBy: () => null };
  const log = new FlowLog({ directory, names: plainNames, node: 'here', capacity: 1024 });
  const reader = new FlowReader({ ring, log, interval: 1, ...(limit !== undefined && { limit }) });
  return { ring, log, reader };
}

test('the first event is read at once, the next ones a few milliseconds later', async () => {
  const { ring, log, reader } = reading();
  ring.put(flowEvent());
  expect(reader.read).toBe(1);
  ring.put(flowEvent(), flowEvent());
  expect(reader.read).toBe(1);
  await setTimeout(10);
  expect(log.history.end).toBe(3);
  reader.close();
});

test('an empty ring is waited for again', async () => {
  const { ring, reader } = reading();
  ring.put(flowEvent());
  await setTimeout(10);
  expect(ring.watches).toBe(2);
  ring.put(flowEvent());
  expect(reader.read).toBe(2);
  reader.close();
});

test('a flood of events is read in slices', async () => {
  const { ring, reader } = reading(2);
  ring.put(flowEvent(), flowEvent(), flowEvent());
  expect(reader.read).toBe(2);
  await setTimeout(10);
  expect(reader.read).toBe(3);
  reader.close();
});

test('a follower sees an event when it is read', async () => {
  const { ring, log, reader } = reading();
  const client = new AbortController();
  const next = log.query(flowQuery({ follow: true }), client.signal).next();
  ring.put(flowEvent({ sourcePort: 7 }));
  expect((await next).value).toMatchObject({ source: { port: 7 } });
  client.abort();
  reader.close();
});

test('a record of another size is counted and not shown', () => {
  const { ring, log, reader } = reading();
  ring.records.push(new Uint8Array(64));
  ring.put(flowEvent());
  expect(reader.refused).toBe(1);
  expect(log.history.end).toBe(1);
  reader.close();
});

test('a closed reader reads no more', async () => {
  const { ring, reader } = reading();
  ring.put(flowEvent());
  reader.close();
  ring.put(flowEvent());
  await setTimeout(10);
  expect(reader.read).toBe(1);
});
