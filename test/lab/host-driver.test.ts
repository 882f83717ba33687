import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FlowView } from '../../src/api/schemas/flow.ts';
import { PolicyApi } from '../policy/policy-api.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { Machine } from './machine.ts';
import { ask, ping, serve } from './talk.ts';

// Driver host: what runs in a cgroup shares the host's network namespace, and is under policy by programs at the cgroup.

type Document = Parameters<PolicyApi['apply']>[0];

let lab: Lab;
let host: Host;
let outside: Client;
let app: Machine;
let peer: Machine;
let web: Container;
let policy: PolicyApi;
const quick = ['--timeout', '0.5'];
const vetch = new URL('../../bin/vetch', import.meta.url).pathname;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  policy = new PolicyApi(host);
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/24', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'host', '--driver', 'host');
  [web] = await host.attach('web', 'web', '--ip', '10.88.0.2', '--ip', 'fd00:88::2', '--label', 'app=web');
  [app] = await host.attachCgroup('host', 'app', '--label', 'app=app');
  [peer] = await host.attachCgroup('host', 'peer', '--label', 'app=peer');
  for (const machine of [web, outside]) await serve(machine, 'tcp', 80);
  for (const machine of [web, outside]) await serve(machine, 'udp', 53);
  await serve(host, 'tcp', 7000);
  await serve(app, 'tcp', 7001);
  await serve(app, 'udp', 7003);
  await serve(peer, 'tcp', 7002);
});
afterEach(() => policy?.deleteAll());
afterAll(async () => {
  policy?.[Symbol.dispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** Of what runs in the host's namespace: only who names its driver selects that. */
function rules(name: string, spec: Record<string, unknown>, labels: Record<string, string> = { app: 'app' }): Document {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'host' },
    spec: { podSelector: { matchLabels: { ...labels, 'vetch.io/driver': 'host' } }, ...spec },
  } as unknown as Document;
}

const noEgress = rules('closed', { policyTypes: ['Egress'] });
const noIngress = rules('closed', { policyTypes: ['Ingress'] });
const toBlock = (...cidrs: string[]) =>
  rules('block', { policyTypes: ['Egress'], egress: [{ to: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }] });

async function reaches(from: Machine, address: string, port: number, transport: 'tcp' | 'udp' = 'tcp') {
  return (await ask(from, transport, address, port, ...quick)).ok;
}

async function flows(...flags: string[]): Promise<FlowView[]> {
  const text = await host.must(vetch, '--socket', host.socket, 'flows', '--last', '200', '--json', ...flags);
  return text.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as FlowView)));
}

test('it is known: listed, inspected, with labels and an identity of its own', async () => {
  const one = await host.vetch<{ identity: number }>('endpoint', 'inspect', 'host/app');
  expect(one).toMatchObject({
    ...{ name: 'app', network: 'host', hostIfname: '', mac: '', addresses: [], labels: { app: 'app' } },
    cgroup: app.place.cgroup,
  });
  expect(one.identity).toBeGreaterThanOrEqual(256);
  expect(await host.vetch('network', 'inspect', 'host')).toMatchObject({
    ...{ driver: 'host', subnets: [], endpoints: ['app', 'peer'] },
  });
  expect(await host.status()).toMatchObject({ warnings: [] });
  await policy.apply(noEgress);
  const [mine, its] = await Promise.all(
    ['app', 'peer'].map((name) => host.vetch<{ identity: number }>('endpoint', 'inspect', `host/${name}`)),
  );
  expect(mine?.identity).not.toBe(its?.identity);
});

test('without policy it is the host: it reaches all, and all reach it', async () => {
  expect(await reaches(app, '10.88.0.2', 80)).toBe(true);
  expect(await reaches(app, 'fd00:88::2', 80)).toBe(true);
  expect(await reaches(app, outside.address4, 80)).toBe(true);
  expect(await reaches(app, outside.address6, 80)).toBe(true);
  expect(await reaches(app, '10.88.0.2', 53, 'udp')).toBe(true);
  expect(await reaches(app, '127.0.0.1', 7000)).toBe(true);
  expect(await reaches(outside, host.address4, 7001)).toBe(true);
  expect(await reaches(outside, host.address6, 7001)).toBe(true);
  expect(await reaches(web, '10.88.0.1', 7001)).toBe(true);
  expect([await ping(app, outside.address4), await ping(app, outside.address6)]).toEqual([0, 0]);
});

