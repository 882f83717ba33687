import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Failure } from '../failure.ts';

/** Whether units of this machine are systemd's to start, and not those of a tree of files elsewhere. */
export function hasSystemd(root: string): boolean {
  return root === '/' && existsSync('/run/systemd/system');
}

/** @throws Failure UNAVAILABLE with what it says */
export function systemctl(...args: string[]): void {
  const { status, stderr, error } = spawnSync('systemctl', args, { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit status ${status}`;
  throw new Failure('UNAVAILABLE', `systemctl ${args.join(' ')} failed: ${why}`, 'look into `journalctl -u vetch`');
}
