import { type Labels, type PolicyDocument, policyKey } from '../../model/policy.ts';
import { PolicyCompiler, type PolicyCompilerOptions } from '../compiler.ts';
import { IDENTITY_HOST, IDENTITY_WORLD } from '../decision.ts';
import { parsePolicies } from '../documents/parse.ts';
import { type ExplainedParty, type Explanation, explain } from '../explain.ts';
import type { PolicyEndpoint } from '../identity/policy-endpoint.ts';
import { identityOfAddress, identityOfLearned } from '../lookup.ts';
import { protocolNumbers } from '../protocol.ts';
import { learnedKey } from '../tables.ts';

/** The documents of a YAML text, numbered from 1. */
export function numbered(yaml: string, first = 1): PolicyDocument[] {
  return parsePolicies(yaml, 'test.yaml').map((source, i) => ({ ...source, number: first + i }));
}

export function byKey(documents: readonly PolicyDocument[]): Map<string, PolicyDocument> {
  return new Map(documents.map((document) => [policyKey(document), document]));
}

/** A node with endpoints `namespace/name`, that answers who reaches whom. */
export class World {
  readonly compiler: PolicyCompiler;
  readonly #numbers = new Map<string, number>();

  constructor(options: Partial<PolicyCompilerOptions> = {}) {
    this.compiler = new PolicyCompiler({ node: 'node-1', ...options });
    this.compiler.update({ hostAddresses: ['192.168.0.1', 'fd00:f::1'] });
  }

  /** `x/a` is in namespace x, has the labels `pod: a` and these, and the addresses 10.0.0.N and fd00::N. */
  endpoint(ref: string, labels: Labels = {}, rest: Partial<PolicyEndpoint> = {}): this {
    const [namespace = '', name = ''] = ref.split('/');
    const number = this.#numbers.get(ref) ?? this.#numbers.size + 1;
    this.#numbers.set(ref, number);
    const endpoint: PolicyEndpoint = {
      number,
      name,
      network: namespace,
      driver: 'bridge',
      labels: { pod: name, ...labels },
      addresses: [`10.0.0.${number}/24`, `fd00::${number.toString(16)}/64`],
      ...rest,
    };
    this.compiler.update({ endpoints: new Map([[number, endpoint]]) });
    return this;
  }

  remove(ref: string): this {
    const number = this.number(ref);
    this.#numbers.delete(ref);
    this.compiler.update({ endpoints: new Map([[number, undefined]]) });
    return this;
  }

  namespace(name: string, labels: Labels): this {
    this.compiler.update({ namespaces: new Map([[name, labels]]) });
    return this;
  }

  /** These documents and no others. */
  policies(yaml: string): this {
    const documents: Map<string, PolicyDocument | undefined> = byKey(numbered(yaml));
    for (const key of this.compiler.documents.keys()) if (!documents.has(key)) documents.set(key, undefined);
    this.compiler.update({ documents });
    return this;
  }

  number(ref: string): number {
    const number = this.#numbers.get(ref);
    if (number === undefined) throw new Error(`there is no endpoint ${ref}`);
    return number;
  }

  /** Refs are endpoints, `world`, `host`, or an address. `port`: `80/tcp`, or a protocol's number. */
  explain(from: string, to: string, port: string, family: 4 | 6 = 4): Explanation {
    const [digits = '', name] = port.split('/');
    const traffic = name
      ? { port: Number(digits), protocol: protocolNumbers[name as keyof typeof protocolNumbers] }
      : { port: 0, protocol: Number(digits) };
    const sender = this.#party(from, family);
    const query = { from: sender, to: this.#learned(from, sender, to) ?? this.#party(to, family), traffic };
    return explain(this.compiler.tables, (number) => this.compiler.documentNumbered(number), query);
  }

  /** As {@link World.explain}: `allow`, `deny` or `audit`. */
  verdict(from: string, to: string, port = '80/tcp', family: 4 | 6 = 4): string {
    const { verdict, audit } = this.explain(from, to, port, family);
    return audit && verdict === 'allow' ? 'audit' : verdict;
  }

  /** Of all endpoints, who of the others reaches one: their refs. */
  reach(to: string, port = '80/tcp'): string[] {
    return [...this.#numbers.keys()].filter((from) => from !== to && this.verdict(from, to, port) === 'allow');
  }

  /** Whom an endpoint reaches of the others. */
  reached(from: string, port = '80/tcp'): string[] {
    return [...this.#numbers.keys()].filter((to) => from !== to && this.verdict(from, to, port) === 'allow');
  }

  /** An endpoint is told an address for domain names; without names it forgets it. */
  learned(ref: string, address: string, names: readonly string[], expired = false): this {
    const endpoint = this.number(ref);
    const learned = names.length === 0 ? undefined : { endpoint, address, names, expired };
    this.compiler.update({ learned: new Map([[learnedKey(endpoint, address), learned]]) });
    return this;
  }

  #learned(from: string, { standing }: ExplainedParty, to: string): ExplainedParty | undefined {
    if (standing === undefined || !/[.:]/.test(to)) return undefined;
    const identity = identityOfLearned(this.compiler.tables, { number: this.number(from), standing }, to);
    return identity === undefined ? undefined : { identity };
  }

  #party(ref: string, family: 4 | 6): ExplainedParty {
    const { tables } = this.compiler;
    if (ref === 'world') return { identity: IDENTITY_WORLD };
    if (ref === 'host')
      return { identity: identityOfAddress(tables, family === 4 ? '192.168.0.1' : 'fd00:f::1', IDENTITY_HOST) };
    if (!ref.includes('/')) return { identity: identityOfAddress(tables, ref, IDENTITY_WORLD) };
    const standing = tables.standings.get(this.number(ref))?.[family === 4 ? 'v4' : 'v6'];
    if (standing === undefined) throw new Error(`${ref} has no standing`);
    return { identity: standing.identity, standing };
  }
}
