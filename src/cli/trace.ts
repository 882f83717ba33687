import type { Command } from 'commander';
import type { TraceView } from '../api/schemas/trace.ts';
import { command, contextOf, show } from './command.ts';
import { usageFailure } from './failure.ts';
import { colour, stdout } from './terminal.ts';

interface Flags {
  readonly from?: string;
  readonly to?: string;
  readonly port?: string;
  readonly packet?: string;
  readonly at?: string;
}

export function trace(): Command {
  return command(
    'trace',
    'What the live programs would do with a packet; nothing is sent',
    'vetch trace --from web/c1 --to web/c2 --port 80/tcp',
  )
    .option('--from <ref>', 'who sends it')
    .option('--to <ref>', 'who it is for')
    .option('--port <port>', 'destination port, as 80/tcp')
    .option('--packet <hex>', 'the packet itself, from its Ethernet header on')
    .option('--at <hook>', 'where it is seen: from_endpoint, from_host, from_lan, from_parent, from_uplink, xdp_uplink')
    .action(async (flags: Flags, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<TraceView>('POST', '/trace', {}, traceInput(flags)), printTrace);
    });
}

function traceInput({ from, to, port, packet, at }: Flags): Readonly<Record<string, string>> {
  const named = from !== undefined || to !== undefined || port !== undefined;
  const raw = packet !== undefined || at !== undefined;
  if (!named && packet !== undefined && at !== undefined) return { packet: packet.replace(/[\s:]/g, ''), at };
  if (!raw && from !== undefined && to !== undefined && port !== undefined) return { from, to, port };
  throw usageFailure('trace needs --from, --to and --port, or --packet and --at', 'see vetch trace --help');
}

async function printTrace(view: TraceView): Promise<void> {
  const width = Math.max(0, ...view.steps.map((step) => step.hook.length));
  for (const { hook, action, detail } of view.steps) {
    await stdout.write(`${hook.padEnd(width)}  ${action}${detail === '' ? '' : `  ${detail}`}\n`);
  }
  const verdict = view.reason === null ? view.verdict : `${view.verdict} (${view.reason})`;
  await stdout.write(`${colour(verdict, view.verdict === 'DROPPED' ? 'red' : 'green')}\n`);
  if (view.packetOut !== null) await stdout.write(`packet out: ${view.packetOut}\n`);
}
