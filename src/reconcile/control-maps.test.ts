import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import { mapDefinitions } from '../maps/generated/abi.ts';
import { parseAddress } from '../model/address.ts';
import type { ClusterEndpoint } from '../model/cluster.ts';
import type { PublishedPort } from '../model/endpoint.ts';
import { BackendHealth } from '../service/health.ts';
import { aService } from '../service/testing.ts';
import { ControlMaps } from './control-maps.ts';
import { type ControlMap, controlMaps, keyText } from './entry.ts';
import { entriesOf, type RawMaps } from './observed/maps.ts';
import { aLink, aNetwork, aNode, anEndpoint, anIntent, aRemote, hostFacts } from './testing.ts';

/** Maps that live in this process, and are as full as they are told to be. */
function memoryMaps(capacity: Partial<Record<ControlMap, number>> = {}): RawMaps {
  return Object.fromEntries(controlMaps.map((map) => [map, { raw: memoryMap(map, capacity[map] ?? 1e6) }])) as never;
}

function memoryMap(map: ControlMap, maxEntries: number) {
  const { type, value } = mapDefinitions[map];
  const held = new Map<string, [Uint8Array, Uint8Array]>();
  const update = (key: Uint8Array, bytes: Uint8Array) => {
    if (!held.has(keyText(key)) && held.size >= maxEntries) throw new VetchError('MAP_FULL', `${map} is full`, '');
    held.set(keyText(key), [key, bytes]);
  };
  const remove = (key: Uint8Array) => {
    if (type === 'array') throw new Error('an array keeps its elements');
    return held.delete(keyText(key));
  };
  return {
    maxEntries,
    update,
    delete: remove,
    lookup(key: Uint8Array, into: Uint8Array) {
      const found = held.get(keyText(key))?.[1];
      if (found) into.set(found);
      return found !== undefined;
    },
    *batches() {
      yield [...held.values()];
    },
    *writtenBatches() {
      yield [...held.values()].filter(([, bytes]) => bytes.some((byte) => byte !== 0));
    },
    updateMany(entries: Iterable<readonly [Uint8Array, Uint8Array]>) {
      for (const [key, bytes] of entries) update(key, bytes);
    },
    deleteMany: (keys: Iterable<Uint8Array>) => [...keys].filter(remove).length,
    valueSize: value.size,
  };
}

const port = (hostPort: number, hostAddress = '0.0.0.0'): PublishedPort => ({
  ...{ protocol: 'tcp', hostAddress, hostPort, port: 80 },
});
const network = aNetwork();
const web = anEndpoint({ ports: [port(8080), port(8080, '127.0.0.1')] });
const db = anEndpoint({
  ...{ id: 'c'.repeat(64), number: 2, name: 'db', hostIfname: 'vt00000000002', mac: '02:42:0a:58:00:03' },
  ...{ addresses: ['10.88.0.3/16', 'fd00:88::3/64'], ports: [port(8081)] },
});
const facts = hostFacts({
  links: [aLink(2, 'eth0'), aLink(3, 'vetch0'), aLink(10, web.hostIfname), aLink(11, db.hostIfname)],
});
const fail = (error: unknown) => {
  throw error;
};

async function contents(maps: RawMaps): Promise<string> {
  const rows = controlMaps.flatMap((map) =>
    [...entriesOf(maps, map)].map(({ key, value }) => {
      const shown = map === 'config' ? value.with(8, 0) : value;
      return `${map} ${Buffer.from(key).toString('hex')} ${Buffer.from(shown).toString('hex')}`;
    }),
  );
  // An element of zeros says the same as none.
  return rows
    .filter((row) => !/^networks \w+ 0*$/.test(row))
    .sort()
    .join('\n');
}

