import { describe, expect, test } from 'vitest';
import type { ClusterEndpoint, Node } from '../../model/cluster.ts';
import type { Network } from '../../model/network.ts';
import { aNetwork, aNode, aRemote } from '../testing.ts';
import { endpointKeys, nodeNumbers, remoteNumbers } from './numbers.ts';
import { type RemoteChanges, RemoteTable } from './remote-table.ts';

const wide = aNetwork({ driver: 'overlay', number: 2048 });
const [alpha, beta] = [aNode({ name: 'alpha' }), aNode({ name: 'beta', tunnel: '192.0.2.3' })];
const aKey = (letter: string, port: number) => ({ publicKey: Buffer.alloc(32, letter).toString('base64'), port });
const keyOf = ({ node, id }: ClusterEndpoint) => `${node}/${id}`;

function intentOf(networks: readonly Network[], nodes: readonly Node[], remotes: readonly ClusterEndpoint[]) {
  return {
    networks: new Map(networks.map((network) => [network.id, network])),
    nodes: new Map(nodes.map((node) => [node.name, node])),
    remotes: new Map(remotes.map((remote) => [keyOf(remote), remote])),
  };
}

const names = ({ come, gone, changed, nodes }: RemoteChanges) => ({
  come: come.map(({ remote, number, node }) => `${remote.name} ${number} at ${node}`),
  gone: gone.map(({ remote }) => remote.name),
  changed: changed.map(({ after }) => after.remote.name),
  nodes: [...nodes],
});

const [web, db] = [aRemote({ node: 'alpha', name: 'web' }), aRemote({ node: 'beta', name: 'db' })];
const nothing = { come: [], gone: [], changed: [], nodes: [] };

