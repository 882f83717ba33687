import type { Command } from 'commander';
import type { FlowEnd, FlowView } from '../api/schemas/flow.ts';
import { command, contextOf } from './command.ts';
import { usageFailure } from './failure.ts';
import { colour, stdout } from './terminal.ts';
import { time, wholeNumber } from './values.ts';

interface Flags {
  readonly follow?: boolean;
  readonly last?: number;
  readonly since?: string;
  readonly until?: string;
}

/** Filter flags: what a value is, and what it says. */
const filters = [
  ['verdict', 'V', 'FORWARDED, DROPPED or AUDIT'],
  ['reason', 'R', 'a drop reason, as SPOOFED'],
  ['from', 'REF', 'source: an endpoint, an address, a prefix, label:K=V, world, host'],
  ['to', 'REF', 'destination, likewise'],
  ['port', 'N', 'source or destination port'],
  ['protocol', 'P', 'tcp, udp, sctp, icmp, icmpv6'],
  ['network', 'NAME', 'the network it was seen in'],
] as const;

export function flows(): Command {
  const flows = command(
    'flows',
    'Show flow events: who talked to whom, and what was dropped and why',
    'vetch flows --follow --verdict DROPPED --not --port 53',
  )
    .option('--follow', 'go on with what happens from now on')
    .option('--last <n>', 'only the newest so many', wholeNumber)
    .option('--since <time>', 'RFC 3339, or an age such as 5m', (text) => time(text))
    .option('--until <time>', 'likewise', (text) => time(text))
    .option('--not', 'turns the next filter around');
  const chosen = gatherFilters(flows);
  return flows
    .addHelpText('after', '\nOne flag repeated is OR, different flags are AND.')
    .action(async (flags: Flags, self: Command) => {
      const context = contextOf(self);
      const { follow, last, since, until } = flags;
      const query = { follow: follow ? 'true' : undefined, last, since, until, ...chosen() };
      for await (const flow of context.client.lines<FlowView>('/flows', query)) {
        await stdout.write(context.json ? `${JSON.stringify(flow)}\n` : line(flow));
      }
    });
}

/** Adds the filter flags and `--not`'s effect on the one that follows it; gives what was chosen, once parsed. */
function gatherFilters(flows: Command): () => Readonly<Record<string, readonly string[]>> {
  const chosen: Record<string, string[]> = {};
  let negated = false;
  flows.on('option:not', () => {
    if (negated) throw usageFailure('--not stands twice before one filter', 'give it once, before the filter');
    negated = true;
  });
  for (const [name, placeholder, description] of filters) {
    flows.option(`--${name} <${placeholder}>`, description, (value: string) => {
      const key = negated ? `not.${name}` : name;
      negated = false;
      chosen[key] = [...(chosen[key] ?? []), value];
      return value;
    });
  }
  return () => {
    if (negated) throw usageFailure('--not has no filter after it', 'put the filter that it turns around after it');
    return chosen;
  };
}

function line(flow: FlowView): string {
  const verdict = flow.verdict === 'DROPPED' ? colour(flow.verdict, 'red') : colour(flow.verdict, 'green');
  const reason = flow.reason === null ? '' : ` ${flow.reason}`;
  const flags = flow.tcpFlags.length > 0 ? ` ${flow.tcpFlags.join(',')}` : '';
  const where = flow.network === null ? '' : ` network ${flow.network}`;
  return `${flow.time} ${verdict}${reason} ${end(flow.source)} -> ${end(flow.destination)} ${flow.protocol}${flags}${where}\n`;
}

function end({ ip, port, endpoint }: FlowEnd): string {
  const address = port === null ? ip : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
  return endpoint === null ? address : `${endpoint} (${address})`;
}
