import type { Command } from 'commander';

/** What a completion script needs to know of a command. */
export interface Node {
  /** The words that lead to it, `vetch` apart. */
  readonly path: readonly string[];
  readonly description: string;
  readonly children: readonly Node[];
  readonly flags: readonly Flag[];
}

export interface Flag {
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
}

/** Every command with its flags, those of the program included, parents before children. */
export function commandTree(program: Command): Node {
  return node(program, [], []);
}

export function flatten(root: Node): Node[] {
  return [root, ...root.children.flatMap(flatten)];
}

function node(command: Command, path: readonly string[], inherited: readonly Flag[]): Node {
  const own = command.options.map((option) => ({
    name: option.long ?? option.short ?? '',
    description: option.description,
    takesValue: option.required || option.optional,
  }));
  const flags = [...own.filter((flag) => flag.name !== '--version'), ...inherited];
  const help = { name: '--help', description: 'show help', takesValue: false };
  return {
    path,
    description: command.description(),
    children: command.commands.map((child) => node(child, [...path, child.name()], flags)),
    flags: [...flags, help],
  };
}
