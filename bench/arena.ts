import { join } from 'node:path';
import { createLabCgroup, removeCgroup } from '../test/lab/leftovers.ts';
import { Machine, startHolder } from '../test/lab/machine.ts';
import type { Background } from '../test/lab/process.ts';

/** One end of a cable. */
export interface Plug {
  readonly machine: Machine;
  readonly device: string;
  /** With its prefix length; absent: none, it is a bridge's port. */
  readonly address?: string;
}

/** Machines that have nothing to do with Vetch, for what it is compared with. All of it ends with this process. */
export class Arena implements AsyncDisposable {
  readonly #cgroup = createLabCgroup();
  readonly #machines: Machine[] = [];
  readonly #holders: Background[] = [];

  async machine(name: string): Promise<Machine> {
    const cgroup = join(this.#cgroup, name);
    const holder = await startHolder(name, cgroup);
    this.#holders.push(holder);
    const machine = new Machine(name, { holder: holder.pid, cgroup });
    this.#machines.push(machine);
    return machine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.stop()));
    await Promise.all(this.#holders.map((holder) => holder.stop()));
    await removeCgroup(this.#cgroup);
  }
}

/** Lays a veth pair between two machines. */
export async function cable(a: Plug, b: Plug): Promise<void> {
  await a.machine.ip(`link add ${a.device} type veth peer name ${b.device} netns ${b.machine.place.holder}`);
  for (const { machine, device, address } of [a, b]) {
    const lines = address ? [`address add ${address} dev ${device}`] : [];
    await machine.ip(...lines, `link set ${device} up`);
  }
}
