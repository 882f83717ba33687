import type { Command } from 'commander';
import type { IdentityView } from '../../api/schemas/status.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, pairs, printTable } from '../table.ts';

const columns: readonly Column<IdentityView>[] = [
  { title: 'IDENTITY', right: true, cell: (identity) => identity.identity },
  { title: 'NAME', cell: (identity) => identity.name ?? '' },
  { title: 'LABELS', cell: (identity) => pairs(identity.labels) },
  { title: 'ENDPOINTS', cell: (identity) => identity.endpoints },
];

export function identityLs(): Command {
  return command('ls', 'List the policy identities and who has them', 'vetch identity ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      const identities = await context.client.call<IdentityView[]>('GET', '/identities');
      await show(context, identities, (rows) => printTable(columns, rows));
    },
  );
}
