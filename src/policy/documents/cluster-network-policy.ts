import { z } from 'zod';
import type { ClusterNetworkPolicySpec } from '../../model/policy.ts';
import { cidr, domainName, field, oneOf, portName, portNumber } from './names.ts';
import { invalid, refused, unsupported } from './refusal.ts';
import { labelSelector } from './selector.ts';

/** The specification's limit of every list in a ClusterNetworkPolicy. */
const maxItems = 25;

/** The only label that a node has here. */
export const nodeNameLabel = 'kubernetes.io/hostname';

function exactlyOne(names: string) {
  return (value: object, context: z.core.$RefinementCtx): void => {
    const given = Object.values(value).filter((item) => item !== undefined).length;
    if (given === 1) return;
    context.addIssue(invalid(given === 0 ? `names none of ${names}` : `names more than one of ${names}`, 'give one'));
  };
}

function list<Item extends z.ZodType>(item: Item, example: string) {
  return z
    .array(item, field('a list', example))
    .min(1, refused('is empty', 'give at least one item'))
    .max(maxItems, refused(`has more than ${maxItems} items`, 'make several documents of it'));
}

function distinct<Item extends z.ZodType<string>>(item: Item, example: string) {
  return list(item, example).superRefine((items, context) => {
    for (const [i, value] of items.entries()) {
      if (items.indexOf(value) < i) context.addIssue(invalid(`${value} is there twice`, 'leave one of them out', [i]));
    }
  });
}

const selection = {
  namespaces: labelSelector.optional(),
  pods: z
    .strictObject(
      { namespaceSelector: labelSelector.optional(), podSelector: labelSelector },
      field('a mapping', '{podSelector: {}}'),
    )
    .optional(),
};

const ingressPeer = z
  .strictObject(selection, field('a mapping', '{namespaces: {}}'))
  .superRefine(exactlyOne('namespaces and pods'));

const nodeSelector = labelSelector.superRefine((selector, context) => {
  const keys: [string, PropertyKey[]][] = [
    ...Object.keys(selector.matchLabels ?? {}).map((key): [string, PropertyKey[]] => [key, ['matchLabels', key]]),
    ...(selector.matchExpressions ?? []).map(({ key }, i): [string, PropertyKey[]] => [
      key,
      ['matchExpressions', i, 'key'],
    ]),
  ];
  for (const [key, path] of keys) {
    if (key === nodeNameLabel) continue;
    context.addIssue(
      unsupported(`a node has no label ${key} here`, `select by ${nodeNameLabel}, or all nodes by {}`, path),
    );
  }
});

const egressPeer = z
  .strictObject(
    {
      ...selection,
      nodes: nodeSelector.optional(),
      networks: distinct(cidr, '[10.0.0.0/8]').optional(),
      domainNames: distinct(domainName, '["*.example.com"]').optional(),
    },
    field('a mapping', '{namespaces: {}}'),
  )
  .superRefine(exactlyOne('namespaces, pods, nodes, networks and domainNames'));

const port = z
  .strictObject(
    {
      number: portNumber.optional(),
      range: z
        .strictObject({ start: portNumber, end: portNumber }, field('a mapping', '{start: 8000, end: 8080}'))
        .superRefine(({ start, end }, context) => {
          if (end > start) return;
          context.addIssue(invalid(`${end} is not more than start ${start}`, 'write the higher one there', ['end']));
        })
        .optional(),
    },
    field('a mapping', '{number: 80}'),
  )
  .superRefine(exactlyOne('number and range'));

const ofProtocol = z
  .strictObject({ destinationPort: port }, field('a mapping', '{destinationPort: {number: 80}}'))
  .optional();

const protocol = z
  .strictObject(
    { tcp: ofProtocol, udp: ofProtocol, sctp: ofProtocol, destinationNamedPort: portName.optional() },
    field('a mapping', '{tcp: {destinationPort: {number: 80}}}'),
  )
  .superRefine(exactlyOne('tcp, udp, sctp and destinationNamedPort'));

const rule = {
  name: z.string(field('text', 'allow-dns')).max(100, refused('is too long', 'use at most 100 characters')).optional(),
  action: oneOf(['Accept', 'Deny', 'Pass'], 'an action'),
  protocols: list(protocol, '[{tcp: {destinationPort: {number: 80}}}]').optional(),
};

const ruleShape = field('a mapping', '{action: Deny, ...}');

const ingressRule = z.strictObject({ ...rule, from: list(ingressPeer, '[{namespaces: {}}]') }, ruleShape);

const egressRule = z
  .strictObject({ ...rule, to: list(egressPeer, '[{namespaces: {}}]') }, ruleShape)
  .superRefine(({ action, protocols, to }, context) => {
    for (const [i, peer] of to.entries()) {
      if (peer.domainNames === undefined || action === 'Accept') continue;
      const remedy = 'accept the names, and deny the rest by a rule after it';
      context.addIssue(invalid(`domain names can only be accepted`, remedy, ['to', i, 'domainNames']));
    }
    const portless = to.some(({ nodes, networks, domainNames }) => (nodes ?? networks ?? domainNames) !== undefined);
    const named = (protocols ?? []).findIndex(({ destinationNamedPort }) => destinationNamedPort !== undefined);
    if (!portless || named === -1) return;
    const path = ['protocols', named, 'destinationNamedPort'];
    context.addIssue(
      invalid('nodes, networks and domain names have no named ports', 'give the port as a number', path),
    );
  });

function rules<Rule extends z.ZodType>(item: Rule) {
  return z
    .array(item, field('a list', '[{action: Deny, ...}]'))
    .max(maxItems, refused(`has more than ${maxItems} rules`, 'make several documents of it'))
    .optional();
}

/** The spec of a `policy.networking.k8s.io/v1alpha2` ClusterNetworkPolicy. */
export const clusterNetworkPolicySpec = z.strictObject(
  {
    tier: oneOf(['Admin', 'Baseline'], 'a tier'),
    priority: z
      .int(field('a priority', '100'))
      .min(0, refused('is no priority', 'write 0 to 1000'))
      .max(1000, refused('is no priority', 'write 0 to 1000')),
    subject: ingressPeer,
    ingress: rules(ingressRule),
    egress: rules(egressRule),
  },
  field('a mapping', '{tier: Admin, priority: 100, subject: {namespaces: {}}}'),
) satisfies z.ZodType<ClusterNetworkPolicySpec>;
