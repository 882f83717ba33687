import { type Path, portOf, ports, type Tool } from './path.ts';
import { bulkCpus, pinned } from './pinned.ts';

interface Report {
  readonly error?: string;
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

/** One TCP stream for a second and a half, each end on a CPU of its own: Gb/s received. Starts the server. */
export async function bulk(path: Path): Promise<Tool> {
  const server = path.server.spawn(
    ...pinned(bulkCpus.server, 'iperf3', '-s', '--forceflush', '-p', String(ports.iperf3)),
  );
  await server.until(/listening/);
  const command = pinned(
    bulkCpus.client,
    ...['iperf3', '--json', '--time', '1.5', '--omit', '0', '-c', path.address, '-p', portOf(path, 'iperf3')],
  );
  return {
    name: path.name,
    server,
    async measure() {
      const { stdout, stderr } = await path.client.exec(...command);
      const report = JSON.parse(stdout) as Report;
      if (report.error) throw new Error(`iperf3 over ${path.name}: ${report.error} ${stderr}`);
      return report.end.sum_received.bits_per_second / 1e9;
    },
  };
}
