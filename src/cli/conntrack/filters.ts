import type { Command } from 'commander';
import type { Query } from '../client.ts';
import { collect } from '../values.ts';

/** The filters that `ls` and `flush` share. */
export function withFilters(command: Command): Command {
  return command
    .option('--endpoint <ref>', 'either end', collect)
    .option('--from <ref>', 'the end that began the flow', collect)
    .option('--to <ref>', 'the other end', collect)
    .option('--port <number>', 'destination port', collect)
    .option('--protocol <name>', 'tcp, udp, sctp, icmp, icmpv6', collect)
    .option('--network <name>', 'the network it was begun in', collect)
    .option('--state <state>', 'NEW, REPLIED, ESTABLISHED, CLOSING, CLOSED', collect)
    .addHelpText('after', '\nOne flag repeated is OR, different flags are AND.');
}

export function filterQuery(flags: Readonly<Record<string, string[] | undefined>>): Query {
  const { endpoint, from, to, port, protocol, network, state } = flags;
  return { endpoint, from, to, port, protocol, network, state };
}
