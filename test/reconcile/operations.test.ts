import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { serve } from '../lab/talk.ts';
import { controlMaps, dump, networkState } from './kernel-state.ts';

describe('operations', () => {
  test('each leaves the maps as a pass would make them', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/16', '--ipv6');
    await host.vetch('network', 'create', 'lab', '--internal');
    await host.attach('shop', 'a', '--publish', '8080:80', '--publish', '127.0.0.1::81/udp');
    await host.attach('shop', 'b');
    await host.attach('shop', 'c');
    await host.attach('lab', 'd');
    await host.vetch('port', 'publish', 'b', '9000-9002:9000-9002/tcp');
    await host.vetch('port', 'unpublish', 'b', '9001:9001');
    await host.vetch('endpoint', 'label', 'c', 'tier=front');
    await host.vetch('endpoint', 'detach', 'a');
    const maps = await controlMaps(host);
    await host.stopDaemon();
    await host.start();
    expect(await controlMaps(host)).toBe(maps);
    expect((await dump(host, 'members')).length).toBe(3);
  });

  test('a refusal leaves nothing behind', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/24');
    const holder = await serve(host, 'tcp', 8080);
    const container = await host.container('web');
    const [network, maps] = [await networkState(host), await controlMaps(host)];
    const inside = await container.must('ip', '-o', 'link');
    const attach = (...flags: string[]) =>
      host.vetch('endpoint', 'attach', 'shop', '--netns', container.netns, '--name', 'web', ...flags);
    const refusals: [string[], string][] = [
      [['--publish', '8080:80'], 'PORT_ALLOCATED'],
      [['--ip', '10.88.0.1'], 'ADDRESS_TAKEN'],
      [['--ip', '10.99.0.9'], 'ADDRESS_OUTSIDE_POOL'],
      [['--publish', '80-82:80-81'], 'INVALID'],
      [['--publish', '203.0.113.99:80:80'], 'INVALID'],
      [['--ifname', 'lo'], 'INVALID'],
      [['--opt', 'vetch.nonsense=1'], 'INVALID'],
    ];
    for (const [flags, code] of refusals)
      await expect(attach(...flags), flags.join(' ')).rejects.toMatchObject({ code });
    await expect(attach('--publish', '8080:80')).rejects.toThrow(
      'Bind for 0.0.0.0:8080 failed: port is already allocated',
    );
    await expect(host.vetch('endpoint', 'attach', 'shop', '--netns', '/run/netns/nowhere')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await networkState(host)).toBe(network);
    expect(await controlMaps(host)).toBe(maps);
    expect(await container.must('ip', '-o', 'link')).toBe(inside);
    expect(await host.vetch('endpoint', 'ls')).toEqual([]);
    await holder.stop();
    await attach('--publish', '8080:80', '--ip', '10.88.0.2');
  });

  test('an attach into a sandbox that has such a device leaves nothing behind', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/24');
    const container = await host.container('web');
    const [network, maps] = [await networkState(host), await controlMaps(host)];
    await container.ip('link add taken type veth peer name eth7');
    await expect(
      host.vetch('endpoint', 'attach', 'shop', '--netns', container.netns, '--ifname', 'eth7'),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await networkState(host)).toBe(network);
    expect(await controlMaps(host)).toBe(maps);
  });

  test('a network with endpoints stays, and an address that was let go is the next to be handed out', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/24');
    const [, first] = await host.attach('shop', 'a');
    await host.attach('shop', 'b');
    await expect(host.vetch('network', 'rm', 'shop')).rejects.toMatchObject({ code: 'IN_USE' });
    await host.vetch('endpoint', 'detach', 'a');
    const [, third] = await host.attach('shop', 'c');
    expect(third.addresses).toEqual(first.addresses);
    await host.vetch('endpoint', 'detach', 'b', 'c');
    await host.vetch('network', 'rm', 'shop');
    expect(await host.must('ip', 'route')).not.toContain('10.88.0.0');
    expect(await host.must('ip', 'address', 'show', 'vetch0')).not.toContain('10.88.0.1');
  });

  test('the deny list brings XDP and takes it away again', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    const xdp = async () => /prog\/xdp|xdpgeneric/.test(await host.must('ip', '-d', 'link', 'show', 'eth0'));
    expect(await xdp()).toBe(false);
    await host.vetch('deny', 'add', '192.0.2.0/24', '2001:db8:9::/48', '192.0.2.7');
    expect(await xdp()).toBe(true);
    expect((await dump(host, 'deny_list')).length).toBe(3);
    await expect(host.vetch('deny', 'rm', '192.0.2.0/24', '198.18.0.0/15')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await host.vetch('deny', 'rm', '192.0.2.0/24', '2001:db8:9::/48', '192.0.2.7');
    expect(await xdp()).toBe(false);
    expect(await dump(host, 'deny_list')).toEqual([]);
  });
});
