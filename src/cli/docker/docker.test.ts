import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../test/api/cli.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vetch-root-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const vetch = (...args: string[]) => runCli([...args, '--root', root], { socket: '/nowhere' });
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const unit = '/etc/systemd/system/vetch.service';

test('install makes the engine wait for us and find us, and uninstall undoes it', async () => {
  const { status, stdout } = await vetch('docker', 'install', '--json');
  expect([status, JSON.parse(stdout).started]).toEqual([0, false]);
  expect(read('/etc/systemd/system/docker.service.d/10-vetch.conf')).toMatch(/^After=vetch\.service$/m);
  expect(read('/etc/docker/plugins/vetch.spec')).toBe('unix:///run/docker/plugins/vetch.sock\n');
  expect(read(unit)).toMatch(/^ExecStart=\/.*\/bin\/vetch daemon$/m);
  expect((await vetch('docker', 'uninstall')).status).toBe(0);
  const left = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(left).toEqual([]);
});

test('a unit that somebody else has put there is neither written nor removed', async () => {
  mkdirSync(join(root, '/etc/systemd/system'), { recursive: true });
  writeFileSync(join(root, unit), '[Service]\nExecStart=/opt/vetch daemon\n');
  await vetch('docker', 'install');
  await vetch('docker', 'uninstall');
  expect(read(unit)).toContain('/opt/vetch');
  expect(existsSync(join(root, '/etc/docker/plugins/vetch.spec'))).toBe(false);
});
