import { BlockList } from 'node:net';
import type { LabelSelector, NamespacedPod } from './documents.ts';
import { type Endpoint, type Family, type Labels, namespaceLabels, type Situation } from './situation.ts';

/** An empty selector selects all; a requirement of `NotIn` is met by who does not have the label. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels[key] !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    if (operator === 'In' && (value === undefined || !values.includes(value))) return false;
    if (operator === 'NotIn' && value !== undefined && values.includes(value)) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

export function selectsNamespaceOf(selector: LabelSelector, endpoint: Endpoint, situation: Situation): boolean {
  return selects(selector, namespaceLabels(situation, endpoint.namespace));
}

/** Both have to select; without a namespace selector it is any namespace. */
export function selectsPod(
  { namespaceSelector = {}, podSelector }: NamespacedPod,
  endpoint: Endpoint,
  situation: Situation,
): boolean {
  return selectsNamespaceOf(namespaceSelector, endpoint, situation) && selects(podSelector, endpoint.labels);
}

/** Whether an address of a family lies in a CIDR; one of the other family does not. */
export function holds(cidr: string, address: string, family: Family): boolean {
  const [base = '', length] = cidr.split('/');
  const isOfFamily = base.includes(':') === (family === 6);
  if (!isOfFamily) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
