import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from './run.ts';

/** The executable of npm's newest `node` package of a major version, installed under .cache/ when missing. */
export async function nodeOf(major: number): Promise<string> {
  const directory = resolve('.cache', `node-${major}`);
  const node = `${directory}/node_modules/node/bin/node`;
  if (!existsSync(node)) {
    mkdirSync(directory, { recursive: true });
    const args = ['install', '--silent', '--no-save', '--prefix', directory, `node@${major}`];
    if ((await run('npm', args, { timeoutSeconds: 300 })) !== 0) throw new Error(`npm's node@${major} did not install`);
  }
  const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  if (!version.startsWith(`${major}.`)) throw new Error(`${node} is Node ${version}`);
  return node;
}
