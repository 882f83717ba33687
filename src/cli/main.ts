import { CommanderError } from 'commander';
import { exitStatus, type Failure, Failures, failureLine, toFailure, usageFailure } from './failure.ts';
import { createProgram } from './program.ts';
import { quietWhenReaderLeaves } from './terminal.ts';

/** Runs one command line and sets the exit status; output may still be on its way when it returns. */
async function main(argv: readonly string[]): Promise<void> {
  quietWhenReaderLeaves();
  const program = createProgram();
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    // Asked-for help and the version come as an error too; they have been printed.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const failures = failuresOf(error, argv);
    const json = beforeDoubleDash(argv).includes('--json');
    for (const failure of failures) process.stderr.write(`${failureLine(failure, json)}\n`);
    // A daemon that could not start may have left handles open, and they must not keep it alive.
    process.exit(Math.max(...failures.map((failure) => failure.status)));
  }
}

function failuresOf(error: unknown, argv: readonly string[]): readonly Failure[] {
  if (error instanceof Failures) return error.failures;
  return [error instanceof CommanderError ? wrongUsage(error, argv) : toFailure(error)];
}

/** Commander's words on one line; a group without a command has none. */
function wrongUsage(error: CommanderError, argv: readonly string[]): Failure {
  const words: string[] = [];
  let command = createProgram();
  for (const word of beforeDoubleDash(argv)) {
    const child = command.commands.find((one) => one.name() === word);
    if (!child) continue;
    command = child;
    words.push(word);
  }
  const help = ['vetch', ...words, '--help'].join(' ');
  if (error.code === 'commander.help')
    return usageFailure(`${['vetch', ...words].join(' ')} needs a command`, `see ${help}`);
  return usageFailure(error.message.replace(/^error: /, '').replace(/\.$/, ''), `see ${help}`);
}

function beforeDoubleDash(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

process.exitCode = exitStatus.done;
await main(process.argv.slice(2));
