import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { controlMaps, dump, kernelState, networkState } from './kernel-state.ts';

describe('the life of the daemon', () => {
  test('a restart finds everything in place: nothing is loaded, attached or written twice', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/16', '--ipv6');
    await host.attach('shop', 'web', '--publish', '8080:80');
    await host.attach('shop', 'db');
    const [kernel, maps] = [await kernelState(host), await controlMaps(host)];
    const devices = await host.must('ip', '-o', 'link');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await host.stopDaemon(signal);
      expect(await kernelState(host)).toEqual(kernel);
      await host.start();
      expect(await kernelState(host)).toEqual(kernel);
      expect(await controlMaps(host)).toBe(maps);
      expect(await host.must('ip', '-o', 'link')).toBe(devices);
      expect(host.daemon.output).toMatch(/"loaded":\[\]/);
      expect((await host.status()).drift).toBe(0);
    }
    expect((await host.vetch<unknown[]>('endpoint', 'ls')).length).toBe(2);
  });

  test('a second daemon on the same state or pins is refused', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    const flags = [
      '--node',
      'other',
      '--socket',
      '/run/vetch/other.sock',
      '--uplink',
      'eth0',
      '--docker-plugins',
      'off',
    ];
    const vetch = new URL('../../bin/vetch', import.meta.url).pathname;
    const refused = await host.exec(vetch, 'daemon', ...flags, '--state', '/run/other', '--bpffs', host.bpffs);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/vetch: IN_USE: the pins in .* are in use by process \d+/);
    const other = await host.exec(vetch, 'daemon', ...flags, '--state', host.state, '--bpffs', '/sys/fs/bpf/other');
    expect(other.stderr).toMatch(/vetch: IN_USE: the state in .* is in use by process \d+/);
    expect((await host.status()).drift).toBe(0);
  });

  test('an upgrade replaces programs where they run, and keeps every link', async () => {
    const given = process.env.VETCH_OBJECTS;
    const objects = mkdtempSync(join(tmpdir(), 'vetch-objects-'));
    await using lab = await Lab.create();
    const host = lab.host();
    try {
      await host.vetch('network', 'create', 'shop');
      await host.attach('shop', 'web');
      const before = await kernelState(host);
      await host.stopDaemon();
      const built = given ?? new URL('../../bpf/build/', import.meta.url).pathname;
      cpSync(built, objects, { recursive: true });
      for (const name of readdirSync(objects)) appendFileSync(join(objects, name), '\0');
      process.env.VETCH_OBJECTS = objects;
      await host.start();
      const after = await kernelState(host);
      expect(after.links).toEqual(before.links);
      for (const [name, id] of Object.entries(after.programs)) expect(id, name).not.toBe(before.programs[name]);
      expect(await host.must('tc', 'filter', 'show', 'block', '30309')).toContain(
        `id ${after.programs.from_endpoint} `,
      );
      const links = JSON.parse(await host.must('bpftool', '-j', 'link')) as { id: number; prog_id: number }[];
      const running = links.find(({ id }) => id === after.links['from_uplink eth0']);
      expect(running?.prog_id).toBe(after.programs.from_uplink);
    } finally {
      if (given === undefined) delete process.env.VETCH_OBJECTS;
      else process.env.VETCH_OBJECTS = given;
      rmSync(objects, { recursive: true });
    }
  });

  test('uninstalling leaves nothing behind', async () => {
    await using lab = await Lab.create({ start: false });
    const host = lab.host();
    while ((await host.must('ip', '-6', 'address')).includes('tentative')) await sleep(100);
    const before = await networkState(host);
    await host.start();
    await host.vetch('network', 'create', 'shop', '--ipv6');
    const [web] = await host.attach('shop', 'web', '--publish', '8080:80');
    await host.vetch('deny', 'add', '192.0.2.0/24');
    const { programs } = await kernelState(host);
    await host.stopDaemon();
    const said = await host.uninstall();
    expect(said).toMatch(/^device vt[0-9a-f]{11}$/m);
    expect(said).toMatch(/^link from_uplink of eth0$/m);
    await host.destroy(web);
    expect(await networkState(host)).toBe(before);
    expect((await host.must('ls', host.bpffs)).trim()).toBe('');
    for (const id of Object.values(programs)) {
      expect((await host.exec('bpftool', 'prog', 'show', 'id', String(id))).status).not.toBe(0);
    }
  });

  test('what a daemon that died half-way left is removed by the next', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.stopDaemon('SIGKILL');
    await host.ip('link add vt0123456789a type veth peer name nobody');
    await host.start();
    expect((await host.exec('ip', 'link', 'show', 'vt0123456789a')).status).not.toBe(0);
  });

  test('killed amid attaches and detaches, it comes back with all of an endpoint or nothing', async () => {
    await using lab = await Lab.create();
    const host = lab.host();
    await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/24');
    for (const round of [1, 2, 3]) {
      const containers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => host.container(`${name}${round}`)));
      const attach = ({ netns, name }: { netns: string; name: string }) =>
        host.vetch('endpoint', 'attach', 'shop', '--netns', netns, '--name', name, '--publish', '80').catch(() => {});
      const all = containers.map(attach);
      await Promise.race(all);
      await sleep(5 * round);
      await host.stopDaemon('SIGKILL');
      await Promise.all(all);
      await host.start();
      const endpoints = await host.vetch<{ name: string; hostIfname: string }[]>('endpoint', 'ls');
      const devices = (await host.must('ip', '-o', 'link')).match(/vt[0-9a-f]{11}/g) ?? [];
      expect(devices.sort()).toEqual(endpoints.map(({ hostIfname }) => hostIfname).sort());
      expect((await dump(host, 'interfaces')).length).toBe(endpoints.length);
      expect((await dump(host, 'published')).length).toBe(endpoints.length);
      expect((await host.status()).warnings).toEqual([]);
      for (const container of containers) {
        const inside = (await container.must('ip', '-o', 'link')).includes('eth0');
        expect(inside, container.name).toBe(endpoints.some(({ name }) => name === container.name));
      }
      const names = endpoints.slice(0, 2).map(({ name }) => name);
      if (names.length > 0) await host.vetch('endpoint', 'detach', ...names);
    }
  });
});
