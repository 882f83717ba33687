import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quickReaders } from './quick-records.ts';
import { recordTypes } from './records.ts';

const text = fc.constantFrom('', 'a', 'web', '__proto__', '10.0.0.1', '02:42:0a:58:00:02');
const odd = fc.constantFrom<unknown>(undefined, null, 1, true, [], {}, ['x'], { a: 1 });
const mostly = <Value>(good: fc.Arbitrary<Value>) => fc.oneof({ weight: 40, arbitrary: good }, odd);
const record = fc.record({
  id: mostly(text),
  name: mostly(text),
  network: mostly(text),
  node: mostly(text),
  endpoint: mostly(text),
  address: mostly(text),
  owner: mostly(fc.constantFrom('vetch', 'vetch', 'docker', 'cni', 'nobody')),
  mac: mostly(fc.constantFrom('02:42:0a:58:00:02', '02:42:0A:58:00:02', '02:42', '')),
  addresses: mostly(
    fc.array(fc.constantFrom('10.0.0.1/24', 'fd00::1/64', '10.0.0.1', 'x', '10.0.0.1/x/y'), { maxLength: 2 }),
  ),
  labels: mostly(fc.dictionary(text, mostly(text), { maxKeys: 3 })),
  ports: mostly(
    fc.array(fc.constantFrom({ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 80, port: 80 }), { maxLength: 1 }),
  ),
  more: fc.anything(),
});

test.each(['addresses', 'cluster-endpoints'] as const)(
  'what is read quickly of %s is what the schema reads',
  (kind) => {
    let read = 0;
    fc.assert(
      fc.property(record, (one) => {
        const quick = quickReaders[kind](structuredClone(one));
        if (quick === undefined) return;
        read++;
        const result = recordTypes[kind].safeParse(one);
        expect(quick).toEqual(result.data);
        expect(JSON.stringify(Object.entries(quick).sort())).toBe(
          JSON.stringify(Object.entries(result.data ?? {}).sort()),
        );
      }),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(50);
  },
);

test('labels that only look alike are not taken for one another', () => {
  const told = {
    id: 'a',
    name: 'web',
    network: 'n',
    node: 'h',
    owner: 'vetch',
    mac: '02:42:0a:58:00:02',
    addresses: [],
  };
  const read = (labels: Record<string, string>) => quickReaders['cluster-endpoints']({ ...told, labels, ports: [] });
  expect(read({ app: 'db', tier: 'x' })?.labels).toEqual({ app: 'db', tier: 'x' });
  for (const parting of ['\0', ' ', '2 1 ', '4 1 ']) {
    const labels = { app: `db${parting}tier${parting}x${parting}` };
    expect(read(labels)?.labels).toEqual(labels);
    const other = { [`app${parting}db`]: `tier${parting}x` };
    expect(read(other)?.labels).toEqual(other);
  }
});
