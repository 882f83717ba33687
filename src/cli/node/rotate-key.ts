import type { Command } from 'commander';
import type { NodeView } from '../../api/schemas/node.ts';
import { command, contextOf, show } from '../command.ts';
import { printNodes } from './ls.ts';

export function nodeRotateKey(): Command {
  return command(
    'rotate-key',
    'Have this host encrypt with a new key. Answers when it is made; the others move to it within seconds, and then the old one goes',
    'vetch node rotate-key',
  ).action(async (_: object, self: Command) => {
    const context = contextOf(self);
    const node = await context.client.call<NodeView>('POST', '/nodes/rotate-key');
    await show(context, node, (one) => printNodes([one]));
  });
}
