import { stringify } from 'yaml';
import type { Labels, PolicyDocument as SourceDocument } from '../../../src/model/policy.ts';
import { policyKey } from '../../../src/model/policy.ts';
import { PolicyCompiler } from '../../../src/policy/compiler.ts';
import {
  DECISION_AUDIT,
  DECISION_DENY,
  IDENTITY_HOST,
  IDENTITY_WORLD,
  POLICY_EGRESS,
  POLICY_INGRESS,
} from '../../../src/policy/decision.ts';
import { parsePolicies } from '../../../src/policy/documents/parse.ts';
import type { LearnedAddress } from '../../../src/policy/identity/policy-endpoint.ts';
import { identityOfAddress, identityOfLearned, lookUp } from '../../../src/policy/lookup.ts';
import { learnedKey, type Standing } from '../../../src/policy/tables.ts';
import type { PolicyDocument } from '../model/documents.ts';
import type { Answer } from '../model/oracle.ts';
import type { Direction, Endpoint, Party, Question } from '../model/situation.ts';
import type { State } from '../steps.ts';

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132, icmp: 1 } as const;
const addedLabels = ['vetch.io/name', 'vetch.io/network', 'vetch.io/driver'];

/** The compiler, given the same states as the model, one after the other, and asked the same questions. */
export class Compiled {
  readonly #compiler: PolicyCompiler;
  readonly #numbers = new Map<string, number>();
  /** Of outsiders' addresses, as long as the tables stay as they are. */
  readonly #identities = new Map<string, number>();
  #learned: readonly string[] = [];
  #documents = new Map<string, SourceDocument>();
  #namespaces: Readonly<Record<string, Labels>> = {};

  constructor(node: string) {
    this.#compiler = new PolicyCompiler({ node });
  }

  /** Goes from whatever was before to this state, in one update of what differs. */
  become({ situation, parties }: State): void {
    const documents = new Map(parsed(situation.documents).map((document) => [policyKey(document), document]));
    const changed = new Map<string, SourceDocument | undefined>(documents);
    for (const key of this.#documents.keys()) if (!documents.has(key)) changed.set(key, undefined);
    const namespaces = new Map<string, Labels | undefined>(Object.entries(situation.namespaces));
    for (const name of Object.keys(this.#namespaces)) if (!namespaces.has(name)) namespaces.set(name, undefined);
    const endpoints = parties.filter((party) => party.party === 'endpoint');
    const learned = new Map<string, LearnedAddress | undefined>();
    for (const key of this.#learned) learned.set(key, undefined);
    for (const { endpoint, name, address } of situation.answers ?? []) {
      const asker = endpoints.find((one) => one.name === endpoint);
      if (!asker) continue;
      const key = learnedKey(this.#number(asker), address);
      const names = [...(learned.get(key)?.names ?? []), name];
      learned.set(key, { endpoint: this.#number(asker), address, names, expired: false });
    }
    const gone = [...this.#numbers].filter(([name]) => !endpoints.some((endpoint) => endpoint.name === name));
    for (const [name] of gone) this.#numbers.delete(name);
    this.#compiler.update({
      learned,
      documents: changed,
      namespaces,
      endpoints: new Map([
        ...gone.map(([, number]) => [number, undefined] as const),
        ...endpoints.map((endpoint) => [this.#number(endpoint), sourceOf(endpoint, this.#number(endpoint))] as const),
      ]),
      hostAddresses: parties
        .filter(({ party }) => party === 'host')
        .flatMap(({ addresses }) => [addresses[4], addresses[6]]),
    });
    this.#learned = [...learned].flatMap(([key, one]) => (one ? [key] : []));
    this.#identities.clear();
    this.#documents = documents;
    this.#namespaces = situation.namespaces;
  }

  /** Of two endpoints of one network, or of one and an outsider. */
  answer(question: Question): Answer {
    const { from, to } = question;
    const egress = from.party === 'endpoint' ? this.#side(from, to, 'egress', question) : 'allow';
    const ingress = to.party === 'endpoint' ? this.#side(to, from, 'ingress', question) : 'allow';
    const denies: Direction[] = [];
    if (egress === 'deny') denies.push('egress');
    if (ingress === 'deny') denies.push('ingress');
    const audited = denies.length === 0 && (egress === 'audit' || ingress === 'audit');
    return { verdict: denies.length === 0 ? 'allow' : 'deny', denies, audited };
  }

  #side(subject: Endpoint, peer: Party, direction: Direction, { family, protocol, port }: Question) {
    const number = protocol === 'icmp' && family === 6 ? 58 : protocolNumbers[protocol];
    const { tables } = this.#compiler;
    const standing = this.#standing(subject, family);
    const asker = { number: this.#number(subject), standing };
    const isAsked = direction === 'egress' && peer.party === 'world';
    const learned = isAsked ? identityOfLearned(tables, asker, peer.addresses[family]) : undefined;
    const verdict = lookUp(
      tables,
      standing,
      learned ?? this.#identity(peer, family),
      direction === 'egress' ? POLICY_EGRESS : POLICY_INGRESS,
      { protocol: number, port: protocol === 'icmp' ? 0 : port },
    );
    if (verdict?.kind === DECISION_DENY) return 'deny';
    return verdict?.kind === DECISION_AUDIT ? 'audit' : 'allow';
  }

  #identity(party: Party, family: 4 | 6): number {
    if (party.party === 'endpoint') return this.#standing(party, family).identity;
    const address = party.addresses[family];
    const known = this.#identities.get(address);
    if (known !== undefined) return known;
    const otherwise = party.party === 'host' ? IDENTITY_HOST : IDENTITY_WORLD;
    const identity = identityOfAddress(this.#compiler.tables, address, otherwise);
    this.#identities.set(address, identity);
    return identity;
  }

  #standing(endpoint: Endpoint, family: 4 | 6): Standing {
    const standings = this.#compiler.tables.standings.get(this.#number(endpoint));
    if (!standings) throw new Error(`${endpoint.name} has no identity`);
    return family === 4 ? standings.v4 : standings.v6;
  }

  #number({ name }: Endpoint): number {
    const number = this.#numbers.get(name) ?? Math.max(0, ...this.#numbers.values()) + 1;
    this.#numbers.set(name, number);
    return number;
  }
}

/** As the command line reads them. */
function parsed(documents: readonly PolicyDocument[]): SourceDocument[] {
  if (documents.length === 0) return [];
  const yaml = documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join('---\n');
  return parsePolicies(yaml, 'set.yaml').map((source, at) => ({ ...source, number: at + 1 }));
}

function sourceOf({ name, network, labels, addresses }: Endpoint, number: number) {
  const own = Object.fromEntries(Object.entries(labels).filter(([key]) => !addedLabels.includes(key)));
  const driver = labels['vetch.io/driver'] ?? 'bridge';
  return { number, name, network, driver, labels: own, addresses: [addresses[4], addresses[6]] };
}
