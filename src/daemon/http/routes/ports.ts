import { z } from 'zod';
import { portView, publishRequest } from '../../../api/schemas/port.ts';
import { route } from '../route.ts';

export const portRoutes = [
  route({
    method: 'GET',
    path: '/ports',
    operation: 'listPorts',
    summary: 'List the published ports',
    response: z.array(portView),
    handle: (operations) => operations.listPorts(),
  }),
  route({
    method: 'POST',
    path: '/endpoints/{ref}/ports',
    operation: 'publishPort',
    summary: 'Publish ports of an endpoint',
    body: publishRequest,
    response: z.array(portView),
    status: 201,
    handle: (operations, { ref, body }) => operations.publishPort(ref, body.spec),
  }),
  route({
    method: 'DELETE',
    path: '/endpoints/{ref}/ports',
    operation: 'unpublishPort',
    summary: 'Take published ports of an endpoint back; the answer has what was published',
    query: publishRequest,
    response: z.array(portView),
    handle: (operations, { ref, query }) => operations.unpublishPort(ref, query.spec),
  }),
];
