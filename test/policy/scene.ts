import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import type { Machine } from '../lab/machine.ts';
import { EventWatch } from './events.ts';
import {
  far,
  host as hostParty,
  initially,
  networks,
  outside,
  type Place,
  parties,
  places,
  stranger,
} from './layout.ts';
import { PolicyApi } from './policy-api.ts';
import { Prober } from './prober.ts';
import { after, keyOf, type LabelChange, type State, type Step } from './steps.ts';

/** The layout made real: a host with its daemon, containers, and a prober in each place. */
export class Scene implements AsyncDisposable {
  readonly lab: Lab;
  readonly host: Host;
  readonly api: PolicyApi;
  readonly probers: ReadonlyMap<string, Prober>;
  readonly events: EventWatch;
  #state: State = { situation: initially, parties };

  private constructor(lab: Lab, api: PolicyApi, probers: ReadonlyMap<string, Prober>, events: EventWatch) {
    this.api = api;
    this.lab = lab;
    this.host = lab.host();
    this.probers = probers;
    this.events = events;
  }

  static async create(): Promise<Scene> {
    const lab = await Lab.create({ remotes: ['far'] });
    try {
      const host = lab.host();
      for (const [name, { subnets }] of Object.entries(networks))
        await host.vetch('network', 'create', name, ...subnets.flatMap((subnet) => ['--subnet', subnet]));
      const api = new PolicyApi(host);
      for (const [name, labels] of Object.entries(initially.namespaces)) await api.labelNamespace(name, labels);
      const probers = new Map<string, Prober>();
      const probe = async (
        machine: Machine,
        name: string,
        { 4: address4, 6: address6 }: Readonly<Record<4 | 6, string>>,
      ) => {
        probers.set(name, await Prober.start(machine, name, address4, address6));
      };
      let stray: Machine = host;
      for (const place of [...places, stranger]) {
        const { endpoint } = place;
        const container = await attach(host, place);
        if (place === stranger) stray = container;
        await container.must('ip', 'link', 'set', 'lo', 'up');
        await probe(container, endpoint.name, endpoint.addresses);
      }
      await probe(host, hostParty.name, hostParty.addresses);
      for (const { name, addresses } of [outside, far]) await probe(lab.client(name), name, addresses);
      const crossed = places[0]?.endpoint.addresses[4] ?? '';
      const events = await EventWatch.start(host, () => stray.exec('ping', '-c', '1', '-W', '1', crossed));
      return new Scene(lab, api, probers, events);
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  get state(): State {
    return this.#state;
  }

  /** Does what a user would; when it returns, all of it is enforced. */
  async perform(step: Step): Promise<void> {
    const { situation } = this.#state;
    const next = after(this.#state, step);
    if (step.apply && step.apply.length > 0) await this.api.apply(...step.apply);
    for (const key of step.delete ?? []) {
      const document = [...situation.documents, ...(step.apply ?? [])].find((one) => keyOf(one) === key);
      if (document) await this.api.delete(document);
    }
    for (const [name, change] of Object.entries(step.labelNamespaces ?? {}))
      await this.api.labelNamespace(name, change);
    for (const [name, change] of Object.entries(step.labelEndpoints ?? {})) await this.api.labelEndpoint(name, change);
    this.#state = next;
  }

  /** Back to the beginning: no policies, and the labels of the layout. */
  async reset(): Promise<void> {
    const { situation, parties: now } = this.#state;
    const labelEndpoints: Record<string, LabelChange> = {};
    for (const party of parties) {
      const current = now.find(({ name }) => name === party.name);
      if (party.party !== 'endpoint' || current?.party !== 'endpoint') continue;
      const change = changeBetween(current.labels, party.labels);
      if (change) labelEndpoints[party.name] = change;
    }
    const labelNamespaces: Record<string, LabelChange> = {};
    for (const [name, labels] of Object.entries(situation.namespaces)) {
      const change = changeBetween(labels, initially.namespaces[name] ?? {});
      if (change) labelNamespaces[name] = change;
    }
    await this.perform({ delete: situation.documents.map(keyOf), labelEndpoints, labelNamespaces });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events[Symbol.dispose]();
    this.api[Symbol.dispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}

async function attach(host: Host, { endpoint, labels, publishedAt }: Place): Promise<Machine> {
  const [container] = await host.attach(
    endpoint.network,
    endpoint.name,
    ...Object.values(endpoint.addresses).flatMap((address) => ['--ip', address]),
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    '--publish',
    `${publishedAt}:80`,
  );
  return container;
}

/** What makes `wanted` of `labels`; undefined when they are the same. */
function changeBetween(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): LabelChange | undefined {
  const change: Record<string, string | null> = {};
  for (const key of Object.keys(labels)) if (!(key in wanted)) change[key] = null;
  for (const [key, value] of Object.entries(wanted)) if (labels[key] !== value) change[key] = value;
  return Object.keys(change).length > 0 ? change : undefined;
}
