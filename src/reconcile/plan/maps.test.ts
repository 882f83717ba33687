import { describe, expect, test } from 'vitest';
import { networkCodec } from '../../maps/generated/abi.ts';
import type { PublishedPort } from '../../model/endpoint.ts';
import { DenyHeads } from '../desired/deny-heads.ts';
import { desiredMaps } from '../desired/maps.ts';
import { MemberSlots } from '../desired/members.ts';
import { Limits } from '../desired/rates.ts';
import { type ControlMap, controlMaps, keyText, type RawEntry } from '../entry.ts';
import { type DesiredMaps, PackedContents } from '../packed-contents.ts';
import { aNetwork, anEndpoint, anIntent, hostFacts, noServices } from '../testing.ts';
import { differenceOf, type MapChanges, planMaps } from './maps.ts';

const memory = {
  ...{ generation: 1, slots: new MemberSlots(), denied: new DenyHeads(), limits: new Limits(), services: noServices() },
};
const port: PublishedPort = { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 };
const full = desiredMaps(
  anIntent([aNetwork()], [anEndpoint({ ports: [port] })], ['192.0.2.0/24']),
  hostFacts(),
  memory,
);
const empty = desiredMaps(anIntent([], []), hostFacts(), memory);

function plan(desired: DesiredMaps, observed: DesiredMaps): MapChanges {
  return planMaps(controlMaps.map((map) => differenceOf(map, desired[map], observed[map].values())));
}

/** What the kernel would hold after a plan: arrays keep every element. */
function applied(maps: DesiredMaps, plan: MapChanges): DesiredMaps {
  const held = (map: ControlMap) => new Map([...maps[map].values()].map((entry) => [keyText(entry.key), entry]));
  const copy = new Map(controlMaps.map((map) => [map, held(map)]));
  for (const { map, set, remove } of plan.changes) {
    for (const entry of set) copy.get(map)?.set(keyText(entry.key), entry);
    for (const key of remove) copy.get(map)?.delete(keyText(key));
  }
  return Object.fromEntries([...copy].map(([map, entries]) => [map, packed(entries.values())])) as never;
}

function packed(entries: Iterable<RawEntry>): PackedContents {
  const contents = new PackedContents();
  for (const entry of entries) contents.set(entry);
  return contents;
}

describe('the plan of the maps', () => {
  test('nothing is done where nothing differs', () => {
    expect(plan(full.maps, full.maps)).toEqual({ changes: [], count: 0, revokes: false });
  });

  test('applied once, it leaves nothing to do', () => {
    for (const [from, to] of [
      [empty, full],
      [full, empty],
    ] as const) {
      const after = applied(from.maps, plan(to.maps, from.maps));
      expect(plan(to.maps, after).count).toBe(0);
    }
  });

  test('a port is published last and unpublished first', () => {
    const order = (plan: MapChanges) => plan.changes.map((change) => change.map);
    const up = order(plan(full.maps, empty.maps));
    expect(up.indexOf('published')).toBeGreaterThan(up.indexOf('endpoints'));
    expect(up.indexOf('endpoints')).toBeGreaterThan(up.indexOf('subnets'));
    const down = plan(empty.maps, full.maps).changes.filter((change) => change.remove.length > 0);
    expect(down.map((change) => change.map).slice(0, 2)).toEqual(['publishedLo', 'published']);
    expect(down.at(-1)?.map).toBe('subnets');
  });

  test('what an entry of the deny list has counted is left alone', () => {
    const value = new Uint8Array(16).fill(9);
    const counted = packed([...full.maps.denyList.values()].map(({ key }) => ({ key, value })));
    expect(plan(full.maps, { ...full.maps, denyList: counted }).count).toBe(0);
    expect(plan(empty.maps, { ...empty.maps, denyList: counted }).count).toBe(1);
  });

  test('only what takes a permission back says so', () => {
    expect(plan(full.maps, empty.maps).revokes).toBe(false);
    expect(plan(empty.maps, full.maps).revokes).toBe(true);
  });

  test('a network that is gone leaves an element of zeros in the array', () => {
    const change = plan(empty.maps, full.maps).changes.find(({ map }) => map === 'networks');
    expect(change?.set).toEqual([{ key: Uint8Array.of(1, 0, 0, 0), value: new Uint8Array(networkCodec.size) }]);
  });
});
