import type { Command } from 'commander';
import type { ExplainView } from '../../api/schemas/policy.ts';
import { command, contextOf, show } from '../command.ts';
import { colour, stdout } from '../terminal.ts';
import { deciderText } from './print.ts';

interface Flags {
  readonly from: string;
  readonly to: string;
  readonly port: string;
}

export function policyExplain(): Command {
  return command(
    'explain',
    'Whether policy lets traffic pass, and which document and rule decide',
    'vetch policy explain --from shop/web --to shop/db --port 5432/tcp',
  )
    .requiredOption('--from <ref>', 'who begins it: an endpoint, world, host, or an address')
    .requiredOption('--to <ref>', 'who it is for')
    .requiredOption('--port <port>', 'destination port, as 80/tcp, or icmp')
    .action(async ({ from, to, port }: Flags, self: Command) => {
      const context = contextOf(self);
      const view = await context.client.call<ExplainView>('POST', '/policies/explain', {}, { from, to, port });
      await show(context, view, printExplanation);
    });
}

async function printExplanation(view: ExplainView): Promise<void> {
  for (const name of ['egress', 'ingress'] as const) {
    const { verdict, audit, decidedBy } = view[name];
    await stdout.write(`${name.padEnd(7)}  ${audit ? 'audit' : verdict}  ${deciderText(decidedBy)}\n`);
  }
  await stdout.write(`${colour(view.verdict, view.verdict === 'deny' ? 'red' : 'green')}\n`);
}
