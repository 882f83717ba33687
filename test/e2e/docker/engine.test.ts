import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineVersion } from '../../engines/version.ts';
import { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/lab.ts';
import { cgroupRoot, removeLeftovers } from '../../lab/leftovers.ts';
import { Background } from '../../lab/process.ts';
import { ask } from '../../lab/talk.ts';

// The engine in the lab, without our daemon: what it shows about us is worth as much as this.

let lab: Lab;
let host: Host;
let engine: Engine;

beforeAll(async () => {
  lab = await Lab.create({ start: false });
  host = lab.host();
  engine = await Engine.start(host, { vetch: false });
});
afterAll(() => lab?.[Symbol.asyncDispose]());

test('the engine is that of the machine, or of the folder that is given', async () => {
  const version = await engine.docker('version', '--format', '{{.Server.Version}}');
  expect(version.replace(/[+~-].*/, '')).toBe(engineVersion(process.env.VETCH_E2E_ENGINE_ROOT));
});

test("the engine's own bridge runs a container that is reached from its host", async () => {
  const web = await engine.run('web');
  expect(await web.must('hostname')).toBe('web\n');
  const reply = await ask(host, 'tcp', await web.address('bridge'), 80);
  expect(reply.reply).toContain('web peer=172.17.0.1,');
  await engine.docker('rm', '--force', 'web');
});

test('an engine whose test is killed leaves no container, no cgroup and no directory behind', async () => {
  const script = new URL('../../lab/programs/hold-engine.ts', import.meta.url).pathname;
  const owner = new Background([process.execPath, script]);
  const [, pid = ''] = await owner.until(/container (\d+)/, 60);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await owner.stop('SIGKILL');
  await removeLeftovers();
  // Dead at once, and gone when its parent has seen it.
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
  for (const directory of [cgroupRoot(), tmpdir()])
    expect(readdirSync(directory).filter((name) => name.startsWith(`vetch-lab-${owner.pid}-`))).toEqual([]);
});
