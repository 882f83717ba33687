import { existsSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { command, contextOf, show } from '../command.ts';
import { Failure } from '../failure.ts';
import { stdout } from '../terminal.ts';
import { integrationFiles, ownUnit, ownUnitMark } from './files.ts';
import { hasSystemd, systemctl } from './systemd.ts';

export function dockerUninstall(): Command {
  return command('uninstall', 'Undo `docker install`; networks and containers stay', 'vetch docker uninstall')
    .option('--root <dir>', 'remove below this directory', '/')
    .action(async ({ root }: { readonly root: string }, self: Command) => {
      const paths = integrationFiles(root, '').map(({ path }) => path);
      const ours = [...new Set([...paths, ownUnit])].filter((path) => isOurs(join(root, path), path));
      if (ours.includes(ownUnit) && hasSystemd(root)) systemctl('disable', '--now', 'vetch.service');
      for (const path of ours) remove(join(root, path));
      if (hasSystemd(root)) systemctl('daemon-reload');
      await show(contextOf(self), { removed: ours }, async ({ removed }) => {
        for (const path of removed) await stdout.write(`removed ${path}\n`);
      });
    });
}

/** A unit that a package or the user has put there is not ours to remove. */
function isOurs(file: string, path: string): boolean {
  if (!existsSync(file)) return false;
  return path !== ownUnit || readFileSync(file, 'utf8').startsWith(ownUnitMark);
}

function remove(file: string): void {
  try {
    rmSync(file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Failure('UNAVAILABLE', `cannot remove ${file}: ${why}`, 'run it as root');
  }
  try {
    rmdirSync(dirname(file));
  } catch {
    // Somebody else's files are in there too.
  }
}
