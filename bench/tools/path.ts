import type { Machine } from '../../test/lab/machine.ts';
import type { Background } from '../../test/lab/process.ts';
import type { Subject } from '../measure/interleave.ts';

/** A way from a client to a server, over which something is measured. */
export interface Path {
  readonly name: string;
  readonly client: Machine;
  readonly server: Machine;
  /** What the client connects to. */
  readonly address: string;
  /** What stands before the server's own port where the client connects. Default: nothing, the ports are the same. */
  readonly portOffset?: number;
}

/** The ports that the servers listen on, each tool its own. */
export const ports = { sockperf: 11_111, connections: 11_112, iperf3: 11_113 } as const;

/** The port that a path's client connects to for a tool. */
export function portOf(path: Path, tool: keyof typeof ports): string {
  return String(ports[tool] + (path.portOffset ?? 0));
}

/** A way to measure. */
export interface Tool {
  /** Starts the server; one on a machine serves all the paths that lead there. Whoever starts it stops it. */
  serve(machine: Machine): Promise<Background>;
  /** The measurement over a path whose server runs. */
  subject(path: Path): Promise<Subject>;
}
