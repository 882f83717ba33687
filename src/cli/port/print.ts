import type { PortView } from '../../api/schemas/port.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<PortView>[] = [
  { title: 'ENDPOINT', cell: (port) => port.endpoint },
  { title: 'NETWORK', cell: (port) => port.network },
  { title: 'PROTOCOL', cell: (port) => port.protocol },
  { title: 'HOST ADDRESS', cell: (port) => port.hostAddress },
  { title: 'HOST PORT', right: true, cell: (port) => (port.hostPort === 0 ? '-' : port.hostPort) },
  { title: 'SCOPE', cell: (port) => `${port.scope ?? 'host'}${port.return === undefined ? '' : `, ${port.return}`}` },
  { title: 'ADDRESS', cell: (port) => port.address },
  { title: 'PORT', right: true, cell: (port) => port.port },
];

export function printPorts(ports: readonly PortView[]): Promise<void> {
  return printTable(columns, ports);
}
