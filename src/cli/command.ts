import { Command } from 'commander';
import { Client } from './client.ts';
import { stdout } from './terminal.ts';

/** Where the daemon listens unless `--socket` or VETCH_SOCKET says otherwise. */
export const defaultSocket = '/run/vetch/vetch.sock';

/** Where the resolver keeps its status socket and the last known names. */
export const defaultResolverDirectory = '/run/vetch-resolver';

/** Read by `vetch daemon` when no `--config` is given; it need not exist. */
export const defaultConfig = '/etc/vetch/vetch.yaml';

/** What every command gets besides its own flags. */
export interface Context {
  readonly client: Client;
  readonly json: boolean;
}

/** A command with the example that its `--help` shows. */
export function command(name: string, description: string, example: string): Command {
  return new Command(name).description(description).addHelpText('after', `\nExample:\n  ${example}`);
}

/** A command that only holds others. */
export function group(name: string, description: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(description);
  const first = commands[0];
  if (first) parent.addHelpText('after', `\nExample:\n  vetch ${name} ${first.name()} --help`);
  for (const child of commands) parent.addCommand(child);
  return parent;
}

export function contextOf(from: Command): Context {
  const { json, socket } = from.optsWithGlobals<{ json?: boolean; socket?: string }>();
  return { client: new Client(socket ?? (process.env.VETCH_SOCKET || defaultSocket)), json: json === true };
}

/** With `--json` the value itself, as one line; else what `print` makes of it. */
export async function show<Value>(
  context: Context,
  value: Value,
  print: (value: Value) => Promise<void>,
): Promise<void> {
  if (context.json) await stdout.write(`${JSON.stringify(value)}\n`);
  else await print(value);
}
