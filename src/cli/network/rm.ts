import type { Command } from 'commander';
import { segment } from '../client.ts';
import { command, contextOf } from '../command.ts';
import { forEach } from '../values.ts';

export function networkRm(): Command {
  return command('rm', 'Remove networks that have no endpoints', 'vetch network rm web')
    .argument('<name...>', 'their names, or prefixes of their ids')
    .action(async (names: string[], _: object, self: Command) => {
      const { client } = contextOf(self);
      await forEach(names, (name) => client.call('DELETE', `/networks/${segment(name)}`));
    });
}