describe('its egress policy', () => {
  test('keeps it from containers, the world and what else runs in the host', async () => {
    await policy.apply(noEgress);
    const before = await host.drops('POLICY_DENIED');
    for (const [address, port] of [
      ['10.88.0.2', 80],
      ['fd00:88::2', 80],
      [outside.address4, 80],
      [outside.address6, 80],
      ['127.0.0.1', 7002],
    ] as const) {
      expect(await reaches(app, address, port), `${address}:${port}`).toBe(false);
    }
    expect(await reaches(app, '10.88.0.2', 53, 'udp')).toBe(false);
    expect(await ping(app, outside.address4, '-W', '1')).not.toBe(0);
    expect(await host.drops('POLICY_DENIED')).toBeGreaterThan(before + 5);
  });

  test('reaches the host, as that of any container, unless a ClusterNetworkPolicy says otherwise', async () => {
    await policy.apply(noEgress);
    expect(await reaches(app, '127.0.0.1', 7000)).toBe(true);
    await policy.apply({
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'no-host' },
      spec: {
        ...{ tier: 'Admin', priority: 1 },
        subject: { pods: { podSelector: { matchLabels: { app: 'app', 'vetch.io/driver': 'host' } } } },
        egress: [{ action: 'Deny', to: [{ nodes: {} }] }],
      },
    } as unknown as Document);
    for (const address of ['127.0.0.1', '::1', host.address4, host.address6, '10.88.0.1']) {
      expect(await reaches(app, address, 7000), address).toBe(false);
    }
    expect(await reaches(app, '127.0.0.1', 7001)).toBe(true);
    expect(await reaches(peer, '127.0.0.1', 7000)).toBe(true);
  });

  test('does not keep it from itself, by whatever address', async () => {
    await policy.apply(noEgress, rules('closed-in', { policyTypes: ['Ingress'] }));
    for (const address of ['127.0.0.1', '::1', host.address4, host.address6]) {
      expect(await reaches(app, address, 7001), address).toBe(true);
    }
  });

  test('is nobody else’s', async () => {
    await policy.apply(noEgress);
    expect(await reaches(peer, outside.address4, 80)).toBe(true);
    expect(await reaches(host, outside.address4, 80)).toBe(true);
  });

  test('lets it answer who may ask', async () => {
    await policy.apply(noEgress);
    expect(await reaches(outside, host.address4, 7001)).toBe(true);
    expect(await reaches(web, '10.88.0.1', 7001)).toBe(true);
  });

  test('opens what it says: a block of the world, the labels of a container, another one in the host', async () => {
    await policy.apply(toBlock(`${outside.address4}/32`));
    expect([await reaches(app, outside.address4, 80), await reaches(app, '10.88.0.2', 80)]).toEqual([true, false]);
    await policy.deleteAll();
    const to = [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'web' } } }];
    await policy.apply(rules('web', { policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 80 }] }] }));
    expect([await reaches(app, outside.address4, 80), await reaches(app, '10.88.0.2', 80)]).toEqual([false, true]);
    expect(await reaches(app, '10.88.0.2', 53, 'udp')).toBe(false);
    await policy.deleteAll();
    const peers = [{ podSelector: { matchLabels: { app: 'peer', 'vetch.io/driver': 'host' } } }];
    await policy.apply(rules('peer', { policyTypes: ['Egress'], egress: [{ to: peers }] }));
    expect([await reaches(app, '127.0.0.1', 7002), await reaches(app, outside.address4, 80)]).toEqual([true, false]);
  });
});

describe('its ingress policy', () => {
  test('keeps the world and containers out', async () => {
    await policy.apply(noIngress);
    for (const [from, address] of [
      [outside, host.address4],
      [outside, host.address6],
      [web, '10.88.0.1'],
      [peer, '127.0.0.1'],
    ] as const) {
      expect(await reaches(from, address, 7001), from.name).toBe(false);
    }
    expect(await reaches(outside, host.address4, 7000)).toBe(true);
  });

  test('lets it be answered', async () => {
    await policy.apply(noIngress);
    expect(await reaches(app, outside.address4, 80)).toBe(true);
    expect(await reaches(app, '10.88.0.2', 80)).toBe(true);
    expect(await reaches(app, '10.88.0.2', 53, 'udp')).toBe(true);
    expect(await ping(app, outside.address4)).toBe(0);
  });

  test('lets in whom it names', async () => {
    const from = [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'web' } } }];
    await policy.apply(rules('web', { policyTypes: ['Ingress'], ingress: [{ from }] }));
    expect([await reaches(web, '10.88.0.1', 7001), await reaches(outside, host.address4, 7001)]).toEqual([true, false]);
  });
});

