import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProgram } from '../program.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { commandTree, flatten } from './tree.ts';
import { zshCompletion } from './zsh.ts';

const tree = commandTree(createProgram());

/** What bash offers for the last of the words. */
function offered(...words: string[]): string[] {
  const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vetch; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', `${bashCompletion(tree)}\n${ask}`, 'bash', ...words], { encoding: 'utf8' });
  return out.split('\n').filter((word) => word !== '');
}

test('bash offers commands, then their own commands, then their flags', () => {
  expect(offered('vetch', 'net')).toEqual(['network']);
  expect(offered('vetch', 'network', '')).toEqual(expect.arrayContaining(['create', 'ls', 'inspect', 'rm']));
  expect(offered('vetch', 'network', 'create', '--sub')).toEqual(['--subnet']);
  expect(offered('vetch', '--socket', '/tmp/s', 'endpoint', 'at')).toEqual(['attach']);
  expect(offered('vetch', 'endpoint', 'attach', 'web', '--netns', '')).toEqual([]);
});

test('no script leaves a command or a flag out', () => {
  for (const script of [bashCompletion(tree), zshCompletion(tree), fishCompletion(tree)]) {
    for (const { path, flags } of flatten(tree)) {
      expect(script).toContain(path.at(-1) ?? 'vetch');
      for (const flag of flags) expect(script).toContain(flag.name.slice(2));
    }
  }
});

const shells = [
  ['bash', '-n', bashCompletion(tree)],
  ['zsh', '-n', zshCompletion(tree)],
  ['fish', '--no-execute', fishCompletion(tree)],
] as const;
const installed = (shell: string) => spawnSync(shell, ['--version']).status === 0;

for (const [shell, onlyRead, script] of shells) {
  // A shell that is not installed cannot judge its script.
  test.skipIf(!installed(shell))(`${shell} can read its script`, () => {
    const { status, stderr } = spawnSync(shell, [onlyRead], { input: script, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
}
