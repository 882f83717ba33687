import { setTimeout as sleep } from 'node:timers/promises';
import { type EtcdLoad, loadBetween } from './etcd-load.ts';
import { now } from './journal.ts';
import { labelsOf, policyOf } from './labels.ts';
import type { Change, Made } from './protocol.ts';
import { type Quantiles, quantilesOf } from './quantiles.ts';
import { patience, type Simulation } from './simulation.ts';

/** Of changes of one kind, one after the other. Milliseconds. */
export interface ChangeFigures {
  /** Until whoever asked for it has the answer. */
  readonly answered: Quantiles;
  /** Until it is in the maps of one host, of all. */
  readonly each: Quantiles;
  /** Until it is in the maps of the last host. */
  readonly all: Quantiles;
  /** Until the last thin host has heard of it; absent: there are none. */
  readonly heard?: Quantiles;
  /** Milliseconds of CPU that one takes a whole host, whoever makes it. */
  readonly hostCpu: number;
  /** What etcd did for one. */
  readonly etcd: EtcdLoad;
}

export const changeKinds = ['attach', 'label', 'detach', 'apply', 'unapply', 'network', 'unnetwork'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** Hosts that make changes one after the other are so far apart. */
const stride = 7;

/** Milliseconds in which what a change has begun ends: addresses that are taken and given back behind it. */
const rest = 300;

/** What etcd does a second while nothing changes. */
export async function measureIdle(simulation: Simulation, seconds: number): Promise<EtcdLoad> {
  const before = await simulation.etcdState();
  await sleep(seconds * 1_000);
  return loadBetween(before, await simulation.etcdState(), seconds);
}

/**
 * Makes `count` changes of each kind, from one host after the other; of networks a tenth. The simulation ends as it began.
 *
 * @param idle what etcd does by itself, which is no change's
 */
export async function measureChanges(
  simulation: Simulation,
  count: number,
  idle: EtcdLoad,
): Promise<Record<ChangeKind, ChangeFigures>> {
  const [network = ''] = simulation.networks;
  const ids: string[] = [];
  const numbers = Array.from({ length: count }, (_, i) => i);
  const few = numbers.slice(0, Math.max(1, Math.floor(count / 10)));
  const subnet = (i: number) => `10.${40 + (i >> 8)}.${i & 255}.0/24`;
  const attach = await series(simulation, idle, numbers, (i) => {
    return { kind: 'attach', network, labels: labelsOf(i, i) };
  });
  ids.push(...attach.made.map(({ id }) => id));
  const id = (i: number) => ids[i] ?? '';
  const label = await series(simulation, idle, numbers, (i) => {
    return { kind: 'label', id: id(i), set: { app: `app${(i + 1) % 2}`, tier: 'changed' } };
  });
  const detach = await series(simulation, idle, numbers, (i) => ({ kind: 'detach', id: id(i) }));
  const apply = await series(simulation, idle, numbers, (i) => {
    return { kind: 'apply', text: policyOf(`extra${i}`, network, 'front', 'data', 9_000 + i) };
  });
  const unapply = await series(simulation, idle, numbers, (i) => {
    return { kind: 'unapply', name: `extra${i}`, namespace: network };
  });
  const made = await series(simulation, idle, few, (i) => ({ kind: 'network', name: `more${i}`, subnet: subnet(i) }));
  const removed = await series(simulation, idle, few, (i) => ({ kind: 'unnetwork', name: `more${i}` }));
  const all = { attach, label, detach, apply, unapply, network: made, unnetwork: removed };
  return Object.fromEntries(changeKinds.map((kind) => [kind, all[kind].figures])) as Record<ChangeKind, ChangeFigures>;
}

async function series(
  simulation: Simulation,
  idle: EtcdLoad,
  numbers: readonly number[],
  change: (i: number) => Change,
): Promise<{ readonly figures: ChangeFigures; readonly made: readonly Made[] }> {
  await simulation.all((process) => process.ask('note', true));
  const [made, each, all, heard]: [Made[], number[], number[], number[]] = [[], [], [], []];
  const began = now();
  const before = await simulation.etcdState();
  const cpuBefore = await simulation.cpuOfWhole();
  for (const i of numbers) {
    const arrival = await simulation.spread(i * stride, change(i));
    made.push(arrival.made);
    for (const milliseconds of arrival.maps) each.push(milliseconds);
    all.push(Math.max(...arrival.maps));
    if (arrival.heard.length > 0) heard.push(Math.max(...arrival.heard));
  }
  await sleep(rest);
  const load = loadBetween(before, await simulation.etcdState(), numbers.length);
  const hostCpu = (1_000 * ((await simulation.cpuOfWhole()) - cpuBefore)) / numbers.length / simulation.hosts;
  const secondsEach = (now() - began) / 1_000 / numbers.length;
  await simulation.all((process) => process.ask('note', false));
  const own = Object.entries(load).map(([name, value]) => [name, value - idle[name as keyof EtcdLoad] * secondsEach]);
  const answered = quantilesOf(made.map((one) => one.ended - one.began));
  const etcd = Object.fromEntries(own) as EtcdLoad;
  const thin = heard.length > 0 ? { heard: quantilesOf(heard) } : {};
  return { made, figures: { answered, each: quantilesOf(each), all: quantilesOf(all), ...thin, hostCpu, etcd } };
}

/** Of changes that come at a rate, whether or not those before have arrived. */
export interface RateFigures {
  /** Changes a second that were asked for. */
  readonly rate: number;
  readonly each: Quantiles;
  readonly all: Quantiles;
}

/** Attaches endpoints at a rate, and detaches them again. */
export async function measureRate(simulation: Simulation, rate: number, seconds: number): Promise<RateFigures> {
  await simulation.all((process) => process.ask('note', true));
  const networks = simulation.networks;
  const [each, all]: [number[], number[]] = [[], []];
  const follow = async (made: Made) => {
    const { maps } = await simulation.arrivals(made);
    for (const milliseconds of maps) each.push(milliseconds);
    all.push(Math.max(...maps));
    return made;
  };
  const paced = async <T>(numbers: readonly T[], one: (item: T, i: number) => Promise<Made>): Promise<Made[]> => {
    const began = now();
    const running: Promise<Made>[] = [];
    for (const [i, item] of numbers.entries()) {
      await sleep(Math.max(0, began + (i * 1_000) / rate - now()));
      running.push(one(item, i).then(follow));
    }
    return Promise.all(running);
  };
  const numbers = Array.from({ length: Math.floor((rate * seconds) / 2) }, (_, i) => i);
  const made = await paced(numbers, (i) => {
    const network = networks[i % networks.length] ?? '';
    return simulation.change(i * stride, { kind: 'attach', network, labels: labelsOf(i, i) });
  });
  await paced(made, ({ id }, i) => simulation.change(i * stride, { kind: 'detach', id }));
  await simulation.all((process) => process.ask('note', false));
  return { rate, each: quantilesOf(each), all: quantilesOf(all) };
}

export interface FillFigures {
  /** Until the whole hosts had attached theirs, and until all whole hosts had all endpoints. */
  readonly attachedSeconds: number;
  readonly seconds: number;
  /** How often an address was asked of etcd, which did not answer in time, and asked for again. */
  readonly again: number;
  /** What etcd did for one endpoint. */
  readonly etcd: EtcdLoad;
}

/** What whole hosts are to follow in one go, all of them together: some seconds' worth of two processors. */
const atOnce = 200_000;

/**
 * All whole hosts attach at once, as fast as they can, their share, or as much of it as they can follow in one go, and so on;
 * then one thin host after the other, as fast as the whole ones follow.
 */
export async function measureFill(simulation: Simulation): Promise<FillFigures> {
  const { endpoints, hosts } = simulation.options;
  const before = await simulation.etcdState();
  const began = now();
  let [attached, again, total] = [began, 0, 0];
  const reach = () => simulation.all((process) => process.ask('reach', total, patience));
  const portion = Math.max(1, Math.floor(atOnce / simulation.hosts ** 2));
  for (let from = 0; from < endpoints / hosts; from += portion) {
    const to = Math.min(endpoints / hosts, from + portion);
    const refused = await simulation.all((process) => process.ask('fill', from, to, simulation.networks));
    attached = now();
    again += refused.reduce((sum, one) => sum + one, 0);
    total = simulation.hosts * to;
    await reach();
  }
  for (const { process, index } of simulation.thinHosts) {
    await process.ask('fillThin', index, endpoints / hosts, simulation.networks);
    total += endpoints / hosts;
    await reach();
  }
  const reached = now();
  await simulation.all((process) => process.ask('watchThin'));
  await sleep(rest);
  const etcd = loadBetween(before, await simulation.etcdState(), endpoints);
  return { attachedSeconds: (attached - began) / 1_000, seconds: (reached - began) / 1_000, again, etcd };
}

export interface FailureFigures {
  readonly endpoints: number;
  /** Until the first and the last of its endpoints was gone from the last host. Seconds. */
  readonly first: number;
  readonly last: number;
}

/** One more host joins, and dies with endpoints. */
export async function measureCold(simulation: Simulation, endpoints: number) {
  const process = simulation.addProcess();
  const cold = await simulation.addHost(process);
  const { memory, heap, cpu } = await process.ask('usage', true);
  const host = simulation.hosts - 1;
  const made: Made[] = [];
  await simulation.all((one) => one.ask('note', true));
  const [network = ''] = simulation.networks;
  for (let i = 0; i < endpoints; i++) {
    made.push((await simulation.spread(host, { kind: 'attach', network, labels: labelsOf(host, i) })).made);
  }
  const began = now();
  await simulation.kill(process);
  const gone = await Promise.all(made.map((one) => simulation.arrivals({ ...one, began })));
  await simulation.all((one) => one.ask('note', false));
  const last = gone.map(({ maps, heard }) => Math.max(...maps, ...heard) / 1_000);
  const failure: FailureFigures = { endpoints, first: Math.min(...last), last: Math.max(...last) };
  return { cold: { ...cold, memory, heap, cpu }, failure };
}
