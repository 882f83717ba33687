import { beforeEach, describe, expect, test } from 'vitest';
import type { ClusterEndpoint } from '../../model/cluster.ts';
import type { PublishedPort } from '../../model/endpoint.ts';
import { aNetwork, aRemote } from '../testing.ts';
import { packReach } from './numbers.ts';
import { type PortDesk, type RemotePort, RemotePorts } from './remote-ports.ts';
import type { PlacedRemote } from './remote-table.ts';

const wide = aNetwork({ driver: 'overlay', number: 2048, name: 'wide' });
const port = (hostPort: number, change: Partial<PublishedPort> = {}): PublishedPort => {
  return { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort, port: 80, scope: 'cluster', ...change };
};
const both = (hostPort: number) => [port(hostPort), port(hostPort, { hostAddress: '::' })];

let number = 16_384;
function placed(change: Partial<ClusterEndpoint>): PlacedRemote {
  const remote = aRemote(change);
  const key = `${remote.node}/${remote.id}`;
  return { key, number: number++, remote, network: wide, node: 1, reach: packReach(remote) };
}

const text = ({ hostAddress, hostPort }: PublishedPort) => `${hostAddress}:${hostPort}`;
const nothing = { come: [], gone: [], changed: [] };

let ports: RemotePorts;
/** Ports of the host that lead somewhere, and to whom. */
let led: Map<string, string>;
let processes: Set<string>;
let own: Set<string>;
let held: number;
/** Whose ports the kernel has from before. */
let kept: string;
const desk: PortDesk = {
  isTaken: (one) => own.has(text(one)) || led.has(text(one)),
  isKept: () => false,
  leads: ({ placed: { remote } }) => remote.name === kept,
  enter: (one: RemotePort) => {
    for (const each of one.ports) led.set(text(each), one.placed.remote.name);
  },
  leave: (one: RemotePort) => {
    for (const each of one.ports) led.delete(text(each));
  },
};

beforeEach(() => {
  [led, processes, own, held, kept] = [new Map(), new Set(), new Set(), 0, ''];
  ports = new RemotePorts((binding) => {
    if (processes.has(text({ ...binding, port: 0 }))) return undefined;
    held++;
    return { [Symbol.dispose]: () => held-- };
  });
});

describe('ports that lead to other hosts', () => {
  test('are those that are published on every host', () => {
    const web = placed({
      name: 'web',
      ports: [...both(8080), { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8081, port: 81 }],
    });
    ports.align([web], desk);
    expect([...led]).toEqual([
      ['0.0.0.0:8080', 'web'],
      [':::8080', 'web'],
    ]);
    expect([held, ports.warnings]).toEqual([0, []]);
    expect(ports.holder(port(8080))).toBe('wide/web on host alpha');
    expect(ports.holder(port(8080, { hostAddress: '192.0.2.1' }))).toBe('wide/web on host alpha');
    ports.follow({ ...nothing, gone: [web] }, desk);
    expect([led.size, ports.holder(port(8080))]).toEqual([0, undefined]);
  });

  test('are not where a process or an endpoint of the host has one, at any of its addresses, until it is free', () => {
    processes.add(':::8080');
    own.add('0.0.0.0:8081');
    ports.follow({ ...nothing, come: [placed({ name: 'web', ports: [...both(8080), ...both(8081)] })] }, desk);
    expect([led.size, held]).toEqual([0, 0]);
    expect(ports.warnings).toEqual([
      'tcp port 8080 does not lead to wide/web on host alpha from this host: a process of this host holds it',
      'tcp port 8081 does not lead to wide/web on host alpha from this host: another endpoint has published it',
    ]);
    processes.clear();
    own.clear();
    ports.retry(desk);
    expect([led.size, ports.warnings]).toEqual([4, []]);
  });

  test('are whose who comes first, and the next one has them afterwards', () => {
    const [web, db] = [placed({ name: 'web', ports: both(80) }), placed({ name: 'db', node: 'beta', ports: both(80) })];
    ports.follow({ ...nothing, come: [web] }, desk);
    ports.follow({ ...nothing, come: [db] }, desk);
    expect([led.get('0.0.0.0:80'), ports.warnings.length]).toEqual(['web', 1]);
    led.clear();
    ports.align([db, web], desk);
    expect(led.get('0.0.0.0:80')).toBe('web');
    ports.follow({ ...nothing, gone: [web] }, desk);
    expect([led.get('0.0.0.0:80'), ports.warnings]).toEqual(['db', []]);
  });

  test('are whose the kernel has them when a daemon starts', () => {
    const [web, db] = [placed({ name: 'web', ports: both(80) }), placed({ name: 'db', node: 'beta', ports: both(80) })];
    kept = 'db';
    ports.align([web, db], desk);
    expect(led.get('0.0.0.0:80')).toBe('db');
  });

  test('stay while their endpoint moves, in whatever order its hosts tell', () => {
    const web = placed({ name: 'web', ports: both(80) });
    const moved = placed({ ...web.remote, node: 'beta', id: 'd'.repeat(64), ports: both(80) });
    ports.follow({ ...nothing, come: [web] }, desk);
    ports.follow({ ...nothing, come: [moved] }, desk);
    expect(ports.holder(port(80))).toBe('wide/web on host beta');
    ports.follow({ ...nothing, gone: [web] }, desk);
    expect([led.size, ports.warnings, ports.holder(port(80))]).toEqual([2, [], 'wide/web on host beta']);
  });

  test('stay when something else of their endpoint changes, and go one by one', () => {
    const before = placed({ name: 'web', ports: [...both(80), ...both(81)] });
    ports.follow({ ...nothing, come: [before] }, desk);
    processes.add('0.0.0.0:80');
    const after = { ...before, remote: { ...before.remote, labels: { version: '2' }, ports: both(80) } };
    ports.follow({ ...nothing, changed: [{ before, after }] }, desk);
    expect([[...led.keys()], ports.warnings]).toEqual([['0.0.0.0:80', ':::80'], []]);
    ports.follow({ ...nothing, gone: [after] }, desk);
    expect(led.size).toBe(0);
  });

  test('are others when answers take another way', () => {
    const before = placed({ name: 'web', ports: both(80) });
    const ports_ = both(80).map((one) => ({ ...one, return: 'direct' as const }));
    const after = { ...before, remote: { ...before.remote, ports: ports_ } };
    ports.follow({ ...nothing, come: [before] }, desk);
    const entered: (string | undefined)[] = [];
    const enter = (one: RemotePort) => {
      entered.push(...one.ports.map((port) => port.return));
      desk.enter(one);
    };
    ports.follow({ ...nothing, changed: [{ before, after }] }, { ...desk, enter });
    expect([entered, led.size]).toEqual([['direct', 'direct'], 2]);
  });

  test('are none that take no port of the host', () => {
    const direct = port(0, { hostAddress: '10.88.0.9' });
    ports.follow({ ...nothing, come: [placed({ name: 'web', ports: [direct, ...both(80)] })] }, desk);
    expect([[...led.keys()], ports.warnings]).toEqual([['0.0.0.0:80', ':::80'], []]);
  });

  test('that a full map refuses are told of', () => {
    const enter = () => {
      throw new Error('the map published is full');
    };
    const full = { ...desk, enter };
    ports.follow({ ...nothing, come: [placed({ name: 'web', ports: both(80) })] }, full);
    expect(ports.warnings).toEqual([expect.stringContaining('the map published is full')]);
  });
});