test('a container admits it by its own labels, and not as the host', async () => {
  const ingressOf = (app: string) =>
    ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'web', namespace: 'web' },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [
          {
            from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app, 'vetch.io/driver': 'host' } } }],
          },
        ],
      },
    }) as unknown as Document;
  await policy.apply(ingressOf('app'));
  expect([await reaches(app, '10.88.0.2', 80), await reaches(peer, '10.88.0.2', 80)]).toEqual([true, false]);
  expect(await policy.explain('host/app', 'web/web', '80/tcp')).toMatchObject({ verdict: 'allow' });
  expect(await policy.explain('host/peer', 'web/web', '80/tcp')).toMatchObject({ verdict: 'deny' });
  expect(await reaches(host, '10.88.0.2', 80)).toBe(true);
});

test('a permission that is taken back stops the live connection, and one that is given again lets it go on', async () => {
  const held = app.spawn(
    'python3',
    '-uc',
    `import socket, sys
s = socket.create_connection(('${outside.address4}', 80), 5)
s.settimeout(1)
for line in sys.stdin:
  try:
    s.send(line.encode()); print('answer' if s.recv(65536) else 'closed')
  except OSError as error: print('nothing', error)`,
  );
  held.child.stdin?.write('one\n');
  await held.until(/answer/);
  await policy.apply(noEgress);
  held.child.stdin?.write('two\n');
  await held.until(/nothing/);
  await policy.deleteAll();
  held.child.stdin?.write('three\n');
  await held.until(/answer[\s\S]*nothing[\s\S]*answer/, 20);
});

test('a cgroup beneath it is no way out', async () => {
  await policy.apply(noEgress);
  const cgroup = `${app.place.cgroup}/a/b/c`;
  mkdirSync(cgroup, { recursive: true });
  const inner = new Machine('inner', { holder: host.place.holder, cgroup });
  expect(await reaches(inner, outside.address4, 80)).toBe(false);
  await policy.deleteAll();
  expect(await reaches(inner, outside.address4, 80)).toBe(true);
  await inner.stop();
  for (const path of ['a/b/c', 'a/b', 'a']) rmdirSync(`${app.place.cgroup}/${path}`);
});

test('nor is a network namespace of its own making', async () => {
  // Where nothing refuses it, the loopback takes it.
  const script = `ip link set lo up; ip address add 203.0.113.1/24 dev lo; exec python3 -c "
import socket
try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.9', 9)); print('sent')
except PermissionError: print('refused')"`;
  const sends = async () => (await app.exec('unshare', '--net', 'sh', '-c', script)).stdout.trim();
  await policy.apply(noEgress);
  expect(await sends()).toBe('refused');
  await policy.deleteAll();
  expect(await sends()).toBe('sent');
});

test('nor is a source address that the host does not have, which its own sockets would answer', async () => {
  await policy.apply(noEgress);
  // Any process may bind to one over IPv6; raw sockets forge those of IPv4.
  const there = outside.address6;
  const script = `import socket
def bound(address, port):
  s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
  s.setsockopt(socket.IPPROTO_IPV6, 78, 1)
  s.bind((address, port))
  return s
mine = bound('${host.address6}', 5600)
forged = bound('${there}', 53)
try: forged.sendto(b'x', ('${host.address6}', 5600))
except PermissionError: print('forging refused')
forged.close()
try: mine.sendto(b'x', ('${there}', 53)); print('sent')
except PermissionError: print('refused')`;
  expect((await app.exec('python3', '-c', script)).stdout.trim().split('\n')).toEqual(['forging refused', 'refused']);
});

test('nor is what it may send as if somebody else had asked for it', async () => {
  const open = outside.address6.replace(/[^:]*$/, 'feed');
  await policy.apply(toBlock(`${open}/128`));
  // Over IPv6 any process may bind to an address that the host does not have.
  const script = `import socket
def sends(source, destination):
  with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.IPPROTO_IPV6, 78, 1)
    s.bind(source)
    try: s.sendto(b'x', destination); print('sent')
    except PermissionError: print('refused')
opened, closed = ('${open}', 5601), ('${outside.address6}', 53)
sends(closed, opened)
sends(opened, closed)
sends(closed, opened)`;
  expect((await app.exec('python3', '-c', script)).stdout.trim().split('\n')).toEqual(['sent', 'refused', 'sent']);
});