describe('what is on other hosts', () => {
  test('gets numbers beyond those of endpoints here, and keeps them', () => {
    const table = new RemoteTable();
    const all = intentOf([wide], [alpha, beta], [web, db]);
    expect(names(table.align(all))).toEqual({
      ...nothing,
      ...{ come: ['web 16384 at 1', 'db 16385 at 2'], nodes: [1, 2] },
    });
    expect(names(table.align(all))).toEqual(nothing);
    const other = { ...web, labels: { version: '2' } };
    const changed = intentOf([wide], [alpha, beta], [other, db]);
    expect(names(table.follow(changed, { remotes: [keyOf(web)] }))).toEqual({ ...nothing, changed: ['web'] });
    expect([table.numbered(16_384)?.remote, [...table.nodesOf(wide.id)].sort()]).toEqual([other, [1, 2]]);
  });

  test('is reached by the keys that its node has now, and stays where it is when they change', () => {
    const table = new RemoteTable();
    table.align(intentOf([wide], [alpha, beta], [web, db]));
    const wireguard = [aKey('a', 51_871)];
    const keyed = intentOf([wide], [{ ...alpha, wireguard }, beta], [web, db]);
    expect(names(table.follow(keyed, { nodes: ['alpha'] }))).toEqual({ ...nothing, nodes: [1] });
    expect(table.node(1)).toMatchObject({ name: 'alpha', wireguard });
    expect(names(table.follow(keyed, { nodes: ['alpha', 'beta'] }))).toEqual(nothing);
    const both = [...wireguard, aKey('b', 51_872)];
    const changing = intentOf([wide], [{ ...alpha, wireguard: both }, beta], [web, db]);
    expect(names(table.align(changing))).toEqual({ ...nothing, nodes: [1] });
  });

  test('is not kept from the others by what a node says to be its key and is none', () => {
    const table = new RemoteTable();
    const [a, b, c] = [aKey('a', 51_871), aKey('b', 51_872), aKey('c', 51_871)];
    const notCanonical = `${a.publicKey.slice(0, -2)}F=`;
    expect(Buffer.from(notCanonical, 'base64')).toEqual(Buffer.from(a.publicKey, 'base64'));
    const wireguard = ['', 'x', 'YWJj', notCanonical].map((publicKey) => ({ publicKey, port: 51_871 }));
    table.align(
      intentOf(
        [wide],
        [
          { ...alpha, wireguard: [...wireguard, b] },
          { ...beta, wireguard: [a, b, c] },
        ],
        [],
      ),
    );
    expect([table.node(1)?.wireguard, table.node(2)?.wireguard]).toEqual([[b], [b, c]]);
  });

  test('waits for its node and its network', () => {
    const table = new RemoteTable();
    expect(names(table.align(intentOf([], [alpha], [web, db])))).toEqual({ ...nothing, nodes: [1] });
    expect(names(table.follow(intentOf([wide], [alpha], [web, db]), {})).come).toEqual(['web 16384 at 1']);
    const { come } = names(table.follow(intentOf([wide], [alpha, beta], [web, db]), { nodes: ['beta'] }));
    expect(come).toEqual(['db 16385 at 2']);
  });

  test('goes with its node, and its number is not the next to be given', () => {
    const table = new RemoteTable();
    table.align(intentOf([wide], [alpha, beta], [web, db]));
    const away = intentOf([wide], [alpha], [web, db]);
    expect(names(table.follow(away, { nodes: ['beta'] }))).toEqual({ ...nothing, gone: ['db'], nodes: [2] });
    const back = intentOf([wide], [alpha, beta], [web, db]);
    expect(names(table.follow(back, { nodes: ['beta'] }))).toEqual({
      ...nothing,
      ...{ come: ['db 16386 at 3'], nodes: [3] },
    });
  });

  test('stays when its node has another address', () => {
    const table = new RemoteTable();
    table.align(intentOf([wide], [alpha], [web]));
    const moved = intentOf([wide], [{ ...alpha, tunnel: '192.0.2.9' }], [web]);
    expect(names(table.follow(moved, { nodes: ['alpha'] }))).toEqual({ ...nothing, nodes: [1] });
    expect(table.node(1)?.tunnel).toBe('192.0.2.9');
  });

  test('cannot be on a node without a tunnel, or of a network of one host', () => {
    const local = aNetwork({ id: 'c'.repeat(64) });
    const { tunnel, ...mute } = alpha;
    const table = new RemoteTable();
    const there = aRemote({ node: 'beta', network: local.id });
    expect(names(table.align(intentOf([wide, local], [mute, beta], [web, there])))).toEqual({ ...nothing, nodes: [1] });
    expect(tunnel).toBe('192.0.2.2');
  });

  test('of a network that is gone waits for it to come back', () => {
    const table = new RemoteTable();
    const all = intentOf([wide], [alpha, beta], [web, db]);
    table.align(all);
    expect(table.dropNetwork(wide.id).map(({ remote }) => remote.name)).toEqual(['web', 'db']);
    expect([[...table.placed], [...table.nodesOf(wide.id)]]).toEqual([[], []]);
    expect(names(table.follow(all, {})).come).toEqual(['web 16386 at 1', 'db 16387 at 2']);
  });

  test('has the numbers that the kernel has for it, where nobody else has them', () => {
    const remotes = new Map(endpointKeys(db, wide).map((key) => [key, 20_000]));
    const table = new RemoteTable({ nodes: new Map([['192.0.2.3', 7]]), remotes });
    expect(names(table.align(intentOf([wide], [alpha, beta], [web, db])))).toMatchObject({
      ...{ come: ['web 20001 at 8', 'db 20000 at 7'], nodes: [8, 7] },
    });
  });

  test('that is more than there are numbers for is counted, and comes when there is room', () => {
    const nodes = Array.from({ length: nodeNumbers.last + 1 }, (_, i) => {
      return aNode({ name: `node-${i}`, tunnel: `10.0.${i >> 8}.${i & 255}` });
    });
    const last = aRemote({ node: `node-${nodeNumbers.last}` });
    const table = new RemoteTable();
    expect(table.align(intentOf([wide], nodes, [last])).come).toEqual([]);
    expect(table.beyond).toEqual({ nodes: 1, remotes: 0 });
    expect(table.follow(intentOf([wide], nodes.slice(1), [last]), { nodes: ['node-0'] }).come).toEqual([]);
    expect(table.align(intentOf([wide], nodes.slice(1), [last])).come).toHaveLength(1);
    expect(table.beyond).toEqual({ nodes: 0, remotes: 0 });
  });

  test('a hundred thousand and more are followed one by one as fast as ten', () => {
    const count = remoteNumbers.last - remoteNumbers.first + 2;
    const remotes = Array.from({ length: count }, (_, i) => ({ ...web, id: String(i), name: `web-${i}` }));
    const intent = intentOf([wide], [alpha], remotes);
    const table = new RemoteTable();
    expect(table.align(intent).come).toHaveLength(count - 1);
    expect(table.beyond).toEqual({ nodes: 0, remotes: 1 });
    const began = performance.now();
    for (let i = 0; i < 1000; i++) {
      const remote = remotes[i];
      if (remote) intent.remotes.set(keyOf(remote), { ...remote, labels: { i: `${i}` } });
      expect(table.follow(intent, { remotes: [`alpha/${i}`] }).changed).toHaveLength(1);
    }
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
