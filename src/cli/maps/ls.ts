import type { Command } from 'commander';
import type { MapView } from '../../api/schemas/map.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<MapView>[] = [
  { title: 'NAME', cell: (map) => map.name },
  { title: 'TYPE', cell: (map) => map.type },
  { title: 'KEY', right: true, cell: (map) => map.keyBytes },
  { title: 'VALUE', right: true, cell: (map) => map.valueBytes },
  { title: 'ENTRIES', right: true, cell: (map) => map.entries ?? '' },
  { title: 'CAPACITY', right: true, cell: (map) => map.capacity },
  { title: 'WRITER', cell: (map) => map.writer },
  { title: 'THE SAME WITH BPFTOOL', cell: (map) => map.bpftool },
];

export function mapsLs(): Command {
  return command('ls', 'List the BPF maps and how full they are', 'vetch maps ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      const maps = await context.client.call<MapView[]>('GET', '/maps');
      await show(context, maps, (rows) => printTable(columns, rows));
    },
  );
}