test('large segments and datagrams in pieces pass whole', async () => {
  await policy.apply(toBlock('10.88.0.0/16', 'fd00:88::/64'));
  const whole = async (from: Machine, transport: 'tcp' | 'udp', address: string, port: number, size: number) =>
    expect((await ask(from, transport, address, port, '--size', String(size))).reply, `${address} ${size}`).toContain(
      `bytes=${size}`,
    );
  await whole(app, 'udp', '10.88.0.2', 53, 20_000);
  await whole(outside, 'udp', host.address4, 7003, 20_000);
  for (const [from, address, port] of [
    [app, '10.88.0.2', 80],
    [app, 'fd00:88::2', 80],
    [outside, host.address4, 7001],
    [outside, host.address6, 7001],
  ] as const) {
    expect(await ask(from, 'tcp', address, port, '--size', '4000000'), address).toMatchObject({ ok: true });
  }
});

test('flow events, conntrack and drop counters name it', async () => {
  await policy.apply(noEgress);
  await reaches(app, outside.address4, 80);
  await vi.waitFor(async () => {
    expect((await flows('--reason', 'POLICY_DENIED', '--from', 'host/app')).at(-1)).toMatchObject({
      ...{ verdict: 'DROPPED', network: 'host', protocol: 'tcp', decidedBy: { name: 'closed' } },
      source: { endpoint: 'app', labels: { app: 'app' } },
      destination: { ip: outside.address4, port: 80, endpoint: null },
    });
  }, 5000);
  await policy.deleteAll();
  await reaches(outside, host.address4, 7001);
  await vi.waitFor(async () => {
    expect((await flows('--network', 'host', '--to', 'host/app')).at(-1)).toMatchObject({
      ...{ verdict: 'FORWARDED', network: 'host', source: { ip: outside.address4 } },
      destination: { endpoint: 'app', port: 7001 },
    });
  }, 5000);
  const known = await host.vetch<unknown[]>('conntrack', 'ls', '--network', 'host');
  expect(known).toContainEqual(
    expect.objectContaining({ network: 'host', destination: { ip: host.address4, port: 7001 } }),
  );
});

test('what it cannot have is refused, and nothing changes', async () => {
  const attach = (...flags: string[]) => host.vetch('endpoint', 'attach', 'host', ...flags);
  const late = host.cgroup('late').place.cgroup;
  mkdirSync(`${app.place.cgroup}/x`);
  for (const [flags, code] of [
    [[], 'INVALID'],
    [['--netns', web.netns], 'INVALID'],
    [['--cgroup', '/sys/fs/cgroup/nothing'], 'NOT_FOUND'],
    [['--cgroup', '/tmp'], 'INVALID'],
    [['--cgroup', app.place.cgroup], 'IN_USE'],
    [['--cgroup', `${app.place.cgroup}/x`], 'IN_USE'],
    [['--cgroup', host.place.cgroup], 'IN_USE'],
    [['--cgroup', late, '--ip', '10.88.0.9'], 'ADDRESS_OUTSIDE_POOL'],
    [['--cgroup', late, '--publish', '8080:80'], 'INVALID'],
    [['--cgroup', late, '--ifname', 'eth7'], 'INVALID'],
    [['--cgroup', late, '--opt', 'vetch.rate.egress=1Mbit'], 'INVALID'],
  ] as const) {
    await expect(attach(...flags), flags.join(' ')).rejects.toMatchObject({ code });
  }
  await expect(host.vetch('network', 'create', 'second', '--driver', 'host')).rejects.toMatchObject({ code: 'IN_USE' });
  await expect(host.vetch('endpoint', 'attach', 'web', '--cgroup', late)).rejects.toMatchObject({ code: 'INVALID' });
  expect(await host.vetch('endpoint', 'ls')).toHaveLength(3);
  rmdirSync(`${app.place.cgroup}/x`);
});

const pins = async (hook: string) => (await host.must('ls', `${host.bpffs}/v1/links/${hook}`)).trim().split('\n');

test('a daemon that was killed leaves its policy in force, and repairs nothing', async () => {
  await policy.apply(noEgress);
  await host.stopDaemon('SIGKILL');
  expect(await reaches(app, outside.address4, 80)).toBe(false);
  expect(await reaches(outside, host.address4, 7001)).toBe(true);
  await host.start();
  expect(await reaches(app, outside.address4, 80)).toBe(false);
  expect(await host.status()).toMatchObject({ drift: 0, warnings: [] });
});

test('programs that somebody took away are put back', async () => {
  await policy.apply(noEgress);
  await host.must('sh', '-c', `rm ${host.bpffs}/v1/links/cgroup_*/*`);
  // The kernel takes a link away after its last pin, and not with it.
  await vi.waitFor(async () => expect(await reaches(app, outside.address4, 80)).toBe(true), 3000);
  await host.stopDaemon();
  await host.start();
  expect(await reaches(app, outside.address4, 80)).toBe(false);
  expect(await pins('cgroup_egress')).toHaveLength(2);
});

