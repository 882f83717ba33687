import { z } from 'zod';
import { VetchError } from '../../api/error.ts';
import { type PolicySource, policyKey } from '../../model/policy.ts';
import { apiVersions, qualified } from './api-versions.ts';
import { clusterNetworkPolicySpec } from './cluster-network-policy.ts';
import { type LocatedDocument, parseLocatedYaml } from './located-yaml.ts';
import { clusterMetadata, namespacedMetadata } from './metadata.ts';
import { networkPolicySpec } from './network-policy.ts';
import { refusal, refusalOf } from './refusal.ts';

const envelope = { apiVersion: z.string(), status: z.unknown().optional() };

const networkPolicy = z
  .strictObject({
    ...envelope,
    kind: z.literal('NetworkPolicy'),
    metadata: namespacedMetadata,
    spec: networkPolicySpec,
  })
  .transform(
    ({ kind, metadata: { name, namespace, labels = {}, annotations = {} }, spec }): PolicySource => ({
      kind,
      namespace,
      name,
      labels,
      annotations,
      spec,
    }),
  );

const clusterNetworkPolicy = z
  .strictObject({
    ...envelope,
    kind: z.literal('ClusterNetworkPolicy'),
    metadata: clusterMetadata,
    spec: clusterNetworkPolicySpec,
  })
  .transform(
    ({ kind, metadata: { name, labels = {}, annotations = {} }, spec }): PolicySource => ({
      kind,
      namespace: '',
      name,
      labels,
      annotations,
      spec,
    }),
  );

/**
 * The policy documents of a YAML stream, in its order.
 *
 * @param file what the text is called in errors: a path, or `<stdin>`
 * @throws VetchError INVALID or UNSUPPORTED: `file:line: path.to[0].field: what`, of the first thing that is wrong
 */
export function parsePolicies(text: string, file: string): PolicySource[] {
  const sources: PolicySource[] = [];
  const lines = new Map<string, number>();
  for (const document of parseLocatedYaml(text, file)) {
    const source = parseOne(document, file);
    const key = policyKey(source);
    const before = lines.get(key);
    if (before !== undefined) {
      const what = `${source.kind} ${qualified(source)} is there twice, first in line ${before}; leave one of them out`;
      throw refusal('INVALID', file, document, ['metadata', 'name'], what);
    }
    lines.set(key, document.line(['metadata', 'name']));
    sources.push(source);
  }
  if (sources.length > 0) return sources;
  throw new VetchError('INVALID', `${file}: there is no document in it`, 'give at least one policy document');
}

function parseOne(document: LocatedDocument, file: string): PolicySource {
  const result = schemaOf(document, file).safeParse(document.data, { reportInput: true });
  if (result.success) return result.data;
  throw refusalOf(result.error, file, document);
}

function schemaOf(document: LocatedDocument, file: string): z.ZodType<PolicySource> {
  const remedy = `give ${Object.entries(apiVersions)
    .map(([kind, version]) => `${kind} of ${version}`)
    .join(' or ')}`;
  const refuse = (path: string[], what: string): never => {
    throw refusal('INVALID', file, document, path, `${what}; ${remedy}`);
  };
  const { data } = document;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return refuse([], 'this is not a document');
  const kind: unknown = Reflect.get(data, 'kind');
  const version: unknown = Reflect.get(data, 'apiVersion');
  if (kind === undefined) return refuse(['kind'], 'is missing');
  if (kind !== 'NetworkPolicy' && kind !== 'ClusterNetworkPolicy') {
    return refuse(['kind'], `${JSON.stringify(kind)} is no kind of policy`);
  }
  if (version !== apiVersions[kind]) {
    return refuse(
      ['apiVersion'],
      version === undefined ? 'is missing' : `${JSON.stringify(version)} has no ${kind} here`,
    );
  }
  return kind === 'NetworkPolicy' ? networkPolicy : clusterNetworkPolicy;
}
