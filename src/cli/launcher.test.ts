import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/vetch', import.meta.url));

/** A checkout of its own: the real launcher, and programs called node that say who they are. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vetch-bin-'));
  mkdirSync(join(root, 'bin'));
  copyFileSync(launcher, join(root, 'bin/vetch'));
  write('dist/cli/main.js', '');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), 0o755);
}

function fakeNode(directory: string, version: string): void {
  write(
    `${directory}/node`,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; else echo "${version}:" "$@"; fi\n`,
  );
}

const bundled = '.runtime/node_modules/node/bin';

function run(program = join(root, 'bin/vetch'), ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', [program, ...args], {
    env: { PATH: `${join(root, 'path')}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test.each(['22.12.0', '24.1.0', '26.0.0-nightly'])('Node %s of the PATH is used', (version) => {
  fakeNode('path', version);
  fakeNode(bundled, '24.0.0');
  const { stdout } = run(join(root, 'bin/vetch'), 'status', 'two words');
  expect(stdout).toBe(`${version}: --enable-source-maps ${root}/dist/cli/main.js status two words\n`);
});

test.each(['20.19.0', '22.11.0', 'next'])('with Node %s on the PATH the one beside the checkout is used', (version) => {
  fakeNode('path', version);
  fakeNode(bundled, '24.0.0');
  expect(run().stdout).toMatch(/^24\.0\.0: /);
});

test('it may be reached by a symbolic link', () => {
  fakeNode('path', '24.0.0');
  symlinkSync('../bin/vetch', join(root, 'dist/vetch'));
  expect(run(join(root, 'dist/vetch')).stdout).toContain(`${root}/dist/cli/main.js`);
});

test('without any Node that is new enough it says so', () => {
  fakeNode('path', '20.0.0');
  expect(run()).toEqual({
    status: 1,
    stdout: '',
    stderr: 'vetch: UNAVAILABLE: there is no Node 22.12 or newer; install one, or run make build in the checkout\n',
  });
});

test('a checkout that has not been built says so', () => {
  fakeNode('path', '24.0.0');
  rmSync(join(root, 'dist'), { recursive: true });
  expect(run()).toEqual({
    status: 1,
    stdout: '',
    stderr: `vetch: UNAVAILABLE: ${root} has not been built; run make build there\n`,
  });
});
