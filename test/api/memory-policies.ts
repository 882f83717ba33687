import { VetchError } from '../../src/api/error.ts';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import type {
  ApplyPoliciesRequest,
  ExplainRequest,
  ExplainView,
  LabelNamespaceRequest,
  NamespaceView,
  PolicyDocumentView,
  PolicyView,
} from '../../src/api/schemas/policy.ts';
import { type Labels, type PolicyDocument, policyKey } from '../../src/model/policy.ts';
import { PolicyCompiler } from '../../src/policy/compiler.ts';
import { IDENTITY_WORLD } from '../../src/policy/decision.ts';
import { parsePolicies } from '../../src/policy/documents/parse.ts';
import { type ExplainedParty, explain } from '../../src/policy/explain.ts';
import { findDocument } from '../../src/policy/find-document.ts';
import { namespaceLabels } from '../../src/policy/identity/policy-endpoint.ts';
import { documentView, policyView } from '../../src/policy/views.ts';

/** Policy for the endpoints of a host in memory: compiled as on any other, and anew for each question. */
export class MemoryPolicies {
  readonly #documents = new Map<string, PolicyDocument>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #endpoints: () => readonly EndpointView[];

  constructor(endpoints: () => readonly EndpointView[]) {
    this.#endpoints = endpoints;
  }

  apply({ text, file }: ApplyPoliciesRequest): readonly PolicyView[] {
    const documents = parsePolicies(text, file).map((source, i) => ({
      ...source,
      number: this.#documents.size + 1 + i,
    }));
    for (const document of documents) this.#documents.set(policyKey(document), document);
    return documents.map((document) => this.#view(document));
  }

  list(): readonly PolicyView[] {
    return Array.from(this.#documents.values(), (document) => this.#view(document));
  }

  get(ref: string, namespace: string | undefined): PolicyDocumentView {
    return documentView(findDocument(this.#documents.values(), ref, namespace));
  }

  delete(ref: string, namespace: string | undefined): void {
    this.#documents.delete(policyKey(findDocument(this.#documents.values(), ref, namespace)));
  }

  label(name: string, { set, remove }: LabelNamespaceRequest): NamespaceView {
    const all = Object.entries({ ...this.#namespaces.get(name), ...set });
    const labels = Object.fromEntries(all.filter(([key]) => !remove.includes(key)));
    this.#namespaces.set(name, labels);
    return { name, labels: Object.fromEntries(namespaceLabels(name, labels)) };
  }

  explain({ from, to, port }: ExplainRequest): ExplainView {
    const { tables } = this.#compile();
    const party = (ref: string): ExplainedParty => {
      if (ref === 'world') return { identity: IDENTITY_WORLD };
      const at = this.#endpoints().findIndex(({ name, network }) => ref === name || ref === `${network}/${name}`);
      const standing = tables.standings.get(at + 1)?.v4;
      if (standing === undefined)
        throw new VetchError('NOT_FOUND', `there is no endpoint '${ref}'`, 'see vetch endpoint ls');
      return { identity: standing.identity, standing };
    };
    const traffic = { protocol: 6, port: Number(port.split('/')[0]) };
    return explain(tables, (number) => [...this.#documents.values()].find((one) => one.number === number), {
      from: party(from),
      to: party(to),
      traffic,
    });
  }

  #view(document: PolicyDocument): PolicyView {
    const selected = this.#compile().selected(policyKey(document));
    return policyView(
      document,
      selected.map((number) => this.#endpoints()[number - 1]?.name ?? ''),
    );
  }

  #compile(): PolicyCompiler {
    const compiler = new PolicyCompiler({ node: 'a' });
    const endpoints = this.#endpoints().map((endpoint, i) => ({ ...endpoint, number: i + 1, driver: 'bridge' }));
    compiler.update({
      documents: this.#documents,
      namespaces: this.#namespaces,
      endpoints: new Map(endpoints.map((endpoint) => [endpoint.number, endpoint])),
    });
    return compiler;
  }
}
