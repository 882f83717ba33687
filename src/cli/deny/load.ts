import type { Command } from 'commander';
import type { DenyView } from '../../api/schemas/deny.ts';
import { command, contextOf, show } from '../command.ts';
import { Failure } from '../failure.ts';
import { readText } from '../read-text.ts';
import { progress, stdout } from '../terminal.ts';

export function denyLoad(): Command {
  return command(
    'load',
    'Add the prefixes of a file, all or none: one a line, # begins a comment',
    'vetch deny load /etc/vetch/deny.txt',
  )
    .argument('<file>', 'a path, or - for standard input')
    .action(async (file: string, _: object, self: Command) => {
      const context = contextOf(self);
      const lines = prefixLines(readText(file));
      const cidrs = lines.map((line) => line.text);
      if (cidrs.length === 0) throw new Failure('INVALID', `${file} holds no prefix`, 'put one a line');
      await checkLines(file, lines);
      progress(`adding ${cidrs.length} prefixes`);
      let entries: DenyView[];
      try {
        entries = await context.client.call<DenyView[]>('POST', '/deny', {}, { cidrs });
      } finally {
        progress('');
      }
      await show(context, entries, () => stdout.write(`${entries.length} prefixes are on the deny list\n`));
    });
}

interface PrefixLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

export function prefixLines(text: string): PrefixLine[] {
  return text
    .split('\n')
    .map((line, i) => ({ number: i + 1, text: line.replace(/[#;].*$/, '').trim() }))
    .filter((line) => line.text !== '');
}

/** The daemon would name the place in its list; the user wants the line of the file. */
async function checkLines(file: string, lines: readonly PrefixLine[]): Promise<void> {
  const { cidrOrAddress } = await import('../../api/schemas/common.ts');
  for (const { number, text } of lines) {
    if (cidrOrAddress.safeParse(text).success) continue;
    throw new Failure(
      'INVALID',
      `${file} line ${number} is ${JSON.stringify(text)}`,
      'it must be a prefix or an address',
    );
  }
}
