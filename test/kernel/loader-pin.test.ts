import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pinObject } from '../../src/loader/bpffs.ts';
import { BpfObject } from '../../src/loader/object.ts';
import { isBpffs, layoutVersion, PinTree, repin, unpin } from '../../src/loader/pin.ts';
import { Program } from '../../src/loader/program.ts';
import { mapDefinitions } from '../../src/maps/generated/abi.ts';
import { createMap } from '../../src/maps/map-in-map.ts';
import { openMaps } from '../../src/maps/open.ts';
import { loaderObject, openDescriptors, ownBpffs } from './loader-support.ts';

test('a bpffs is told from other filesystems', () => {
  using bpffs = ownBpffs();
  expect(isBpffs(bpffs.path)).toBe(true);
  expect(isBpffs('/tmp')).toBe(false);
  expect(isBpffs('/nonexistent')).toBe(false);
});

test('a pin is replaced in one step', () => {
  using bpffs = ownBpffs();
  using object = BpfObject.load(loaderObject);
  const tree = new PinTree(bpffs.path);
  tree.create();
  const path = tree.program('entry');
  for (const name of ['xdp_accept', 'xdp_refuse', 'xdp_accept']) {
    repin(object.program(name), path);
    using pinned = Program.fromPin(path);
    expect(pinned.id).toBe(object.program(name).id);
  }
  expect(tree.programs()).toEqual(['entry']);
});

test('what a crash left half-way is neither listed nor in the way, and goes with the rest', () => {
  using bpffs = ownBpffs();
  using object = BpfObject.load(loaderObject);
  const tree = new PinTree(bpffs.path);
  tree.create();
  object.program('xdp_accept').pin(`${tree.program('entry')}%new`);
  expect(tree.programs()).toEqual([]);
  repin(object.program('xdp_refuse'), tree.program('entry'));
  expect(tree.programs()).toEqual(['entry']);
  object.program('xdp_accept').pin(`${tree.program('entry')}%new`);
  tree.removeAll();
  expect(existsSync(tree.root)).toBe(false);
});

test('devices with a dot in their name have pins, and their names are found again', () => {
  using bpffs = ownBpffs();
  using object = BpfObject.load(loaderObject);
  const tree = new PinTree(bpffs.path);
  const path = tree.link('uplink', 'eth0.100');
  repin(object.program('xdp_accept'), path);
  expect(tree.links()).toEqual([{ hook: 'uplink', target: 'eth0.100', path }]);
});

test('everything of one version is removed and listed, and other versions stay', () => {
  using bpffs = ownBpffs();
  const tree = new PinTree(bpffs.path);
  tree.create();
  {
    using object = BpfObject.load(loaderObject, { pinMaps: tree.maps });
    object.program('tc_accept').pin(tree.program('tc_accept'));
  }
  mkdirSync(`${bpffs.path}/v7`);
  expect(tree.versions()).toEqual([layoutVersion, 7]);
  expect(tree.removeAll().sort()).toEqual(
    ['events', 'outer', 'seen', 'table'].map((name) => tree.map(name)).concat(tree.program('tc_accept')),
  );
  expect(existsSync(tree.root)).toBe(false);
  expect(tree.removeAll()).toEqual([]);
  expect(tree.versions()).toEqual([7]);
  expect(unpin(`${bpffs.path}/nothing`)).toBe(false);
});

test('pinned maps are opened by name and type, and a missing one is named', () => {
  using bpffs = ownBpffs();
  const tree = new PinTree(bpffs.path);
  tree.create();
  const before = openDescriptors();
  for (const definition of Object.values(mapDefinitions)) {
    const { name, type, key, value, flags } = definition;
    const maxEntries = type === 'ringbuf' ? 4096 : Math.min(definition.maxEntries, 64);
    const fd = createMap({ name, type, keySize: key.size, valueSize: value.size, maxEntries, flags });
    pinObject(fd, tree.map(name));
    closeSync(fd);
  }
  {
    using maps = openMaps(tree.maps);
    maps.endpoints.set(
      { network: 1, addr: new Uint8Array(16) },
      { number: 1, ifindex: 2, network: 1, mac: new Uint8Array(6), flags: 0 },
    );
    expect(maps.endpoints.get({ network: 1, addr: new Uint8Array(16) })?.ifindex).toBe(2);
    expect(maps.drops.get(0).every(({ packets }) => packets === 0n)).toBe(true);
    using ring = maps.flowEvents.open();
    expect(ring.pending()).toBe(0);
  }
  expect(openDescriptors()).toBe(before);
  unpin(tree.map('subnets'));
  expect(() => openMaps(tree.maps)).toThrow(/maps\/subnets.*ENOENT/);
  expect(openDescriptors()).toBe(before);
});

test('bpftool finds a pinned program by its path', () => {
  using bpffs = ownBpffs();
  using object = BpfObject.load(loaderObject);
  object.program('xdp_accept').pin(`${bpffs.path}/xdp_accept`);
  const shown = execFileSync('bpftool', ['prog', 'show', 'pinned', `${bpffs.path}/xdp_accept`], { encoding: 'utf8' });
  expect(shown).toContain(object.program('xdp_accept').tag);
});
