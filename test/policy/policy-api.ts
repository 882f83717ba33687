import { stringify } from 'yaml';
import type { ExplainView } from '../../src/api/schemas/policy.ts';
import type { TraceView } from '../../src/api/schemas/trace.ts';
import { Api } from '../lab/api.ts';
import type { Host } from '../lab/host.ts';
import type { PolicyDocument } from './model/documents.ts';
import type { LabelChange } from './steps.ts';

/** A host's policies by its API, without the start of a process for each change. */
export class PolicyApi implements Disposable {
  readonly #api: Api;
  readonly #applied = new Map<string, PolicyDocument>();

  constructor(host: Host) {
    this.#api = new Api(host);
  }

  async apply(...documents: readonly PolicyDocument[]): Promise<void> {
    const text = documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join('---\n');
    await this.#api.call('POST', '/policies', { text, file: 'test.yaml' });
    for (const document of documents) this.#applied.set(pathOf(document), document);
  }

  async delete(document: PolicyDocument): Promise<void> {
    const path = pathOf(document);
    await this.#api.call('DELETE', path);
    this.#applied.delete(path);
  }

  /** Everything that was applied here and is there yet. */
  async deleteAll(): Promise<void> {
    for (const document of [...this.#applied.values()]) await this.delete(document);
  }

  async labelEndpoint(name: string, change: LabelChange): Promise<void> {
    await this.#api.call('PATCH', `/endpoints/${name}/labels`, requestOf(change));
  }

  async labelNamespace(name: string, change: LabelChange): Promise<void> {
    await this.#api.call('PATCH', `/namespaces/${name}/labels`, requestOf(change));
  }

  async explain(from: string, to: string, port: string): Promise<ExplainView> {
    return await this.#api.call('POST', '/policies/explain', { from, to, port });
  }

  async trace(from: string, to: string, port: string): Promise<TraceView> {
    return await this.#api.call('POST', '/trace', { from, to, port });
  }

  [Symbol.dispose](): void {
    this.#api[Symbol.dispose]();
  }
}

function requestOf(change: LabelChange) {
  const entries = Object.entries(change);
  return {
    set: Object.fromEntries(entries.filter(([, value]) => value !== null)),
    remove: entries.filter(([, value]) => value === null).map(([key]) => key),
  };
}

function pathOf({ kind, metadata }: PolicyDocument): string {
  const namespace = 'namespace' in metadata ? `?namespace=${metadata.namespace}` : '';
  return `/policies/${encodeURIComponent(`${kind}/${metadata.name}`)}${namespace}`;
}
