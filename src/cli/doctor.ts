import type { Command } from 'commander';
import type { DoctorCheck } from '../api/schemas/status.ts';
import { command, contextOf, show } from './command.ts';
import { exitStatus } from './failure.ts';
import { colour, stdout } from './terminal.ts';

export function doctor(): Command {
  return command(
    'doctor',
    'Check the host for what would keep the datapath from working; exit status 1 when a check fails',
    'vetch doctor',
  ).action(async (_: object, self: Command) => {
    const context = contextOf(self);
    const checks = await context.client.call<DoctorCheck[]>('GET', '/doctor');
    await show(context, checks, printChecks);
    if (checks.some((check) => !check.ok)) process.exitCode = exitStatus.failed;
  });
}

async function printChecks(checks: readonly DoctorCheck[]): Promise<void> {
  for (const { check, ok, detail, remedy } of checks) {
    const mark = ok ? colour('ok  ', 'green') : colour('FAIL', 'red');
    await stdout.write(`${mark}  ${check}: ${detail}\n`);
    if (remedy !== null) await stdout.write(`      ${colour('remedy:', 'bold')} ${remedy}\n`);
  }
}
