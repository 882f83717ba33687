import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { afterPass, controlMaps, dump, ifindexOf, kernelState } from './kernel-state.ts';

async function shop() {
  const lab = await Lab.create();
  const host = lab.host();
  await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/16', '--ipv6');
  const [web, endpoint] = await host.attach('shop', 'web', '--publish', '8080:80');
  expect((await host.status()).drift).toBe(0);
  return { lab, host, web, endpoint };
}

describe('what somebody undid is repaired and counted', () => {
  test('a veth that was deleted comes back, in its sandbox and with its addresses', async () => {
    const { lab, host, web, endpoint } = await shop();
    await using _ = lab;
    const inside = await web.must('ip', '-br', 'address', 'show', 'eth0');
    await host.must('ip', 'link', 'delete', endpoint.hostIfname);
    await afterPass(host, async () => (await host.exec('ip', 'link', 'show', endpoint.hostIfname)).status === 0);
    expect((await web.must('ip', '-br', 'address', 'show', 'eth0')).replace(/@\S+/, '')).toBe(
      inside.replace(/@\S+/, ''),
    );
    expect(await web.must('ip', 'route')).toContain('default via 10.88.0.1');
    expect(await host.must('tc', 'qdisc', 'show', 'dev', endpoint.hostIfname)).toContain('ingress_block 30309');
    expect((await host.status()).drift).toBe(1);
    const ifindex = await ifindexOf(host, endpoint.hostIfname);
    expect(await dump(host, 'members')).toEqual([expect.objectContaining({ value: ifindex })]);
  });

  test('map entries that were deleted, changed or added', async () => {
    const { lab, host } = await shop();
    await using _ = lab;
    const before = await controlMaps(host);
    const pin = (map: string) => `${host.bpffs}/v1/maps/${map}`;
    const hex = (bytes: number[]) => bytes.map((byte) => byte.toString(16).padStart(2, '0'));
    const keys = JSON.parse(await host.must('bpftool', '-j', 'map', 'dump', 'pinned', pin('endpoints'))) as {
      key: string[];
    }[];
    const key = keys[0]?.key.map((byte) => byte.replace('0x', '')) ?? [];
    await host.must('bpftool', 'map', 'delete', 'pinned', pin('endpoints'), 'key', 'hex', ...key);
    const foreign = hex([...new Array<number>(16).fill(0), 0x1f, 0x90, 6, 0]);
    await host.must(
      ...['bpftool', 'map', 'update', 'pinned', pin('published_lo'), 'key', 'hex', ...foreign],
      ...['value', 'hex', ...hex(new Array<number>(24).fill(1))],
    );
    await afterPass(host, async () => (await controlMaps(host)) === before);
    expect((await host.status()).drift).toBe(2);
  });

  test('a program that was detached from an uplink or a cgroup', async () => {
    const { lab, host } = await shop();
    await using _ = lab;
    const { links } = await kernelState(host);
    const attached = async () => {
      const all = JSON.parse(await host.must('bpftool', '-j', 'link')) as { id: number }[];
      const now = new Set(Object.values((await kernelState(host)).links));
      return all.filter(({ id }) => now.has(id)).length;
    };
    const count = await attached();
    await host.must('bpftool', 'link', 'detach', 'id', String(links['from_uplink eth0']));
    const hook = Object.keys(links).find((name) => name.startsWith('sock_connect4'));
    await host.must('bpftool', 'link', 'detach', 'id', String(links[hook ?? '']));
    await afterPass(host, async () => (await host.status()).drift === 2);
    expect(await attached()).toBe(count);
    expect((await kernelState(host)).links['from_uplink eth0']).not.toBe(links['from_uplink eth0']);
  });

  test('the host device, with everything that stands on it', async () => {
    const { lab, host } = await shop();
    await using _ = lab;
    const before = await host.must('ip', 'route');
    await host.must('ip', 'link', 'delete', 'vetch0');
    await afterPass(host, async () => (await host.exec('ip', 'link', 'show', 'vetch0', 'up')).stdout !== '');
    await afterPass(host, async () => (await host.must('ip', 'route')) === before);
    expect(await host.must('ip', '-6', 'address', 'show', 'vetch0')).toContain('/128 scope global');
    expect((await host.must('cat', '/proc/sys/net/ipv4/conf/vetch0/forwarding')).trim()).toBe('1');
    expect((await host.status()).drift).toBe(1);
    const ifindex = await ifindexOf(host, 'vetch0');
    expect(JSON.stringify(await dump(host, 'config'))).toContain(`"host_ifindex":${ifindex}`);
  });

  test('a qdisc, an address, a route, a sysctl and a device that was taken down', async () => {
    const { lab, host, endpoint } = await shop();
    await using _ = lab;
    const { hostIfname } = endpoint;
    await host.must('tc', 'qdisc', 'delete', 'dev', hostIfname, 'clsact');
    await host.must('ip', 'route', 'delete', '10.88.0.0/16');
    await host.must('ip', 'address', 'delete', '10.88.0.1/32', 'dev', 'vetch0');
    await host.must('ip', 'link', 'set', hostIfname, 'down');
    await host.sysctl({ [`net/ipv4/conf/${hostIfname}/forwarding`]: 1 });
    await afterPass(host, async () => (await host.status()).drift === 5);
    expect(await host.must('tc', 'qdisc', 'show', 'dev', hostIfname)).toContain('ingress_block 30309');
    expect(await host.must('ip', 'route', 'get', '10.88.0.2')).toContain('dev vetch0 src 10.88.0.1');
    expect(await host.must('ip', 'link', 'show', hostIfname)).toContain('state UP');
    expect((await host.must('cat', `/proc/sys/net/ipv4/conf/${hostIfname}/forwarding`)).trim()).toBe('0');
  });

  test('what changes on the host itself is followed, and is no drift', async () => {
    const { lab, host } = await shop();
    await using _ = lab;
    const addresses = async () => (await dump(host, 'host_addrs')).length;
    const before = await addresses();
    await host.ip('address add 192.0.2.77/24 dev eth0');
    await afterPass(host, async () => (await addresses()) === before + 1);
    await host.ip('address delete 192.0.2.77/24 dev eth0');
    await afterPass(host, async () => (await addresses()) === before);
    expect((await host.status()).drift).toBe(0);
  });

  test('an endpoint whose sandbox is gone is reported as lost, and can be detached', async () => {
    const { lab, host, web } = await shop();
    await using _ = lab;
    await host.destroy(web);
    await afterPass(host, async () => (await host.status()).warnings.some((text) => text.includes('shop/web is lost')));
    expect(await dump(host, 'endpoints')).toEqual([]);
    expect(await dump(host, 'published')).toEqual([]);
    await host.vetch('endpoint', 'detach', 'web');
    expect((await host.status()).warnings).toEqual([]);
    await host.attach('shop', 'next', '--ip', '10.88.0.2', '--publish', '8080:80');
  });
});
