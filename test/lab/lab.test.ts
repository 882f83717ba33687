import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Capture } from './capture.ts';
import { Lab } from './lab.ts';
import { cgroupRoot, removeLeftovers } from './leftovers.ts';
import { Background } from './process.ts';
import { ask, ping, serve } from './talk.ts';

// The lab itself, without our daemon: a lab that cannot carry packets would prove anything.

test('hosts, clients and what lies behind the gateway reach each other over both families', async () => {
  await using lab = await Lab.create({ start: false, hosts: ['h1', 'h2'], remotes: ['far'] });
  const [h1, h2] = [lab.host('h1'), lab.host('h2')];
  expect(await ping(lab.client('outside'), h1.address4)).toBe(0);
  expect(await ping(h2, h1.address6)).toBe(0);
  expect(await ping(h1, lab.client('far').address6)).toBe(0);

  await serve(h1, 'tcp', 8080);
  await serve(h1, 'udp', 8080);
  const reply = await ask(lab.client('far'), 'tcp', h1.address4, 8080);
  expect(reply.reply).toContain(`h1 peer=${lab.client('far').address4},`);
  expect((await ask(lab.client('outside'), 'udp', h1.address6, 8080)).ok).toBe(true);
  expect((await ask(lab.client('outside'), 'tcp', h1.address4, 8081)).error).toBe('ECONNREFUSED');
});

test('a container is an empty namespace on its host', async () => {
  await using lab = await Lab.create({ start: false });
  const container = await lab.host().container('web');
  expect(await container.must('ip', '-o', 'link')).toMatch(/^1: lo: [^\n]*\n$/);
  expect(await container.must('cat', '/proc/self/cgroup')).toMatch(/0::\/vetch-lab-\d+-\d+\/h1\/web\n/);
});

test('a capture shows the packets of a device', async () => {
  await using lab = await Lab.create({ start: false });
  await using capture = await Capture.start(lab.host(), 'eth0', 'icmp');
  await ping(lab.client(), lab.host().address4);
  await capture.until(/ICMP echo reply/);
  expect(capture.lines[0]).toContain(`${lab.client().address4} > ${lab.host().address4}: ICMP echo request`);
});

test('a lab leaves nothing on the machine', async () => {
  const devices = () => readFileSync('/proc/net/dev', 'utf8').match(/^\s*\S+:/gm);
  const labs = () => readdirSync(cgroupRoot()).filter((name) => name.startsWith(`vetch-lab-${process.pid}-`));
  const mounts = readFileSync('/proc/mounts', 'utf8');
  const before = devices();
  {
    await using lab = await Lab.create({ start: false });
    await lab.host().container('web');
    lab.host().spawn('sleep', 'infinity');
    expect(labs()).toHaveLength(1);
  }
  expect(labs()).toEqual([]);
  expect(devices()).toEqual(before);
  expect(readFileSync('/proc/mounts', 'utf8')).toBe(mounts);
});

test('a lab whose process is killed ends, too, and the next one clears away the rest', async () => {
  const script = new URL('./programs/hold-lab.ts', import.meta.url).pathname;
  const owner = new Background([process.execPath, script]);
  const [, pids = ''] = await owner.until(/holders ([\d ]+)/, 20);
  const labs = () => readdirSync(cgroupRoot()).filter((name) => name.startsWith(`vetch-lab-${owner.pid}-`));
  expect(labs()).toHaveLength(1);
  await owner.stop('SIGKILL');
  await expect.poll(() => pids.split(' ').filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 5000 }).toEqual([]);
  await removeLeftovers();
  expect(labs()).toEqual([]);
});
