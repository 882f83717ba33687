import { z } from 'zod';
import { enforcementKey } from '../../model/policy.ts';
import { documentName, field, labelKey, labels, namespaceName } from './names.ts';
import { invalid, refused } from './refusal.ts';

/** What Kubernetes' server writes into what it stores: it says nothing about the policy, and is left out. */
const written = {
  creationTimestamp: z.unknown().optional(),
  generation: z.unknown().optional(),
  managedFields: z.unknown().optional(),
  resourceVersion: z.unknown().optional(),
  selfLink: z.unknown().optional(),
  uid: z.unknown().optional(),
};

const annotations = z
  .record(z.string(), z.string(field('text', '"1", in quotes')), field('a mapping', 'example.com/owner: web'))
  .superRefine((map, context) => {
    for (const key of Object.keys(map)) {
      const result = labelKey.safeParse(key);
      if (!result.success) context.addIssue({ code: 'custom', message: result.error.issues[0]?.message, path: [key] });
    }
  });

const common = {
  ...written,
  name: documentName,
  labels: labels.optional(),
  annotations: annotations.optional(),
};

interface Marked {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

function enforcement(metadata: Marked, context: z.core.$RefinementCtx): void {
  for (const map of ['labels', 'annotations'] as const) {
    const value = metadata[map]?.[enforcementKey];
    if (value === undefined || value === 'audit' || value === 'enforce') continue;
    context.addIssue(
      invalid(`${JSON.stringify(value)} is no enforcement`, 'use audit, or enforce', [map, enforcementKey]),
    );
  }
}

const shape = field('a mapping', '{name: allow-web}');

/** Of a document that belongs to a namespace; without one it is `default`, as in Kubernetes. */
export const namespacedMetadata = z
  .strictObject({ ...common, namespace: namespaceName.default('default') }, shape)
  .superRefine(enforcement);

/** Of a document that concerns all namespaces. */
export const clusterMetadata = z
  .strictObject(
    {
      ...common,
      namespace: z.undefined(refused('a ClusterNetworkPolicy has no namespace', 'leave it out')).optional(),
    },
    shape,
  )
  .superRefine(enforcement);
