import type { Machine } from '../../test/lab/machine.ts';
import type { Background } from '../../test/lab/process.ts';
import { portOf, ports, type Tool } from './path.ts';
import { latencyCpu, pinned } from './pinned.ts';

const program = new URL('../programs/connections.ts', import.meta.url).pathname;

/** Short enough for a client to need no port twice, and to stay below an endpoint's quota of flows. */
const seconds = 0.6;

/** One process that serves in several network namespaces of a machine, given by their paths; in its own, if there are none. */
export async function serveIn(machine: Machine, namespaces: readonly string[]): Promise<Background> {
  const command = [process.execPath, program, 'server', String(ports.connections), ...namespaces];
  const server = machine.spawn(...pinned(latencyCpu, ...command));
  await server.until(/ready/);
  return server;
}

/** TCP connections a second, each with a byte there and a byte back, client and server on one CPU. */
export const connections: Tool = {
  serve: (machine) => serveIn(machine, []),
  async subject(path) {
    await path.client.sysctl({ 'net/ipv4/ip_local_port_range': '1024 65535' });
    const where = [path.address, portOf(path, 'connections'), String(seconds)];
    const command = pinned(latencyCpu, process.execPath, program, 'client', ...where);
    return {
      name: path.name,
      async measure() {
        const result = JSON.parse(await path.client.must(...command)) as { connections: number; seconds: number };
        return result.connections / result.seconds;
      },
    };
  },
};
