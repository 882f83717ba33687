import type { DenyView } from '../../api/schemas/deny.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<DenyView>[] = [
  { title: 'CIDR', cell: (entry) => entry.cidr },
  { title: 'PACKETS', right: true, cell: (entry) => entry.packets },
];

export function printDeny(entries: readonly DenyView[]): Promise<void> {
  return printTable(columns, entries);
}
