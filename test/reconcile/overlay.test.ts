import { expect, test } from 'vitest';
import { ConfigFlag } from '../../src/maps/generated/abi.ts';
import { Lab } from '../lab/lab.ts';
import { ping } from '../lab/talk.ts';
import { afterPass, dump, ifindexOf, kernelState } from './kernel-state.ts';

test('a network that could span hosts works on one alone, and the way to others is kept and taken down', async () => {
  await using lab = await Lab.create();
  const host = lab.host();
  const isThere = async () => (await host.exec('ip', 'link', 'show', 'vetchx0', 'up')).stdout !== '';
  await host.vetch('network', 'create', 'local');
  expect(await isThere()).toBe(false);
  const { mtu } = await host.vetch<{ mtu: number }>('network', 'create', 'wide', '--driver', 'overlay', '--ipv6');
  expect([mtu, await isThere()]).toEqual([1450, true]);
  const [web] = await host.attach('wide', 'web');
  const [, db] = await host.attach('wide', 'db');
  for (const address of db.addresses) expect(await ping(web, address.replace(/\/.*/, ''))).toBe(0);
  expect((await kernelState(host)).links).toHaveProperty('from_overlay vetchx0');
  await host.must('ip', 'link', 'delete', 'vetchx0');
  await afterPass(host, isThere);
  const ifindex = await ifindexOf(host, 'vetchx0');
  await afterPass(host, async () =>
    JSON.stringify(await dump(host, 'config')).includes(`"overlay_ifindex":${ifindex}`),
  );
  const byDevice = async () => {
    const [config] = (await dump(host, 'config')) as readonly { value: { flags: number } }[];
    return ((config?.value.flags ?? 0) & ConfigFlag.TUNNELS_BY_DEVICE) !== 0;
  };
  expect(await byDevice()).toBe(false);
  await host.ip('xfrm policy add src 192.0.2.1 dst 192.0.2.2 dir out action block');
  await afterPass(host, byDevice);
  const { drift, warnings, features } = await host.vetch<{
    drift: number;
    warnings: string[];
    features: Record<string, boolean>;
  }>('status');
  expect([drift, warnings, features.tunnelKey]).toEqual([1, [], true]);
  const checks = await host.vetch<{ check: string; ok: boolean; detail: string }[]>('doctor');
  expect(checks.find(({ check }) => check === 'tunnels')).toMatchObject({
    ...{ ok: true, detail: `from ${host.address4} to 0 other hosts` },
  });
  await host.stopDaemon();
  expect(await host.uninstall()).toContain('device vetchx0');
  expect(await isThere()).toBe(false);
});
