/** Some hosts of the simulation in one process, which does what its parent asks of them (`Requests`). */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { VetchError } from '../../src/api/error.ts';
import { encoded } from '../../src/maps/codec.ts';
import { endpointKeyCodec } from '../../src/maps/generated/abi.ts';
import { parseAddress, withoutLength } from '../../src/model/address.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { subnetEntries } from '../../src/reconcile/desired/networks.ts';
import { digestOf, type Line, linesOf } from './digest.ts';
import { entryName, Journal, noteMaps, now, policyTurned } from './journal.ts';
import { labelsOf } from './labels.ts';
import type { Answer, Change, Made, Request, Requests } from './protocol.ts';
import { SimulatedHost } from './simulated-host.ts';
import { ThinHost } from './thin-host.ts';

const hosts = new Map<number, SimulatedHost>();
const thinHosts = new Map<number, ThinHost>();
const [journal, heard] = [new Journal(), new Journal()];
let warnings: string[] = [];

/** Endpoints of one network that a host attaches without waiting for etcd; it holds twice as many addresses. */
const burst = 4;

/** Some milliseconds' worth. */
const someLines = 1_000;

const requests: Requests = {
  async start(options, index) {
    const host = await SimulatedHost.start({ ...options, warn: (line) => void warnings.push(line) }, (opened) =>
      noteMaps(journal, index, opened),
    );
    hosts.set(index, host);
    return { milliseconds: host.started, known: host.known };
  },

  async startThin(options, index) {
    heard.add(index);
    const warn = (line: string) => void warnings.push(line);
    thinHosts.set(index, await ThinHost.start({ ...options, warn }));
  },

  async watchThin() {
    for (const [index, host] of thinHosts) await host.watch((key) => heard.note(index, key));
  },

  async fill(from, to, networks) {
    let again = 0;
    const all = [...hosts].map(async ([index, host]) => {
      for (let n = from; n < to; n++) {
        const attach = () => host.attach(networks[(index + n) % networks.length] ?? '', labelsOf(index, n));
        again += await persist(attach);
        // Who runs out of what is held in advance asks etcd at each attach.
        if (n % (burst * networks.length) === 0) await host.context.addresses.settle();
      }
    });
    await Promise.all(all);
    return again;
  },

  async fillThin(index, count, networks) {
    // They are numbered one after the other over all processes.
    await thinHosts.get(index)?.fill(index, index * count, count, networks);
  },

  async reach(total, milliseconds) {
    const late = now() + milliseconds;
    for (const [index, host] of hosts) {
      while (host.known !== total) {
        if (now() > late) throw new Error(`host ${index} knows ${host.known} endpoints of ${total}`);
        await sleep(20);
      }
    }
  },

  async note(isOn) {
    for (const one of [journal, heard]) {
      one.isOn = isOn;
      one.clear();
    }
  },

  change: (index, change) => make(hostAt(index), change),

  async arrivals({ name, record, began }, milliseconds) {
    const maps = await journal.arrivals(name, began, milliseconds);
    return { maps, heard: await heard.arrivals(record, began, milliseconds) };
  },

  async digests() {
    const digests: string[] = [];
    for (const { host } of hosts.values()) {
      const lines: Line[] = [];
      for (const line of linesOf(host)) {
        lines.push(line);
        // Leases of fifty hosts would run out meanwhile.
        if (lines.length % someLines === 0) await setImmediate();
      }
      digests.push(digestOf(lines));
      await setImmediate();
    }
    return digests;
  },

  async passes(count) {
    const passes: { milliseconds: number; repairs: number }[] = [];
    for (const host of [...hosts.values()].slice(0, count)) {
      const began = now();
      const repairs = await host.pass();
      passes.push({ milliseconds: now() - began, repairs });
    }
    return passes;
  },

  async usage(collect) {
    if (collect) globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const said = warnings;
    warnings = [];
    return { memory: rss, heap: heapUsed, cpu: (user + system) / 1e6, warnings: said };
  },

  async stop() {
    await Promise.all([...hosts.values(), ...thinHosts.values()].map((host) => host[Symbol.asyncDispose]()));
  },
};

/** Tries again what was refused, as whoever asks for it does. Gives how often. */
async function persist(work: () => Promise<unknown>): Promise<number> {
  for (let again = 0; ; again++) {
    try {
      await work();
      return again;
    } catch (error) {
      const passes = error instanceof VetchError && (error.code === 'UNAVAILABLE' || error.code === 'ADDRESS_TAKEN');
      if (!passes) throw error;
      await sleep(500);
    }
  }
}

function hostAt(index: number): SimulatedHost {
  const host = hosts.get(index);
  if (!host) throw new Error(`host ${index} is not here`);
  return host;
}

async function make(host: SimulatedHost, change: Change): Promise<Made> {
  const { index } = host.context.state;
  const began = now();
  const made = (name: string, record: string, id = ''): Made => ({ began, ended: now(), name, record, id });
  const endpointRecord = (id: string) => `endpoints/${host.context.options.node}/${id}`;
  switch (change.kind) {
    case 'attach': {
      const endpoint = await host.attach(change.network, change.labels);
      return made(nameOf(host, endpoint), endpointRecord(endpoint.id), endpoint.id);
    }
    case 'detach': {
      const endpoint = index.endpoints.get(change.id);
      const name = endpoint ? nameOf(host, endpoint) : '';
      await host.detach(change.id);
      return made(name, endpointRecord(change.id), change.id);
    }
    case 'label': {
      await host.label(change.id, change.set);
      const endpoint = index.endpoints.get(change.id);
      return made(endpoint ? nameOf(host, endpoint) : '', endpointRecord(change.id), change.id);
    }
    case 'apply':
      await host.applyPolicy(change.text);
      return made(policyTurned, 'guards/policies');
    case 'unapply':
      await host.deletePolicy(change.name, change.namespace);
      return made(policyTurned, `policies/NetworkPolicy/${change.namespace}/${change.name}`);
    case 'network':
      await host.createNetwork(change.name, change.subnet);
      return made(networkName(host, change.name), 'guards/networks');
    case 'unnetwork': {
      const name = networkName(host, change.name);
      const record = `networks/${index.networkNamed(change.name)?.id}`;
      await host.removeNetwork(change.name);
      return made(name, record);
    }
  }
}

/** What the journals call an endpoint's entry. */
function nameOf({ context }: SimulatedHost, endpoint: Endpoint): string {
  const network = context.state.networkOf(endpoint).number;
  const addr = parseAddress(withoutLength(endpoint.addresses[0] ?? ''));
  return entryName('endpoints', encoded(endpointKeyCodec, { network, addr }));
}

function networkName({ context }: SimulatedHost, name: string): string {
  const network = context.state.index.networkNamed(name);
  const [entry] = network ? [...subnetEntries(network)] : [];
  return entry ? entryName('subnets', entry.key) : '';
}

process.on('message', ({ id, name, parameters }: Request) => {
  const request = requests[name] as (...all: readonly unknown[]) => Promise<unknown>;
  const say = (answer: Answer) => void process.send?.(answer);
  request(...parameters).then(
    (result) => say({ id, result }),
    (error: unknown) => say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
// Its parent is gone, or was before this came so far. In order it would not end: the stores wait for their threads.
const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
if (!process.connected) end();
