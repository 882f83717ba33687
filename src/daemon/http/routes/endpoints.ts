import { z } from 'zod';
import { attachEndpointRequest, endpointView, labelEndpointRequest } from '../../../api/schemas/endpoint.ts';
import { learnAnswerRequest, learnedView, nameEvent, openedView } from '../../../api/schemas/names.ts';
import { route } from '../route.ts';
import { jsonLines } from '../stream.ts';

export const endpointRoutes = [
  route({
    method: 'POST',
    path: '/endpoints',
    operation: 'attachEndpoint',
    summary: 'Attach a sandbox to a network',
    body: attachEndpointRequest,
    response: endpointView,
    status: 201,
    handle: (operations, { body }) => operations.attachEndpoint(body),
  }),
  route({
    method: 'GET',
    path: '/endpoints',
    operation: 'listEndpoints',
    summary: 'List the endpoints',
    response: z.array(endpointView),
    handle: (operations) => operations.listEndpoints(),
  }),
  route({
    method: 'GET',
    path: '/endpoints/{ref}',
    operation: 'inspectEndpoint',
    summary: 'Show an endpoint',
    response: endpointView,
    handle: (operations, { ref }) => operations.inspectEndpoint(ref),
  }),
  route({
    method: 'PATCH',
    path: '/endpoints/{ref}/labels',
    operation: 'labelEndpoint',
    summary: 'Set and remove labels of an endpoint',
    body: labelEndpointRequest,
    response: endpointView,
    handle: (operations, { ref, body }) => operations.labelEndpoint(ref, body),
  }),
  route({
    method: 'DELETE',
    path: '/endpoints/{ref}',
    operation: 'detachEndpoint',
    summary: 'Detach an endpoint',
    handle: (operations, { ref }) => operations.detachEndpoint(ref),
  }),
  route({
    method: 'GET',
    path: '/names',
    operation: 'followNames',
    summary: 'What the resolver answers with: all of it, then "synced", then each change, one a line',
    response: nameEvent,
    kind: 'lines',
    handle: async (operations, { signal }) => jsonLines(operations.followNames(signal)),
  }),
  route({
    method: 'POST',
    path: '/names/answers',
    operation: 'learnAnswer',
    summary: 'Open what policy lets an endpoint reach by the name of an answer, before it is given',
    body: learnAnswerRequest,
    response: openedView,
    handle: (operations, { body }) => operations.learnAnswer(body),
  }),
  route({
    method: 'GET',
    path: '/names/learned',
    operation: 'listLearned',
    summary: 'List the addresses that answers have opened to endpoints',
    response: z.array(learnedView),
    handle: (operations) => operations.listLearned(),
  }),
];
