import { join } from 'node:path';
import type { Command } from 'commander';
import type { ResolverView } from '../../api/schemas/resolver.ts';
import { Client } from '../client.ts';
import { command, contextOf, defaultResolverDirectory, show } from '../command.ts';
import { exitStatus, Failure } from '../failure.ts';
import { printFields } from '../fields.ts';

export function resolverStatus(): Command {
  return command('status', 'Where the resolver answers, whom it asks, and what it did', 'vetch resolver status --json')
    .option('--run <dir>', 'the directory that it was given', defaultResolverDirectory)
    .action(async ({ run }: { readonly run: string }, self: Command) => {
      const path = join(run, 'resolver.sock');
      const view = await new Client(path).call<ResolverView>('GET', '/status').catch((error: unknown) => {
        if (!(error instanceof Failure) || error.status !== exitStatus.noDaemon) throw error;
        const hint =
          'start it with systemctl start vetch-resolver or vetch resolver run, or name its directory with --run';
        throw new Failure('UNAVAILABLE', `no resolver answers on ${path}`, hint, exitStatus.noDaemon);
      });
      await show(contextOf(self), view, printStatus);
    });
}

async function printStatus(view: ResolverView): Promise<void> {
  await printFields({
    version: view.version,
    daemon:
      view.daemon === 'follows' ? `followed since ${view.since}` : `away since ${view.since}: the last known names`,
    endpoints: view.endpoints,
    gateways: view.gateways.map(({ address, network, error }) => `${address} (${network})${error ? `: ${error}` : ''}`),
    upstreams: view.upstreams,
    queries: Object.entries(view.queries).map(([outcome, count]) => `${outcome} ${count}`),
  });
}
