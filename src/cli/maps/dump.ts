import type { Command } from 'commander';
import type { MapEntryView } from '../../api/schemas/map.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { colour, stdout } from '../terminal.ts';

interface Dump {
  readonly name: string;
  readonly bpftool: string;
  readonly entries: readonly MapEntryView[];
}

export function mapsDump(): Command {
  return command('dump', 'Show the entries of a map, decoded', 'vetch maps dump endpoints')
    .argument('<name>', 'as vetch maps ls has it')
    .action(async (name: string, _: object, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<Dump>('GET', `/maps/${segment(name)}`), printDump);
    });
}

async function printDump(dump: Dump): Promise<void> {
  await stdout.write(`${colour(`# ${dump.bpftool}`, 'dim')}\n`);
  for (const { key, value } of dump.entries) await stdout.write(`${words(key)}: ${words(value)}\n`);
}

/** `network=1 addr=10.88.0.2`; what is inside a field in braces. */
export function words(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, field]) => `${name}=${nested(field)}`)
    .join(' ');
}

function nested(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(nested).join(' ')}]`;
  return typeof value === 'object' && value !== null ? `{${words(value)}}` : String(value);
}
