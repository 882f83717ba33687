import { z } from 'zod';
import {
  applyPoliciesRequest,
  explainRequest,
  explainView,
  labelNamespaceRequest,
  maxPolicyText,
  namespaceView,
  policyDocumentView,
  policyQuery,
  policyView,
} from '../../../api/schemas/policy.ts';
import { route } from '../route.ts';

export const policyRoutes = [
  route({
    method: 'POST',
    path: '/policies',
    operation: 'applyPolicies',
    summary: 'Add or replace policy documents, all or none; the answer has those that were given',
    body: applyPoliciesRequest,
    response: z.array(policyView),
    // As JSON a line end takes two characters.
    bodyLimit: 2 * maxPolicyText,
    handle: (operations, { body }) => operations.applyPolicies(body),
  }),
  route({
    method: 'GET',
    path: '/policies',
    operation: 'listPolicies',
    summary: 'List the policy documents',
    response: z.array(policyView),
    handle: (operations) => operations.listPolicies(),
  }),
  route({
    method: 'GET',
    path: '/policies/{ref}',
    operation: 'getPolicy',
    summary: 'Show a policy document as it was applied: by NAME or KIND/NAME',
    query: policyQuery,
    response: policyDocumentView,
    handle: (operations, { ref, query }) => operations.getPolicy(ref, query.namespace),
  }),
  route({
    method: 'DELETE',
    path: '/policies/{ref}',
    operation: 'deletePolicy',
    summary: 'Delete a policy document: by NAME or KIND/NAME',
    query: policyQuery,
    handle: (operations, { ref, query }) => operations.deletePolicy(ref, query.namespace),
  }),
  route({
    method: 'POST',
    path: '/policies/explain',
    operation: 'explainPolicy',
    summary: 'Say whether policy lets traffic pass, and which document and rule decide',
    body: explainRequest,
    response: explainView,
    handle: (operations, { body }) => operations.explainPolicy(body),
  }),
  route({
    method: 'PATCH',
    path: '/namespaces/{ref}/labels',
    operation: 'labelNamespace',
    summary: "Set and remove labels of one of policy's namespaces",
    body: labelNamespaceRequest,
    response: namespaceView,
    handle: (operations, { ref, body }) => operations.labelNamespace(ref, body),
  }),
];
