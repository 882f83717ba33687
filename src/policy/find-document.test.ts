import { expect, test } from 'vitest';
import { findDocument } from './find-document.ts';
import { numbered } from './testing/world.ts';

const documents = numbered(`
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: a}, spec: {}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: b}, spec: {}}
---
{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: web}, spec: {tier: Admin, priority: 1, subject: {namespaces: {}}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: only, namespace: b}, spec: {}}
`);
const find = (ref: string, namespace?: string) => findDocument(documents, ref, namespace).number;

test('a document is found by its name, with its kind or its namespace where the name is not enough', () => {
  expect([find('only'), find('web', 'a'), find('web', 'b')]).toEqual([4, 1, 2]);
  expect([find('cnp/web'), find('ClusterNetworkPolicy/web'), find('networkpolicy/only')]).toEqual([3, 3, 4]);
});

test('what is not there or not clear is refused, with the candidates', () => {
  expect(() => find('web')).toThrow(
    "policy 'web' means ClusterNetworkPolicy web, NetworkPolicy a/web, NetworkPolicy b/web",
  );
  expect(() => find('only', 'a')).toThrow("there is no policy 'only' in namespace a");
  expect(() => find('Pod/web')).toThrow("'Pod' is no kind of policy");
});
