import type { Command } from 'commander';
import { segment } from '../client.ts';
import { command, contextOf } from '../command.ts';
import { forEach } from '../values.ts';

export function serviceRm(): Command {
  return command('rm', 'Remove services; connections that came by them end', 'vetch service rm web/shop')
    .argument('<service...>', 'NAME or NETWORK/NAME')
    .action(async (refs: string[], _: object, self: Command) => {
      const { client } = contextOf(self);
      await forEach(refs, (ref) => client.call('DELETE', `/services/${segment(ref)}`));
    });
}
