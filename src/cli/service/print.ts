import type { ServiceView } from '../../api/schemas/service.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<ServiceView>[] = [
  { title: 'NAME', cell: (service) => service.name },
  { title: 'NETWORK', cell: (service) => service.network },
  { title: 'VIP', cell: (service) => service.vip },
  { title: 'PORTS', cell: (service) => service.ports.map(portText).join(',') },
  {
    title: 'SELECT',
    cell: ({ select }) =>
      Object.entries(select)
        .map((pair) => pair.join('='))
        .join(','),
  },
  { title: 'BACKENDS', cell: ({ backends }) => backends.map(backendText).join(' ') || '-' },
];

export function printServices(services: readonly ServiceView[]): Promise<void> {
  return printTable(columns, services);
}

function portText({ port, targetPort, protocol }: ServiceView['ports'][number]): string {
  return `${port === targetPort ? port : `${port}:${targetPort}`}/${protocol}`;
}

function backendText({ endpoint, weight, healthy }: ServiceView['backends'][number]): string {
  return `${endpoint}${weight === 1 ? '' : `*${weight}`}${healthy ? '' : '(unhealthy)'}`;
}