describe('the maps of the control plane', () => {
  test('one change at a time gives what a whole pass gives', async () => {
    const [byPass, bySteps] = [memoryMaps(), memoryMaps()];
    await (await ControlMaps.open(byPass)).reconcile(anIntent([network], [web, db]), facts, fail);
    const steps = await ControlMaps.open(bySteps);
    await steps.reconcile(anIntent([], []), facts, fail);
    steps.addNetwork(network, 3);
    steps.addEndpoint(web, network, 10);
    steps.addEndpoint(db, network, 11);
    expect(await contents(bySteps)).toBe(await contents(byPass));
  });

  test('what was added and removed leaves nothing, and the generation higher', async () => {
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    await control.reconcile(anIntent([], []), facts, fail);
    const before = await contents(maps);
    control.addNetwork(network, 3);
    control.addEndpoint(web, network, 10);
    control.addEndpoint(db, network, 11);
    const generation = control.generation;
    control.removeEndpoint(web, network, 10);
    expect(control.generation).toBeGreaterThan(generation);
    expect(await control.reconcile(anIntent([network], [db]), facts, fail)).toBe(0);
    control.removeEndpoint(db, network, 11);
    control.removeNetwork(network, 3);
    expect(await contents(maps)).toBe(before);
  });

  test('a full map refuses an endpoint and keeps nothing of it', async () => {
    const maps = memoryMaps({ published: 1 });
    const control = await ControlMaps.open(maps);
    await control.reconcile(anIntent([network], [web]), facts, fail);
    const before = await contents(maps);
    expect(() => control.addEndpoint(db, network, 11)).toThrow(expect.objectContaining({ code: 'MAP_FULL' }));
    expect(await contents(maps)).toBe(before);
    expect(() => control.publish(web, network, [port(9000)])).toThrow(expect.objectContaining({ code: 'MAP_FULL' }));
    expect(await contents(maps)).toBe(before);
  });

  test('flows that were begun to what a full map refused are judged again', async () => {
    const control = await ControlMaps.open(memoryMaps({ published: 1, endpoints: 6 }));
    await control.reconcile(anIntent([network], [web]), facts, fail);
    const fails = (add: () => void) => {
      const { generation } = control;
      expect(add).toThrow(expect.objectContaining({ code: 'MAP_FULL' }));
      expect(control.generation).toBeGreaterThan(generation);
    };
    fails(() => control.publish(web, network, [port(9000)]));
    fails(() => control.addEndpoint({ ...db, ports: [] }, network, 11));
  });

  test('a daemon that starts again goes on with the generation and the slots that it finds', async () => {
    const maps = memoryMaps();
    const first = await ControlMaps.open(maps);
    await first.reconcile(anIntent([network], [web, db]), facts, fail);
    first.revoke();
    const again = await ControlMaps.open(maps);
    expect(again.generation).toBe(first.generation);
    expect(await again.reconcile(anIntent([network], [db, web]), facts, fail)).toBe(0);
  });

  test('what a daemon took away that was killed before it said so is said by the next, and once', async () => {
    const maps = memoryMaps();
    const killed = await ControlMaps.open(maps);
    await killed.reconcile(anIntent([network], [web, db]), facts, fail);
    killed.revoke = () => {
      throw new Error('killed');
    };
    expect(() => killed.removeEndpoint(db, network, 11)).toThrow('killed');
    const next = await ControlMaps.open(maps);
    const { generation } = next;
    expect(await next.reconcile(anIntent([network], [web]), facts, fail)).toBe(0);
    const said = (await ControlMaps.open(maps)).generation;
    expect(said).toBeGreaterThan(generation);
    expect((said - generation) % 2).toBe(0);
    await next.reconcile(anIntent([network], [web]), facts, fail);
    expect(next.generation).toBe(said);
  });

  describe('of a service', () => {
    const service = aService();
    const selected = (one: typeof web) => ({ ...one, ports: [], labels: { app: 'shop' } });
    const [shopWeb, shopDb] = [selected(web), selected(db)];
    const withService = (...endpoints: (typeof web)[]) => ({
      ...anIntent([network], endpoints),
      services: new Map([[service.id, service]]),
    });
    const tables = (maps: RawMaps) => {
      const rows = [...entriesOf(maps, 'services')].map(({ value }) => mapDefinitions.services.value.decode(value));
      const members = [...entriesOf(maps, 'serviceMembers')].length;
      return { places: rows.filter(({ slots }) => slots > 0).map(({ first }) => first), members };
    };

    test('a change goes elsewhere, and a pass finds it right', async () => {
      const maps = memoryMaps();
      const control = await ControlMaps.open(maps);
      await control.reconcile(withService(shopWeb, shopDb), facts, fail);
      const before = tables(maps);
      expect(before).toMatchObject({ places: [0], members: 2 });
      control.setService(service, network, [shopWeb]);
      const after = tables(maps);
      expect(after).toMatchObject({ members: 1 });
      expect(after.places).not.toEqual(before.places);
      const spare = { ...shopDb, labels: {} };
      // The former table waits to be swept, and is no drift.
      expect(await control.reconcile(withService(shopWeb, spare), facts, fail)).toBe(0);
      expect(await (await ControlMaps.open(maps)).reconcile(withService(shopWeb, spare), facts, fail)).toBe(0);
    });

    test('a table that has grown stays as large when backends go', async () => {
      const maps = memoryMaps();
      const control = await ControlMaps.open(maps);
      const crowd = Array.from({ length: 9 }, (_, i) => ({ ...shopWeb, id: `${i}`.repeat(64), number: i + 1 }));
      const sizes: number[] = [];
      for (const count of [1, 9, 8, 2, 0, 2]) {
        control.setService(service, network, crowd.slice(0, count));
        const rows = [...entriesOf(maps, 'services')];
        sizes.push(Math.max(...rows.map(({ value }) => mapDefinitions.services.value.decode(value).slots)));
      }
      expect(sizes).toEqual([127, 1021, 1021, 1021, 0, 127]);
    });

    test('a table for whose backends there is no room leaves the former one, now and later', async () => {
      const maps = memoryMaps({ serviceMembers: 1 });
      const control = await ControlMaps.open(maps);
      await control.reconcile(withService(shopWeb), facts, fail);
      const before = await contents(maps);
      for (let tries = 0; tries < 2; tries++) {
        expect(() => control.setService(service, network, [shopWeb, shopDb])).toThrow(
          expect.objectContaining({ code: 'MAP_FULL' }),
        );
      }
      control.setService(service, network, [shopWeb]);
      await control.reconcile(withService(shopWeb), facts, fail);
      expect(await contents(maps)).toBe(before);
    });

    test('one that is removed leaves nothing', async () => {
      const maps = memoryMaps();
      const control = await ControlMaps.open(maps);
      await control.reconcile(anIntent([network], [shopWeb, shopDb]), facts, fail);
      const before = await contents(maps);
      control.setService(service, network, [shopWeb, shopDb]);
      control.setService(service, network, [shopDb]);
      control.removeService(service, network);
      const left = (['services', 'serviceMembers', 'serviceSlots'] as const).flatMap((map) => [
        ...entriesOf(maps, map),
      ]);
      expect(left).toEqual([]);
      expect(await control.reconcile(anIntent([network], [shopWeb, shopDb]), facts, fail)).toBe(0);
      expect((await contents(maps)).replace(/^service_?[sS]lots .*$/gm, '').trim()).toBe(before);
    });

    test('who is unhealthy is in no table, and is again with its success', async () => {
      const maps = memoryMaps();
      const health = new BackendHealth([`${service.id} ${shopDb.id}`]);
      const control = await ControlMaps.open(maps, health);
      await control.reconcile(withService(shopWeb, shopDb), facts, fail);
      expect(tables(maps)).toMatchObject({ members: 1 });
      health.note(service.id, shopDb.id, true);
      control.setService(service, network, [shopWeb, shopDb]);
      expect(tables(maps)).toMatchObject({ members: 2 });
    });

    test('what does not fit keeps its former backends', async () => {
      const maps = memoryMaps();
      const small = { ...maps, serviceSlots: { raw: { ...maps.serviceSlots.raw, maxEntries: 1 } } } as RawMaps;
      const control = await ControlMaps.open(small);
      await control.reconcile(withService(shopWeb, shopDb), facts, fail);
      const before = await contents(small);
      expect(() => control.setService(service, network, [shopWeb])).toThrow(/service_slots/);
      expect(await contents(small)).toBe(before);
    });
  });

  test('a prefix so short that nothing it touches has a bit of its own is no difference', async () => {
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    for (const deny of [['10.0.0.0/8'], ['2001::/16'], ['::/0']]) {
      await control.reconcile(anIntent([], [], deny), facts, fail);
      expect(await control.reconcile(anIntent([], [], deny), facts, fail)).toBe(0);
    }
  });

  test('what trusted devices reach stays until the last port that leads there goes', async () => {
    const trusting = aNetwork({ options: { 'com.docker.network.bridge.trusted_host_interfaces': 'eth0' } });
    const [byPass, bySteps] = [memoryMaps(), memoryMaps()];
    await (await ControlMaps.open(byPass)).reconcile(anIntent([trusting], [web]), facts, fail);
    const control = await ControlMaps.open(bySteps);
    await control.reconcile(anIntent([], []), facts, fail);
    const before = await contents(bySteps);
    control.addNetwork(trusting, 3);
    control.addEndpoint(web, trusting, 10);
    expect(await contents(bySteps)).toBe(await contents(byPass));
    const published = () => [...entriesOf(bySteps, 'published')].length;
    expect(published()).toBe(2);
    control.unpublish(web, trusting, [port(8080)]);
    expect(published()).toBe(1);
    control.unpublish({ ...web, ports: [port(8080, '127.0.0.1')] }, trusting, [port(8080, '127.0.0.1')]);
    expect(published()).toBe(0);
    control.removeEndpoint({ ...web, ports: [] }, trusting, 10);
    control.removeNetwork(trusting, 3);
    expect(await contents(bySteps)).toBe(before);
  });

  test('a port that two share stays bound when one of them lets it go', async () => {
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    await control.reconcile(anIntent([network], [web, db]), facts, fail);
    control.unpublish(web, network, [port(8080)]);
    const bound = [...entriesOf(maps, 'boundPorts')].map(({ key, value }) => [
      mapDefinitions.boundPorts.key.decode(key).port,
      mapDefinitions.boundPorts.value.decode(value).publishes,
    ]);
    expect(Object.fromEntries(bound)).toEqual({ 8080: 1, 8081: 1 });
  });

  test('what is on other hosts comes and goes one by one as in a whole pass, and takes no address of one here', async () => {
    const wide = aNetwork({ driver: 'overlay', number: 2048 });
    const [far, farther] = [aRemote({ name: 'far' }), aRemote({ name: 'farther' })];
    // Both hosts have it for a moment: here it is the one here.
    const same = aRemote({ name: 'same', addresses: web.addresses });
    const intent = (...remotes: ClusterEndpoint[]) => ({
      ...anIntent([wide], [web]),
      nodes: new Map([['alpha', aNode()]]),
      remotes: new Map(remotes.map((remote) => [remote.name, remote])),
    });
    const [byPass, bySteps] = [memoryMaps(), memoryMaps()];
    const whole = await ControlMaps.open(byPass);
    whole.remotes.align(intent(far, same));
    await whole.reconcile(intent(far, same), facts, fail);
    const steps = await ControlMaps.open(bySteps);
    await steps.reconcile(intent(), facts, fail);
    const keys = { nodes: ['alpha'], remotes: ['far', 'farther', 'same'] };
    // Numbers in one order.
    steps.changeRemotes(steps.remotes.follow(intent(far, same), { ...keys, remotes: ['far', 'same'] }), fail);
    expect(await contents(bySteps)).toBe(await contents(byPass));
    const { generation } = steps;
    steps.changeRemotes(steps.remotes.follow(intent(far, same, farther), keys), fail);
    expect(steps.generation).toBe(generation);
    steps.changeRemotes(steps.remotes.follow(intent(far), keys), fail);
    expect(steps.generation).toBeGreaterThan(generation);
    whole.remotes.align(intent(far));
    await whole.reconcile(intent(far), facts, fail);
    expect(await contents(bySteps)).toBe(await contents(byPass));
  });

  test('a host that comes with the address and the key of one that is not gone yet keeps them when that one is', async () => {
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    await control.reconcile(anIntent([], []), facts, fail);
    const follow = (...names: string[]) => {
      const nodes = new Map(names.map((name) => [name, aNode({ name, addresses: ['192.0.2.2'] })]));
      const keys = { nodes: ['former', 'renamed'] };
      control.changeRemotes(control.remotes.follow({ ...anIntent([], []), nodes }, keys), fail);
    };
    follow('former');
    follow('former', 'renamed');
    follow('renamed');
    const number = new Uint8Array(4);
    expect(maps.nodeNumbers.raw.lookup(parseAddress('192.0.2.2'), number)).toBe(true);
    expect(Buffer.from(number).readUInt32LE()).toBe([...control.remotes.nodes][0]?.number);
    expect(maps.nodeAddrs.raw.lookup(parseAddress('192.0.2.2'), number)).toBe(true);
    expect(Buffer.from(number).readUInt32LE()).toBe([...control.remotes.nodes][0]?.number);
    follow();
    expect(maps.nodeAddrs.raw.lookup(parseAddress('192.0.2.2'), number)).toBe(false);
    expect(maps.nodeNumbers.raw.lookup(parseAddress('192.0.2.2'), number)).toBe(false);
  });

  test('flows are judged again when an address that clients ask is no longer one host’s alone, or another’s', async () => {
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    await control.reconcile(anIntent([], []), facts, fail);
    const follow = (addresses: Record<string, string[]>) => {
      const nodes = new Map(Object.entries(addresses).map(([name, of]) => [name, aNode({ name, addresses: of })]));
      const before = control.generation;
      control.changeRemotes(control.remotes.follow({ ...anIntent([], []), nodes }, { nodes: ['alpha', 'beta'] }), fail);
      return control.generation - before;
    };
    expect(follow({ alpha: ['192.0.2.2'], beta: ['192.0.2.3'] })).toBe(0);
    expect(follow({ alpha: ['192.0.2.2', '192.0.2.4'], beta: ['192.0.2.3'] })).toBe(0);
    expect(follow({ alpha: ['192.0.2.2', '192.0.2.4'], beta: ['192.0.2.3', '192.0.2.4'] })).toBe(2);
    expect(follow({ alpha: ['192.0.2.2'], beta: ['192.0.2.3', '192.0.2.4'] })).toBe(2);
    // One of this host's own, which a pass sees.
    const own = { ...facts, addresses: facts.addresses.filter(({ global }) => !global) };
    const before = control.generation;
    await control.reconcile(anIntent([], []), own, fail);
    expect(control.generation).toBeGreaterThan(before);
  });

  test('what somebody has done to entries of endpoints on other hosts a pass undoes, entry by entry', async () => {
    const wide = aNetwork({ driver: 'overlay', number: 2048 });
    const remote = (n: number) => {
      const addresses = [`10.88.1.${n}/16`, `fd00:88::1:${n}/64`];
      return aRemote({ id: `${n}`.repeat(64), name: `far${n}`, mac: `02:42:0a:58:01:0${n}`, addresses });
    };
    const remotes = new Map([1, 2, 3, 4].map((n) => [`alpha/${n}`, remote(n)]));
    const intent = { ...anIntent([wide], [web]), nodes: new Map([['alpha', aNode()]]), remotes };
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    control.remotes.align(intent);
    const pass = () => control.reconcile(intent, facts, fail);
    await pass();
    const before = await contents(maps);
    const { raw } = maps.endpoints;
    const entries = [...entriesOf(maps, 'endpoints')].map(({ key, value }) => ({
      key: key.slice(),
      value: value.slice(),
    }));
    for (const [at, { key, value }] of entries.entries()) {
      if (at % 4 === 0) raw.delete(key);
      if (at % 4 === 1)
        raw.update(
          key,
          value.map((byte, i) => (i === 17 ? byte ^ 1 : byte)),
        );
      // Another one's.
      if (at % 4 === 2) raw.update(key, entries[(at + 3) % entries.length]?.value ?? value);
    }
    // Of nobody.
    raw.update(
      new Uint8Array(mapDefinitions.endpoints.key.size).fill(9),
      new Uint8Array(mapDefinitions.endpoints.value.size).fill(1),
    );
    expect(await pass()).toBe(1 + entries.filter((_, at) => at % 4 !== 3).length);
    expect(await contents(maps)).toBe(before);
    expect(await pass()).toBe(0);
  });

  test('of two on other hosts with one address the one that came last is reached, at each pass', async () => {
    const wide = aNetwork({ driver: 'overlay', number: 2048 });
    const { addresses, mac } = aRemote();
    const twins = ['one', 'other'].map((name) => [`alpha/${name}`, aRemote({ name, addresses, mac })] as const);
    const intent = { ...anIntent([wide], []), nodes: new Map([['alpha', aNode()]]), remotes: new Map(twins) };
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    control.remotes.align(intent);
    for (const repaired of [expect.any(Number), 0, 0]) {
      expect(await control.reconcile(intent, facts, fail)).toEqual(repaired);
      const numbers = [...entriesOf(maps, 'endpoints')].map(
        ({ value }) => mapDefinitions.endpoints.value.decode(value).number,
      );
      expect(new Set(numbers)).toEqual(new Set([control.remotes.placed.get('alpha/other')?.number]));
    }
  });

  test('endpoints on other hosts that no map has room for are told of, and the others are there', async () => {
    const wide = aNetwork({ driver: 'overlay', number: 2048 });
    const remotes = new Map(['a', 'b', 'c'].map((name) => [name, aRemote({ name })]));
    const intent = { ...anIntent([wide], []), nodes: new Map([['alpha', aNode()]]), remotes };
    const control = await ControlMaps.open(memoryMaps({ endpoints: 7 }));
    await control.reconcile(anIntent([wide], []), facts, fail);
    const failures: unknown[] = [];
    const changes = control.remotes.follow(intent, { nodes: ['alpha'], remotes: remotes.keys() });
    control.changeRemotes(changes, (error) => failures.push(error));
    expect(failures).toEqual([expect.objectContaining({ code: 'MAP_FULL' })]);
  });
});