test('a cgroup that is made anew under its path is under policy again', async () => {
  const [again] = await host.attachCgroup('host', 'again', '--label', 'app=app');
  await again.stop();
  rmdirSync(again.place.cgroup);
  await host.stopDaemon();
  await host.start();
  expect((await host.status()).warnings).toEqual([expect.stringMatching(/host\/again is lost: its cgroup .* is gone/)]);
  mkdirSync(again.place.cgroup);
  await host.stopDaemon();
  await host.start();
  await policy.apply(noEgress);
  expect(await reaches(again, outside.address4, 80)).toBe(false);
  expect((await host.status()).warnings).toEqual([]);
  await host.vetch('endpoint', 'detach', 'host/again');
});

test('what a container had written before it ended still arrives', async () => {
  const [ended] = await host.attachCgroup('host', 'ended', '--label', 'app=app');
  // It reads late and little at a time: most of what is written waits at the sender.
  const reader = outside.spawn(
    'python3',
    '-uc',
    `import socket, sys
at = socket.socket(); at.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); at.bind(('', 7010)); at.listen(); print('waits')
one, _ = at.accept(); one.settimeout(5); sys.stdin.readline()
total = 0
while part := one.recv(65536): total += len(part)
print('read', total)`,
  );
  await reader.until(/waits/);
  await ended.must(
    'python3',
    '-c',
    `import socket
to = socket.create_connection(('${outside.address4}', 7010)); to.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
to.sendall(b'x' * 200000)`,
  );
  rmdirSync(ended.place.cgroup);
  await host.vetch('endpoint', 'detach', 'host/ended');
  reader.child.stdin?.write('\n');
  await reader.until(/read 200000/);
  await reader.stop();
});

test('a socket that outlives its cgroup, in the hands of another, stays closed', async () => {
  const keeper = host.cgroup('keeper');
  const [gone] = await host.attachCgroup('host', 'gone', '--label', 'app=app');
  await policy.apply(noEgress);
  const path = '/run/vetch/passed.sock';
  const held = keeper.spawn(
    'python3',
    '-uc',
    `import socket, sys
at = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); at.bind('${path}'); print('waits')
_, [fd], _, _ = socket.recv_fds(at, 1, 1)
passed = socket.socket(fileno=fd); print('holds')
for _ in sys.stdin:
  try: passed.sendto(b'x', ('${outside.address4}', 53)); print('sent')
  except PermissionError: print('refused')`,
  );
  const sends = async (answer: RegExp) => {
    held.child.stdin?.write('\n');
    await held.until(answer);
  };
  await held.until(/waits/);
  await gone.must(
    'python3',
    '-c',
    `import socket
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); to.connect('${path}')
passed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
socket.send_fds(to, [b'x'], [passed.fileno()])`,
  );
  await held.until(/holds/);
  await sends(/refused/);
  rmdirSync(gone.place.cgroup);
  // As if it was started anew, and then ended for good.
  mkdirSync(gone.place.cgroup);
  await host.stopDaemon();
  await host.start();
  await sends(/(refused[\s\S]*){2}/);
  rmdirSync(gone.place.cgroup);
  await host.vetch('endpoint', 'detach', 'host/gone');
  await sends(/(refused[\s\S]*){3}/);
  await held.stop();
  await host.stopDaemon();
  await host.start();
  expect(await pins('cgroup_egress')).toHaveLength(2);
});

test('detached, it is the host again, and nothing of it stays', async () => {
  await policy.apply(noEgress);
  expect(await reaches(app, outside.address4, 80)).toBe(false);
  await host.vetch('endpoint', 'detach', 'host/app');
  expect(await reaches(app, outside.address4, 80)).toBe(true);
  expect(await pins('cgroup_egress')).toHaveLength(1);
  expect(await host.vetch('conntrack', 'ls', '--network', 'host')).toEqual([]);
  await expect(host.vetch('network', 'rm', 'host')).rejects.toMatchObject({ code: 'IN_USE' });
});

test('uninstalled, the rest goes', async () => {
  await policy.deleteAll();
  await host.stopDaemon();
  expect(await host.uninstall()).toContain(`link cgroup_egress of ${peer.place.cgroup}`);
  expect(existsSync(peer.place.cgroup)).toBe(true);
  expect(readdirSync(peer.place.cgroup)).toContain('cgroup.procs');
  expect(await host.must('bpftool', 'cgroup', 'show', peer.place.cgroup)).toBe('');
  await host.start();
  await host.vetch('endpoint', 'detach', 'host/peer', 'web/web');
  await host.vetch('network', 'rm', 'host', 'web');
  expect(await host.status()).toMatchObject({ endpoints: 0, networks: 0 });
});
