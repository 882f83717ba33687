import { z } from 'zod';
import { nodeView } from '../../../api/schemas/node.ts';
import { route } from '../route.ts';

export const nodeRoutes = [
  route({
    method: 'GET',
    path: '/nodes',
    operation: 'listNodes',
    summary: 'List the hosts of the cluster that are there',
    response: z.array(nodeView),
    handle: (operations) => operations.listNodes(),
  }),
  route({
    method: 'DELETE',
    path: '/nodes/{ref}',
    operation: 'forgetNode',
    summary: 'Give back the addresses that a host held, by its name; refused while the host is there',
    handle: (operations, { ref }) => operations.forgetNode(ref),
  }),
  route({
    method: 'POST',
    path: '/nodes/rotate-key',
    operation: 'rotateKey',
    summary: 'Have this host use a new key; answers when it is made, and the others move to it within seconds',
    response: nodeView,
    handle: (operations) => operations.rotateKey(),
  }),
];
