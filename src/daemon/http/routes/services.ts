import { z } from 'zod';
import { createServiceRequest, serviceView } from '../../../api/schemas/service.ts';
import { route } from '../route.ts';

export const serviceRoutes = [
  route({
    method: 'POST',
    path: '/services',
    operation: 'createService',
    summary: 'Create a service: one address in front of the endpoints of a network that have certain labels',
    body: createServiceRequest,
    response: serviceView,
    status: 201,
    handle: (operations, { body }) => operations.createService(body),
  }),
  route({
    method: 'GET',
    path: '/services',
    operation: 'listServices',
    summary: 'List the services and their backends',
    response: z.array(serviceView),
    handle: (operations) => operations.listServices(),
  }),
  route({
    method: 'DELETE',
    path: '/services/{ref}',
    operation: 'removeService',
    summary: 'Remove a service, as NAME or NETWORK/NAME; connections that came by it end',
    handle: (operations, { ref }) => operations.removeService(ref),
  }),
];
