import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as libc from '../../src/loader/ffi/libc.ts';
import { isPortTaken, probeBind } from '../../src/loader/ffi/libc.ts';
import { parseAddress } from '../../src/model/address.ts';
import { createNetns, withNetns } from '../../src/netlink/netns.ts';
import { thrownBy, World } from './support.ts';

const anywhere = parseAddress('0.0.0.0');
const everywhere6 = parseAddress('::');
const loopback = parseAddress('127.0.0.1');

async function listening(host: string, port: number): Promise<Server> {
  const server = createServer().listen({ host, port, ipv6Only: true });
  await once(server, 'listening');
  return server;
}

describe('a port of the host', () => {
  test('that nobody has is given, and is nobody else’s until it is closed', async () => {
    const bound = probeBind({ protocol: 'tcp', address: loopback, port: 0 });
    const port = bound?.port ?? 0;
    expect(port).toBeGreaterThan(0);
    await expect(listening('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    bound?.close();
    bound?.close();
    const server = await listening('127.0.0.1', port);
    server.close();
  });

  test('that somebody listens on is refused, also under the wildcard', async () => {
    const server = await listening('127.0.0.1', 0);
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    try {
      for (const asked of [loopback, anywhere]) {
        const error = thrownBy(() => probeBind({ protocol: 'tcp', address: asked, port }));
        expect(error).toMatchObject({ code: 'EADDRINUSE' });
        expect(isPortTaken(error)).toBe(true);
      }
      // Another family, another address and another protocol are others.
      probeBind({ protocol: 'tcp', address: everywhere6, port })?.close();
      probeBind({ protocol: 'tcp', address: parseAddress('127.0.0.2'), port })?.close();
      probeBind({ protocol: 'udp', address: anywhere, port })?.close();
    } finally {
      server.close();
    }
  });

  test('is given while a connection of a server that has gone waits in TIME_WAIT', async () => {
    const server = await listening('127.0.0.1', 0);
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    server.once('connection', (socket) => socket.end());
    const client = connect({ host: '127.0.0.1', port });
    client.resume();
    await once(client, 'close');
    server.close();
    await once(server, 'close');
    probeBind({ protocol: 'tcp', address: anywhere, port })?.close();
  });

  test.each(['tcp', 'udp'] as const)('of %s is held against a second of us, chosen or named', (protocol) => {
    using ns = createNetns();
    for (const address of [anywhere, everywhere6]) {
      for (const wanted of [0, 8080]) {
        using bound = withNetns(ns, () => probeBind({ protocol, address, port: wanted }));
        const port = bound?.port ?? 0;
        const error = withNetns(ns, () => thrownBy(() => probeBind({ protocol, address, port })));
        expect(isPortTaken(error)).toBe(true);
      }
    }
  });

  test('on an address that the host has not is refused', () => {
    const error = thrownBy(() => probeBind({ protocol: 'tcp', address: parseAddress('192.0.2.7'), port: 8080 }));
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL' });
    expect(isPortTaken(error)).toBe(false);
  });

  test('is one of the thread’s namespace', () => {
    using ns = createNetns();
    using world = new World();
    using here = withNetns(ns, () => probeBind({ protocol: 'udp', address: anywhere, port: 5353 }));
    using there = withNetns(world.host, () => probeBind({ protocol: 'udp', address: anywhere, port: 5353 }));
    expect([here?.port, there?.port]).toEqual([5353, 5353]);
  });

  test('of SCTP is given, or is nobody’s where the kernel has none', () => {
    const bound = probeBind({ protocol: 'sctp', address: anywhere, port: 0 });
    if (bound) expect(bound.port).toBeGreaterThan(0);
    bound?.close();
  });
});

test('systemd is told that we are ready, on a path or in the abstract namespace', () => {
  for (const path of [join(tmpdir(), `vt-netlink-${process.pid}.sock`), `@vt-netlink-${process.pid}`]) {
    const { AddressFamily, SocketType, MessageFlag } = libc;
    const fd = libc.socket(AddressFamily.UNIX, SocketType.DGRAM, 0);
    try {
      libc.bind(fd, libc.unixAddress(path), path);
      libc.notify(path, 'READY=1');
      const bytes = new Uint8Array(64);
      const length = libc.recv(fd, bytes, MessageFlag.DONTWAIT);
      expect(new TextDecoder().decode(bytes.subarray(0, length))).toBe('READY=1');
    } finally {
      libc.close(fd);
      rmSync(path, { force: true });
    }
  }
  expect(thrownBy(() => libc.notify('/nonexistent/notify', 'READY=1'))).toMatchObject({ code: 'ENOENT' });
});
