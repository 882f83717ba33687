import { portOf, ports, type Tool } from './path.ts';
import { bulkCpus, pinned } from './pinned.ts';

interface Report {
  readonly error?: string;
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

/** One TCP stream for a second and a half, each end on a CPU of its own: Gb/s received. */
export const bulk: Tool = {
  async serve(machine) {
    const listen = ['-s', '--forceflush', '-p', String(ports.iperf3)];
    const server = machine.spawn(...pinned(bulkCpus.server, 'iperf3', ...listen));
    await server.until(/listening/);
    return server;
  },
  async subject(path) {
    const where = ['-c', path.address, '-p', portOf(path, 'iperf3')];
    const command = pinned(bulkCpus.client, 'iperf3', '--json', '--time', '1.5', ...where);
    return {
      name: path.name,
      async measure() {
        const { stdout, stderr } = await path.client.exec(...command);
        const report = JSON.parse(stdout) as Report;
        if (report.error) throw new Error(`iperf3 over ${path.name}: ${report.error} ${stderr}`);
        return report.end.sum_received.bits_per_second / 1e9;
      },
    };
  },
};
