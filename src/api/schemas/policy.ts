import { z } from 'zod';
import { labelKey, reference, textMap } from './common.ts';
import { decidedBy } from './flow.ts';
import type { Immutable } from './immutable.ts';
import { tracePort } from './trace.ts';

/** Of one input of `policy apply`, in characters: ten thousand documents. */
export const maxPolicyText = 16 * 1024 * 1024;

export const applyPoliciesRequest = z.strictObject({
  text: z.string().max(maxPolicyText, `must be at most ${maxPolicyText} characters`).describe('YAML or JSON documents'),
  file: z
    .string()
    .min(1, 'must not be empty')
    .max(4096, 'must be at most 4096 characters')
    .regex(/^\P{Cc}*$/u, 'must not hold control characters')
    .default('<request>')
    .describe('what errors call the text'),
});

/** A namespace of policy: any name that a network or a compose project can have. */
export const namespaceName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/,
    'must begin with a letter or digit and hold at most 128 letters, digits, "_", "." and "-"',
  );

export const policyQuery = z.strictObject({
  namespace: namespaceName.optional().describe('only documents of it'),
});

export const policyView = z.object({
  name: z.string(),
  kind: z.string(),
  namespace: z.string().nullable().describe('null for a ClusterNetworkPolicy'),
  selects: z.array(z.string()).describe('names of endpoints'),
  rules: z.int().describe('of both directions'),
  audit: z.boolean().describe('what it would deny passes, and is told'),
});

/** A document as it was applied. */
export const policyDocumentView = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
});

export const explainRequest = z.strictObject({ from: reference, to: reference, port: tracePort });

const side = {
  verdict: z.enum(['allow', 'deny']),
  decidedBy: decidedBy.nullable().describe('null where no document decides'),
  audit: z.boolean().describe('it passes, and decidedBy is under audit and would deny it'),
};

export const explainView = z.object({
  ...side,
  egress: z.object(side).describe("the sender's documents"),
  ingress: z.object(side).describe("the receiver's documents"),
});

export const labelNamespaceRequest = z.strictObject({
  set: textMap.default({}),
  remove: z.array(labelKey).max(1024).default([]),
});

export const namespaceView = z.object({
  name: z.string(),
  labels: z.record(z.string(), z.string()).describe('with kubernetes.io/metadata.name, which is its name'),
});

export type ApplyPoliciesRequest = Immutable<z.output<typeof applyPoliciesRequest>>;
export type PolicyQuery = Immutable<z.output<typeof policyQuery>>;
export type PolicyView = Immutable<z.output<typeof policyView>>;
export type PolicyDocumentView = Immutable<z.output<typeof policyDocumentView>>;
export type ExplainRequest = Immutable<z.output<typeof explainRequest>>;
export type ExplainView = Immutable<z.output<typeof explainView>>;
export type LabelNamespaceRequest = Immutable<z.output<typeof labelNamespaceRequest>>;
export type NamespaceView = Immutable<z.output<typeof namespaceView>>;
