import { Argument, type Command } from 'commander';
import { command } from '../command.ts';
import { stdout } from '../terminal.ts';
import { commandTree } from './tree.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export function completion(): Command {
  return command('completion', "Print a shell's completion script", 'source <(vetch completion bash)')
    .addArgument(new Argument('<shell>').choices(shells))
    .action(async (shell: (typeof shells)[number], _: object, self: Command) => {
      const tree = commandTree(self.parent ?? self);
      await stdout.write(await script(shell, tree));
    });
}

async function script(shell: (typeof shells)[number], tree: ReturnType<typeof commandTree>): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('./bash.ts')).bashCompletion(tree);
    case 'zsh':
      return (await import('./zsh.ts')).zshCompletion(tree);
    case 'fish':
      return (await import('./fish.ts')).fishCompletion(tree);
  }
}
