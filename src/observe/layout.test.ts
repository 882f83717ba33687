import { expect, test } from 'vitest';
import { encoded } from '../maps/codec.ts';
import { flowEventCodec, mapDefinitions } from '../maps/generated/abi.ts';
import { fieldPlaces } from './layout.ts';

test('the fields of a flow event lie one after the other and fill it', () => {
  const places = Object.values(fieldPlaces(flowEventCodec)).sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, size } of places) {
    expect(offset).toBe(end);
    end = offset + size;
  }
  expect(end).toBe(flowEventCodec.size);
});

test('a place is where the codec writes the field', () => {
  const { key } = mapDefinitions.conntrack;
  const zero = key.decode(new Uint8Array(key.size), 0);
  const bytes = encoded(key, { ...zero, portB: 0x0102 });
  const { offset, size } = fieldPlaces(key).portB;
  expect([...bytes.subarray(offset, offset + size)]).toEqual([1, 2]);
});
