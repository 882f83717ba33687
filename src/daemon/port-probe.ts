import { VetchError } from '../api/error.ts';
import { type BoundPort, probeBind } from '../loader/ffi/probe-bind.ts';
import { KernelError } from '../loader/kernel-error.ts';
import { familyOf, parseAddress } from '../model/address.ts';
import type { Binding } from '../network/port-table.ts';

/** Somebody has it; or a bind hook, ours or another tool's, keeps it for somebody. */
const taken = ['EADDRINUSE', 'EPERM'];

/**
 * Proves that host ports are free by binding them, and holds them until it is disposed of: nobody else can take one
 * between the proof and the publish.
 */
export class PortProbe implements Disposable {
  readonly #held: BoundPort[] = [];

  /** For `allocatePorts`. @throws VetchError INVALID: the host does not have the address; UNAVAILABLE: we may not */
  isFree({ protocol, hostAddress, hostPort }: Binding): boolean {
    try {
      const bound = probeBind({ protocol, address: parseAddress(hostAddress), port: hostPort });
      if (bound) this.#held.push(bound);
      return true;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      if (taken.includes(error.code)) return false;
      if (error.code === 'EACCES') {
        const message = `the daemon may not bind port ${hostPort} of ${hostAddress}`;
        throw new VetchError('UNAVAILABLE', message, 'run it with CAP_NET_BIND_SERVICE', { cause: error });
      }
      // IPv6 may be off, or on without a route; nobody can hold a wildcard port of it then.
      if (error.code === 'EAFNOSUPPORT') return true;
      throw new VetchError(
        'INVALID',
        `cannot publish on ${hostAddress}:${hostPort}: ${error.message}`,
        'name an address of this host, or none for all of them',
        { cause: error },
      );
    }
  }

  [Symbol.dispose](): void {
    for (const bound of this.#held.splice(0)) bound.close();
  }
}

/** Holds a port of this host that is to lead to another one; undefined: somebody has it. */
export function holdPort(binding: Binding): PortProbe | undefined {
  const probe = new PortProbe();
  try {
    if (probe.isFree(binding)) return probe;
  } catch (error) {
    if (!(error instanceof VetchError) || error.code !== 'INVALID') throw error;
    // The address may come to this host later on: then nobody should have the port.
    const hostAddress = familyOf(binding.hostAddress) === 4 ? '0.0.0.0' : '::';
    if (hostAddress !== binding.hostAddress && probe.isFree({ ...binding, hostAddress })) return probe;
  }
  probe[Symbol.dispose]();
  return undefined;
}
