import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { command, contextOf, show } from '../command.ts';
import { Failure } from '../failure.ts';
import { stdout } from '../terminal.ts';
import { integrationFiles } from './files.ts';
import { hasSystemd, systemctl } from './systemd.ts';

interface Options {
  readonly root: string;
  readonly now: boolean;
}

/** What was done, for `--json`. */
interface Installed {
  readonly written: readonly string[];
  readonly started: boolean;
}

const program = new URL('../../../bin/vetch', import.meta.url).pathname;

export function dockerInstall(): Command {
  return command('install', 'Have the Docker engine find vetch at boot, and wait for it', 'vetch docker install')
    .option('--root <dir>', 'write below this directory, and start nothing', '/')
    .option('--no-now', 'do not start the daemon')
    .action(async ({ root, now }: Options, self: Command) => {
      const files = integrationFiles(root, program);
      for (const { path, text } of files) write(join(root, path), text);
      const started = now && hasSystemd(root);
      if (hasSystemd(root)) systemctl('daemon-reload');
      if (started) systemctl('enable', '--now', 'vetch.service');
      const installed: Installed = { written: files.map(({ path }) => path), started };
      await show(contextOf(self), installed, async ({ written }) => {
        for (const path of written) await stdout.write(`wrote ${path}\n`);
        if (!started) await stdout.write('start `vetch daemon` before the engine\n');
        await stdout.write('docker network create -d vetch NAME\n');
      });
    });
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o644 });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Failure('UNAVAILABLE', `cannot write ${path}: ${why}`, 'run it as root, or give another --root');
  }
}
