import type { Command } from 'commander';
import { segment } from '../client.ts';
import { command, contextOf } from '../command.ts';
import { forEach } from '../values.ts';

export function endpointDetach(): Command {
  return command('detach', 'Detach endpoints', 'vetch endpoint detach web/c1')
    .argument('<ref...>', 'NAME, NETWORK/NAME, an address, label:K=V, or a prefix of its id')
    .action(async (refs: string[], _: object, self: Command) => {
      const { client } = contextOf(self);
      await forEach(refs, (ref) => client.call('DELETE', `/endpoints/${segment(ref)}`));
    });
}
