import { expect, test } from 'vitest';
import { type ConntrackFilter, type ConntrackView, conntrackView } from '../../api/schemas/conntrack.ts';
import { ConntrackFlag, ConntrackState } from '../../maps/generated/abi.ts';
import { plainNames } from '../flows/testing.ts';
import { listConntrack } from './list.ts';
import { conntrackFilter, type FakeEntry, flowEntry, type Tuple } from './testing.ts';

const timeouts = {
  timeoutNew: 30,
  timeoutUdp: 120,
  timeoutIcmp: 10,
  timeoutEstablished: 3600,
  timeoutClosing: 60,
  timeoutClosed: 5,
  timeoutRefused: 300,
};

async function list(entries: readonly FakeEntry[], filter: Partial<ConntrackFilter> = {}): Promise<ConntrackView[]> {
  const byKey = new Map(entries.map(([key, value]) => [Buffer.from(key).toString('latin1'), value]));
  const rows: ConntrackView[] = [];
  const flows = listConntrack({
    source: { rawEntries: () => entries, rawGet: (key) => byKey.get(Buffer.from(key).toString('latin1')) },
    filter: conntrackFilter(filter),
    names: plainNames,
    timeouts,
    now: 110,
    networkName: (network) => (network === 1 ? 'shop' : undefined),
  });
  for await (const row of flows) rows.push(row);
  return rows;
}

const local: Tuple = { source: ['10.88.0.9', 40000], destination: ['10.88.0.3', 80], network: 1 };
const asked: Tuple = { source: ['192.0.2.1', 50000], destination: ['203.0.113.5', 8080], network: 0 };
const arrived: Tuple = { source: ['192.0.2.1', 50000], destination: ['10.88.0.2', 80], network: 1 };
const first = flowEntry(asked, { sourceIdentity: 2 }, arrived);
const second = flowEntry(
  arrived,
  {
    sourceIdentity: 2,
    flags: ConntrackFlag.REPLY_HALF,
    packetsOriginal: 0n,
    bytesOriginal: 0n,
    lastSeen: 108_000_000_000n,
  },
  asked,
);

test('an untranslated flow is told in the direction in which it was begun', async () => {
  const [row, ...rest] = await list([flowEntry(local)]);
  expect(rest).toEqual([]);
  expect(conntrackView.parse(row)).toEqual(row);
  expect(row).toEqual({
    protocol: 'tcp',
    source: { ip: '10.88.0.9', port: 40000 },
    destination: { ip: '10.88.0.3', port: 80 },
    translated: null,
    state: 'ESTABLISHED',
    packets: 5,
    bytes: 500,
    ageSeconds: 10,
    expiresSeconds: 3595,
    network: 'shop',
  });
});

test('the halves of a translated flow are one row', async () => {
  for (const entries of [
    [first, second],
    [second, first],
  ]) {
    const rows = await list(entries);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      source: { ip: '192.0.2.1', port: 50000 },
      destination: { ip: '203.0.113.5', port: 8080 },
      translated: { source: { ip: '192.0.2.1', port: 50000 }, destination: { ip: '10.88.0.2', port: 80 } },
      packets: 7,
      bytes: 700,
      expiresSeconds: 3598,
      network: null,
    });
  }
});

test('a half whose other half was evicted still tells of the flow', async () => {
  const [row] = await list([second]);
  expect(row).toMatchObject({
    destination: { port: 8080 },
    translated: { destination: { ip: '10.88.0.2', port: 80 } },
  });
});

test('a flow that has expired is not shown though it is still in the map', async () => {
  const old = { lastSeen: 104_000_000_000n };
  expect(await list([flowEntry(local, { ...old, state: ConntrackState.CLOSED })])).toEqual([]);
  expect(await list([flowEntry(local, { ...old, state: ConntrackState.NEW })])).toHaveLength(1);
});

test('a translated flow is found by its ports and addresses before and after translation', async () => {
  for (const filter of [
    { port: [80] },
    { port: [8080] },
    { to: ['10.88.0.2'] },
    { to: ['203.0.113.0/24'] },
    { from: ['world'] },
    { endpoint: ['10.88.0.2'] },
    { network: ['1'] },
    { network: ['0'] },
    { protocol: ['tcp'], state: ['ESTABLISHED' as const] },
  ]) {
    expect(await list([first, second], filter)).toHaveLength(1);
  }
  for (const filter of [{ port: [443] }, { from: ['10.88.0.2'] }, { endpoint: ['10.88.0.3'] }, { protocol: ['udp'] }]) {
    expect(await list([first, second], filter)).toEqual([]);
  }
});
