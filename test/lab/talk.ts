import type { Machine } from './machine.ts';
import type { Background } from './process.ts';

const programs = new URL('./programs/', import.meta.url).pathname;

export type Transport = 'tcp' | 'udp' | 'sctp';

/** What came back to a client. */
export interface Reply {
  readonly ok: boolean;
  /** `NAME peer=IP,PORT local=IP,PORT bytes=N`, as the server saw it. */
  readonly reply: string | null;
  readonly replyFrom: readonly [address: string, port: number] | null;
  readonly local: readonly [address: string, port: number] | null;
  readonly peer: readonly [address: string, port: number] | null;
  /** errno's name, `timeout`, or `eof` where the connection was closed instead. */
  readonly error: string | null;
  readonly replies: number;
}

/** Starts an echo server on a machine; `::` listens for both families. */
export async function serve(machine: Machine, transport: Transport, port: number, address = '::'): Promise<Background> {
  const server = machine.spawn('python3', `${programs}server.py`, transport, address, String(port), machine.name);
  await server.until(/ready/);
  return server;
}

/** Asks a server once; further `flags` are those of programs/client.py. */
export async function ask(
  machine: Machine,
  transport: Transport,
  address: string,
  port: number,
  ...flags: string[]
): Promise<Reply> {
  const args = [`${programs}client.py`, transport, address, String(port), ...flags];
  const { stdout, stderr } = await machine.exec('python3', ...args);
  if (stdout === '') throw new Error(`${machine.name}: client.py ${args.slice(1).join(' ')} said nothing: ${stderr}`);
  return JSON.parse(stdout) as Reply;
}

/** The exit status of ping: 0 when an answer came. */
export async function ping(machine: Machine, address: string, ...flags: string[]): Promise<number> {
  return (await machine.exec('ping', '-n', '-c', '1', '-W', '2', ...flags, address)).status;
}
