import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/lab.ts';
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

test("the engine's own bridge runs a container that is reached from its host", async () => {
  const web = await engine.run('web');
  expect(await web.must('hostname')).toBe('web\n');
  const reply = await ask(host, 'tcp', await web.address('bridge'), 80);
  expect(reply.reply).toContain('web peer=172.17.0.1,');
  await engine.docker('rm', '--force', 'web');
});
