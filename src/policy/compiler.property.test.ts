import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PolicyDocument, policyKey } from '../model/policy.ts';
import { PolicyCompiler, type PolicyUpdate } from './compiler.ts';
import type { LearnedAddress, PolicyEndpoint } from './identity/policy-endpoint.ts';
import { learnedKey, type PolicyTables, pairKey } from './tables.ts';
import { arbitraryDocument, arbitraryEndpoint, arbitraryLearned, namespaces } from './testing/arbitrary.ts';

interface State {
  readonly documents: Map<string, PolicyDocument>;
  readonly namespaces: Map<string, Record<string, string>>;
  readonly endpoints: Map<number, PolicyEndpoint>;
  hostAddresses: string[];
  readonly learned: Map<string, LearnedAddress>;
}

function newState(): State {
  return {
    ...{ documents: new Map(), namespaces: new Map(), endpoints: new Map(), hostAddresses: [], learned: new Map() },
  };
}

const hostAddresses = ['10.0.0.254', '10.1.0.254', 'fd00::fffe'];

const update: fc.Arbitrary<PolicyUpdate> = fc.oneof(
  fc.array(arbitraryDocument, { minLength: 1, maxLength: 3 }).map((documents) => ({
    documents: new Map(documents.map((document) => [policyKey(document), document])),
  })),
  arbitraryDocument.map((document) => ({ documents: new Map([[policyKey(document), undefined]]) })),
  fc.array(arbitraryEndpoint, { minLength: 1, maxLength: 4 }).map((endpoints) => ({
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.number, endpoint])),
  })),
  fc.integer({ min: 1, max: 6 }).map((number) => ({ endpoints: new Map([[number, undefined]]) })),
  fc
    .tuple(
      fc.constantFrom(...namespaces),
      fc.option(fc.record({ team: fc.constantFrom('red', 'blue') }), { nil: undefined }),
    )
    .map(([namespace, labels]) => ({ namespaces: new Map([[namespace, labels]]) })),
  fc.subarray(hostAddresses).map((addresses) => ({ hostAddresses: addresses })),
  fc.array(arbitraryLearned, { minLength: 1, maxLength: 3 }).map((learned) => ({
    learned: new Map(learned.map((one) => [learnedKey(one.endpoint, one.address), one])),
  })),
  arbitraryLearned.map(({ endpoint, address }) => ({ learned: new Map([[learnedKey(endpoint, address), undefined]]) })),
);

function remember(state: State, update: PolicyUpdate) {
  const { documents, namespaces: spaces, endpoints, hostAddresses: addresses, learned } = update;
  const set = <Key, Value>(map: Map<Key, Value>, changes: ReadonlyMap<Key, Value | undefined> | undefined): void => {
    for (const [key, value] of changes ?? []) {
      if (value === undefined) map.delete(key);
      else map.set(key, value);
    }
  };
  set(state.documents, documents);
  set(state.namespaces, spaces as ReadonlyMap<string, Record<string, string> | undefined> | undefined);
  set(state.endpoints, endpoints);
  set(state.learned, learned);
  if (addresses !== undefined) state.hostAddresses = [...addresses];
}

function learnedNumbers({ learned }: PolicyTables): Map<string, number> {
  return new Map([...learned].map(([key, { identity }]) => [key, identity]));
}

/** As plain data, in one order; the order of a port set's entries says nothing. */
function plain(tables: PolicyTables) {
  const sorted = <Key, Value>(map: ReadonlyMap<Key, Value>) =>
    [...map].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return {
    standings: sorted(tables.standings),
    blocks: sorted(tables.blocks),
    learned: sorted(tables.learned),
    pairs: sorted(tables.pairs),
    portSets: sorted(tables.portSets).map(([number, entries]) => [
      number,
      entries.map((e) => JSON.stringify(e)).sort(),
    ]),
  };
}

test('tables after any changes are those of a new start, number by number', () => {
  fc.assert(
    fc.property(fc.array(update, { minLength: 1, maxLength: 12 }), fc.boolean(), (updates, sweeps) => {
      const compiler = new PolicyCompiler({ node: 'node-1' });
      const state = newState();
      const mirror = {
        ...{ standings: new Map(), blocks: new Map(), learned: new Map(), pairs: new Map(), portSets: new Map() },
      };
      for (const change of updates) {
        compiler.update(change);
        remember(state, change);
        if (!sweeps) continue;
        const changes = compiler.takeChanges();
        for (const { subject, peer, direction, decision } of changes.pairs) {
          const key = pairKey(subject, peer, direction);
          if (decision === undefined) mirror.pairs.delete(key);
          else mirror.pairs.set(key, { subject, peer, direction, decision });
        }
        for (const table of ['standings', 'blocks', 'learned', 'portSets'] as const) {
          const [from, to] = [compiler.tables[table] as ReadonlyMap<unknown, unknown>, mirror[table]];
          for (const key of changes[table]) {
            if (from.has(key)) to.set(key, from.get(key));
            else to.delete(key);
          }
        }
        expect(plain(mirror)).toEqual(plain(compiler.tables));
      }
      const { standings, blocks, portSets } = compiler.tables;
      const learned = learnedNumbers(compiler.tables);
      const endpoints = new Map(
        [...standings].map(([number, { v4, v6 }]) => [number, { v4: v4.identity, v6: v6.identity }]),
      );
      const restarted = new PolicyCompiler({ node: 'node-1', seeds: { endpoints, blocks, learned, portSets } });
      restarted.update(state);
      expect(plain(restarted.tables)).toEqual(plain(compiler.tables));
    }),
    { numRuns: 3000 },
  );
}, 120_000);

test('an update that is refused changes nothing', () => {
  fc.assert(
    fc.property(fc.array(update, { minLength: 1, maxLength: 8 }), update, (updates, last) => {
      const compiler = new PolicyCompiler({ node: 'node-1' });
      for (const change of updates) compiler.update(change);
      compiler.takeChanges();
      const { standings, blocks, portSets, pairs } = compiler.tables;
      const seeds = {
        endpoints: new Map(
          [...standings].map(([number, { v4, v6 }]) => [number, { v4: v4.identity, v6: v6.identity }]),
        ),
        blocks: new Map(blocks),
        learned: learnedNumbers(compiler.tables),
        portSets: new Map(portSets),
      };
      const ports = [...portSets.values()].flat().length;
      const limited = new PolicyCompiler({
        node: 'node-1',
        seeds,
        capacities: { pairs: pairs.size, ports, blocks: blocks.size, learned: compiler.tables.learned.size },
      });
      const state = newState();
      for (const change of updates) remember(state, change);
      limited.update(state);
      const before = plain(limited.tables);
      expect(before).toEqual(plain(compiler.tables));
      try {
        limited.update(last);
      } catch (error) {
        expect(error).toMatchObject({ code: 'MAP_FULL' });
        expect(plain(limited.tables)).toEqual(before);
        limited.takeChanges();
        expect(plain(limited.tables)).toEqual(before);
      }
    }),
    { numRuns: 200 },
  );
}, 120_000);
