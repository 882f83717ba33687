import { execFileSync } from 'node:child_process';
import { versionIn } from './fetch-root.ts';

/** The version of the engine in a folder, or of the machine's own, without the distribution's part: `20.10.24`. */
export function engineVersion(root?: string): string {
  if (root !== undefined) return versionIn(root);
  const said = execFileSync('dockerd', ['--version'], { encoding: 'utf8' });
  return /version ([^+~,\s-]+)/.exec(said)?.[1] ?? said.trim();
}
