import { z } from 'zod';
import { parsePrefix, prefixHolds } from '../../model/address.ts';
import type { NetworkPolicySpec } from '../../model/policy.ts';
import { maxRules } from '../decision.ts';
import { cidr, field, oneOf, portName, portNumber } from './names.ts';
import { invalid, refused } from './refusal.ts';
import { labelSelector } from './selector.ts';

const ipBlock = z
  .strictObject(
    { cidr, except: z.array(cidr, field('a list', '[10.1.0.0/16]')).optional() },
    field('a mapping', '{cidr: 10.0.0.0/8}'),
  )
  .superRefine((block, context) => {
    for (const [i, except] of (block.except ?? []).entries()) {
      if (isStrictlyInside(except, block.cidr)) continue;
      const what = `${except} is not inside of ${block.cidr}`;
      context.addIssue(invalid(what, 'except only what is a part of the cidr', ['except', i]));
    }
  });

/** False too where one of them is no prefix, which is told of itself. */
function isStrictlyInside(inner: string, outer: string): boolean {
  try {
    const [part, whole] = [parsePrefix(inner), parsePrefix(outer)];
    return part.prefixLength > whole.prefixLength && prefixHolds(whole, part.address);
  } catch {
    return false;
  }
}

const peer = z
  .strictObject(
    { podSelector: labelSelector.optional(), namespaceSelector: labelSelector.optional(), ipBlock: ipBlock.optional() },
    field('a mapping', '{podSelector: {matchLabels: {app: web}}}'),
  )
  .superRefine((value, context) => {
    const selects = value.podSelector !== undefined || value.namespaceSelector !== undefined;
    if (value.ipBlock !== undefined && selects) {
      context.addIssue(invalid('an ipBlock stands alone', 'make two peers of it', ['ipBlock']));
    } else if (value.ipBlock === undefined && !selects) {
      context.addIssue(invalid('names no peer', 'give podSelector, namespaceSelector or ipBlock'));
    }
  });

const port = z
  .strictObject(
    {
      protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'a protocol').optional(),
      port: z
        .unknown()
        .transform((value, context) => {
          const result = (typeof value === 'string' ? portName : portNumber).safeParse(value);
          if (result.success) return result.data;
          context.addIssue({ code: 'custom', message: result.error.issues[0]?.message, input: value });
          return z.NEVER;
        })
        .optional(),
      endPort: portNumber.optional(),
    },
    field('a mapping', '{protocol: TCP, port: 80}'),
  )
  .superRefine(({ port: first, endPort }, context) => {
    if (endPort === undefined) return;
    const remedy = 'give the first port as a number in port';
    if (first === undefined) context.addIssue(invalid('a range needs its first port', remedy, ['endPort']));
    else if (typeof first === 'string') context.addIssue(invalid('a named port has no range', remedy, ['endPort']));
    else if (endPort < first) {
      context.addIssue(invalid(`${endPort} is less than port ${first}`, 'write the higher one there', ['endPort']));
    }
  });

const peers = z.array(peer, field('a list', '[{podSelector: {}}]')).optional();
const ports = z.array(port, field('a list', '[{port: 80}]')).optional();

function rules<Rule extends z.ZodType>(rule: Rule) {
  return z
    .array(rule, field('a list', '[{}]'))
    .max(maxRules, refused(`a document has at most ${maxRules} rules in a direction`, 'make several documents of it'))
    .optional();
}

const ruleShape = field('a mapping', '{} for everything');

/** The spec of a `networking.k8s.io/v1` NetworkPolicy. */
export const networkPolicySpec = z.strictObject(
  {
    podSelector: labelSelector.optional(),
    policyTypes: z
      .array(oneOf(['Ingress', 'Egress'], 'a policy type'), field('a list', '[Ingress, Egress]'))
      .max(2, refused('there are two policy types', 'use Ingress and Egress'))
      .optional(),
    ingress: rules(z.strictObject({ from: peers, ports }, ruleShape)),
    egress: rules(z.strictObject({ to: peers, ports }, ruleShape)),
  },
  field('a mapping', '{podSelector: {}}'),
) satisfies z.ZodType<NetworkPolicySpec>;
