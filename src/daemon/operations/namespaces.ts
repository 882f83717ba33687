import { VetchError } from '../../api/error.ts';
import { type LabelNamespaceRequest, type NamespaceView, namespaceName } from '../../api/schemas/policy.ts';
import { labels as labelsSchema } from '../../policy/documents/names.ts';
import { namespaceLabels, namespaceNameLabel } from '../../policy/identity/policy-endpoint.ts';
import { changeCluster } from '../change-cluster.ts';
import type { PolicyContext } from '../context.ts';
import { enforce } from './policies.ts';

/** Any namespace may be labelled, before anybody is in it too. @throws VetchError INVALID, MAP_FULL */
export function labelNamespace(
  context: PolicyContext,
  name: string,
  request: LabelNamespaceRequest,
): Promise<NamespaceView> {
  check(name, request);
  return changeCluster(context, async () => {
    const { index } = context.state;
    const removed = new Set(request.remove);
    const kept = Object.entries(index.namespaces.get(name) ?? {}).filter(([key]) => !removed.has(key));
    const labels = { ...Object.fromEntries(kept), ...request.set };
    const stored = Object.keys(labels).length > 0 ? labels : undefined;
    await enforce(context, { namespaces: new Map([[name, stored]]) }, (writer) => writer.putNamespace(name, stored));
    index.putNamespace(name, stored);
    return { name, labels: Object.fromEntries(namespaceLabels(name, labels)) };
  });
}

function check(name: string, { set, remove }: LabelNamespaceRequest): void {
  if (!namespaceName.safeParse(name).success) {
    throw new VetchError(
      'INVALID',
      `'${name}' is not the name of a namespace`,
      'use letters, digits, "_", "." and "-", a letter or digit first, at most 128',
    );
  }
  if (Object.hasOwn(set, namespaceNameLabel) || remove.includes(namespaceNameLabel)) {
    throw new VetchError('INVALID', `${namespaceNameLabel} is always the namespace's name`, 'choose another label');
  }
  const result = labelsSchema.safeParse(set);
  if (result.success) return;
  const [what = '', remedy = 'correct it'] = (result.error.issues[0]?.message ?? '').split('; ');
  throw new VetchError('INVALID', what, remedy);
}
