import type { Command } from 'commander';
import { segment } from '../client.ts';
import { command, contextOf } from '../command.ts';
import { forEach } from '../values.ts';

export function nodeForget(): Command {
  return command('forget', 'Give back the addresses of hosts that are gone for good', 'vetch node forget h3')
    .argument('<node...>', 'names of hosts that are not there')
    .action(async (names: string[], _: object, self: Command) => {
      const { client } = contextOf(self);
      await forEach(names, (name) => client.call('DELETE', `/nodes/${segment(name)}`));
    });
}
