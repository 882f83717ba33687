import type { PublishedPort } from '../../model/endpoint.ts';
import { type Binding, PortTable } from '../../network/port-table.ts';
import type { PlacedRemote, RemoteChanges } from './remote-table.ts';

/** A port that leads to an endpoint on another host: at each of its addresses, or at none. */
export interface RemotePort {
  readonly placed: PlacedRemote;
  readonly ports: readonly PublishedPort[];
}

/** What a host does with such ports: it has the maps, or what they should be. */
export interface PortDesk {
  /** Whether the same port is published already, at this address or by a wildcard. */
  isTaken(port: PublishedPort): boolean;
  /** Whether the kernel has kept the port for an endpoint on another host all along: nobody can have bound it. */
  isKept(port: PublishedPort): boolean;
  /** Whether the kernel leads there: as a daemon before this one has decided. */
  leads(remote: RemotePort): boolean;
  /** @throws VetchError MAP_FULL: nothing of it stays then */
  enter(remote: RemotePort): void;
  leave(remote: RemotePort): void;
}

interface Missing extends RemotePort {
  readonly reason: string;
}

/**
 * The ports of this host that lead to endpoints on others: all that are published on every host, but for those that
 * something of this host has. Who comes first keeps a port; the others have it as soon as it is free.
 */
export class RemotePorts {
  readonly #hold: (binding: Binding) => Disposable | undefined;
  /** By what they take of this host. */
  #entered = new Map<string, RemotePort>();
  #table = new PortTable();
  readonly #missing = new Map<string, Missing>();

  /** @param hold keeps a port of this host from its processes for a while; undefined: one of them has it */
  constructor(hold: (binding: Binding) => Disposable | undefined) {
    this.#hold = hold;
  }

  /** The endpoint on another host that has what a port of this one would take, for people. */
  holder(binding: Binding): string | undefined {
    return this.#table.holder(binding);
  }

  /** What does not lead there from this host, for people. */
  get warnings(): string[] {
    return Array.from(this.#missing.values(), ({ placed, ports, reason }) => {
      const [{ hostPort, protocol } = { hostPort: 0, protocol: '' }] = ports;
      return `${protocol} port ${hostPort} does not lead to ${nameOf(placed)} from this host: ${reason}`;
    });
  }

  /** Follows all that is on other hosts. @param desk has what this host's own endpoints publish, and nothing else */
  align(all: Iterable<PlacedRemote>, desk: PortDesk): void {
    const former = this.#entered;
    const had = (one: RemotePort) => {
      const before = former.get(bindingsOf(one));
      return before ? before.placed.key === one.placed.key : desk.leads(one);
    };
    this.#entered = new Map();
    this.#table = new PortTable();
    this.#missing.clear();
    const wanted = [...all].flatMap(portsOf).map((one) => ({ one, had: had(one) }));
    for (const { one } of wanted.filter((each) => each.had)) this.#try(one, desk, true);
    for (const { one } of wanted.filter((each) => !each.had)) this.#try(one, desk);
  }

  /** Follows what has changed on other hosts. */
  follow({ come, gone, changed }: Pick<RemoteChanges, 'come' | 'gone' | 'changed'>, desk: PortDesk): void {
    for (const placed of gone) for (const one of portsOf(placed)) this.#drop(one, desk);
    for (const { before, after } of changed) {
      const stays = new Set(portsOf(after).map((one) => bindingsOf(one) + targetOf(one)));
      for (const one of portsOf(before)) if (!stays.has(bindingsOf(one) + targetOf(one))) this.#drop(one, desk);
    }
    for (const placed of [...changed.map(({ after }) => after), ...come]) {
      for (const one of portsOf(placed)) {
        this.#try(one, desk);
      }
    }
    if (gone.length + changed.length > 0) this.retry(desk);
  }

  /** After something of this host has let ports go. */
  retry(desk: PortDesk): void {
    for (const one of [...this.#missing.values()]) this.#try(one, desk);
  }

  /** @param had this host led there before */
  #try({ placed, ports }: RemotePort, desk: PortDesk, had = false): void {
    const one = { placed, ports };
    const reason = this.#takesOver(one) ? undefined : this.#enter(one, desk, had);
    if (reason !== undefined) {
      this.#missing.set(keyOf(one), { ...one, reason });
      return;
    }
    this.#missing.delete(keyOf(one));
    this.#entered.set(bindingsOf(one), one);
    for (const port of ports) {
      this.#table.remove(port);
      this.#table.add(port, nameOf(placed));
    }
  }

  /** It leads there already; or whoever has it has come to another host and has not said so yet on the first one. */
  #takesOver(one: RemotePort): boolean {
    const other = this.#entered.get(bindingsOf(one));
    return other !== undefined && targetOf(other) === targetOf(one);
  }

  /** Why not; undefined: it has. */
  #enter(one: RemotePort, desk: PortDesk, had: boolean): string | undefined {
    const { ports } = one;
    if (ports.some((port) => desk.isTaken(port))) return 'another endpoint has published it';
    const held: Disposable[] = [];
    try {
      for (const port of had || ports.some((one) => desk.isKept(one)) ? [] : ports) {
        const hold = this.#hold(port);
        if (!hold) return 'a process of this host holds it';
        held.push(hold);
      }
      desk.enter(one);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      for (const port of held) port[Symbol.dispose]();
    }
  }

  #drop(one: RemotePort, desk: PortDesk): void {
    this.#missing.delete(keyOf(one));
    const entered = this.#entered.get(bindingsOf(one));
    if (entered?.placed.key !== one.placed.key) return;
    this.#entered.delete(bindingsOf(one));
    for (const port of one.ports) this.#table.remove(port);
    desk.leave(entered);
  }
}

/** Of both families together: a socket that takes both would be in the way of the second one. */
function portsOf(placed: PlacedRemote): RemotePort[] {
  const found = new Map<string, PublishedPort[]>();
  for (const port of placed.remote.ports) {
    // What takes no port of its own host takes none here.
    if (port.scope !== 'cluster' || port.hostPort === 0) continue;
    const text = `${port.protocol} ${port.hostPort} ${port.port}`;
    found.set(text, [...(found.get(text) ?? []), port]);
  }
  return Array.from(found.values(), (ports) => ({ placed, ports }));
}

function nameOf({ network, remote }: PlacedRemote): string {
  return `${network.name}/${remote.name} on host ${remote.node}`;
}

/** What it takes of this host. */
function bindingsOf({ ports }: RemotePort): string {
  return ports.map(({ protocol, hostAddress, hostPort }) => `${protocol} ${hostAddress} ${hostPort}`).join(' ');
}

/** Where it leads, and which way answers take. */
function targetOf({ placed, ports: [first] }: RemotePort): string {
  return ` ${placed.network.number} ${placed.remote.addresses.join(' ')} ${first?.port} ${first?.return}`;
}

function keyOf(one: RemotePort): string {
  return `${one.placed.key} ${bindingsOf(one)}${targetOf(one)}`;
}
