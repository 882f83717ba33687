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

  test('of another host is none where its addresses cannot be read', () => {
    const told = {
      ...({
        id: 'a',
        name: 'web',
        network: 'b',
        owner: 'vetch',
        node: 'h1',
        mac: '02:42:0a:58:00:02',
        labels: {},
      } as const),
      addresses: ['10.88.0.2/16', 'fd00:88::2/64'],
      ports: [{ protocol: 'tcp', hostAddress: '::', hostPort: 8080, port: 80, scope: 'cluster' }] as const,
    };
    const read = (change: object) =>
      decodeRecord('cluster-endpoints', 'h1/a', JSON.stringify({ schema: 2, ...told, ...change }));
    expect(read({})).toEqual(told);
    const [port] = told.ports;
    const direct = { ports: [{ ...port, return: 'direct' }] };
    expect(read(direct)).toMatchObject(direct);
    for (const change of [
      { ports: [{ ...port, return: 'sideways' }] },
      { mac: '02' },
      { addresses: ['nowhere/16'] },
      { ports: [{ ...port, hostAddress: 'here' }] },
    ]) {
      expect(() => read(change)).toThrow(/record cluster-endpoints\/h1\/a of the state cannot be read/);
    }
    const node = { schema: 2, name: 'h1', version: '1', addresses: [], started: '' };
    expect(decodeRecord('nodes', 'h1', JSON.stringify({ ...node, tunnel: '192.0.2.1' })).tunnel).toBe('192.0.2.1');
    for (const change of [{ tunnel: '192.0.2' }, { addresses: ['192.0.2'] }]) {
      expect(() => decodeRecord('nodes', 'h1', JSON.stringify({ ...node, ...change }))).toThrow(/cannot be read/);
    }
  });
});
