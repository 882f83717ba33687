import { z } from 'zod';
import { createNetworkRequest, networkView } from '../../../api/schemas/network.ts';
import { route } from '../route.ts';

export const networkRoutes = [
  route({
    method: 'POST',
    path: '/networks',
    operation: 'createNetwork',
    summary: 'Create a network',
    body: createNetworkRequest,
    response: networkView,
    status: 201,
    handle: (operations, { body }) => operations.createNetwork(body),
  }),
  route({
    method: 'GET',
    path: '/networks',
    operation: 'listNetworks',
    summary: 'List the networks',
    response: z.array(networkView),
    handle: (operations) => operations.listNetworks(),
  }),
  route({
    method: 'GET',
    path: '/networks/{ref}',
    operation: 'inspectNetwork',
    summary: "Show a network, by its name or an id's prefix",
    response: networkView,
    handle: (operations, { ref }) => operations.inspectNetwork(ref),
  }),
  route({
    method: 'DELETE',
    path: '/networks/{ref}',
    operation: 'removeNetwork',
    summary: 'Remove a network that has no endpoints',
    handle: (operations, { ref }) => operations.removeNetwork(ref),
  }),
];
