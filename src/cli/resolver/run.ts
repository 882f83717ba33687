import type { Command } from 'commander';
import { command, contextOf, defaultResolverDirectory } from '../command.ts';
import { usageFailure } from '../failure.ts';

interface Flags {
  readonly upstream?: readonly string[];
  readonly resolvConf: string;
  readonly run: string;
}

export function resolverRun(): Command {
  return command(
    'run',
    "Answer names on the gateways of networks that no engine manages, and forward the rest to the host's own servers",
    'vetch resolver run --upstream 192.0.2.53',
  )
    .option('--upstream <address>', 'ask this server, ADDRESS or ADDRESS:PORT; repeat for more', gather)
    .option('--resolv-conf <file>', 'else those that this file names', '/etc/resolv.conf')
    .option('--run <dir>', 'its status socket, and the last known names', defaultResolverDirectory)
    .action(async ({ upstream = [], resolvConf, run }: Flags, self: Command) => {
      const { client } = contextOf(self);
      const { runResolver } = await import('../../dns/main.ts');
      const { parseUpstream } = await import('../../dns/resolv-conf.ts');
      const upstreams = upstream.map((text) => {
        const parsed = parseUpstream(text);
        if (!parsed) throw usageFailure(`--upstream is ${text}`, 'it must be an address, as 192.0.2.53 or [::1]:5353');
        return parsed;
      });
      process.exit(
        await runResolver({
          follow: () => client.lines('/names', {}),
          learn: (answer) => client.call('POST', '/names/answers', {}, answer),
          ...{ upstreams, resolvConf, run },
        }),
      );
    });
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
