import { describe, expect, test } from 'vitest';
import { decodeRecord, encodeRecord } from './codec.ts';

describe('a stored record', () => {
  test('carries the schema that it was written with', () => {
    expect(JSON.parse(encodeRecord<'deny'>({}))).toEqual({ schema: 3 });
  });

  test('of an older schema passes through each migration in turn', () => {
    const text = JSON.stringify({ schema: 1, title: 'web' });
    const reading = {
      schema: 3,
      migrations: {
        networks: {
          1: ({ title, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, name: title }),
          2: (old: Readonly<Record<string, unknown>>) => ({
            id: 'a',
            number: 1,
            driver: 'bridge',
            owner: 'vetch',
            subnets: [],
            mtu: 1500,
            internal: false,
            options: {},
            labels: {},
            created: '2026-01-31T12:00:00Z',
            ...old,
          }),
        },
      },
    };
    expect(decodeRecord('networks', 'a', text, reading)).toMatchObject({ id: 'a', name: 'web', mtu: 1500 });
  });

  test('of an older schema whose kind did not change is read as it is', () => {
    expect(decodeRecord('deny', '192.0.2.0/24', '{"schema":1}', { schema: 2, migrations: {} })).toEqual({});
  });
});
