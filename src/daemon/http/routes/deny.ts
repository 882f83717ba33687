import { z } from 'zod';
import { denyRequest, denyView } from '../../../api/schemas/deny.ts';
import { route } from '../route.ts';
import { jsonArray } from '../stream.ts';

/** The largest list: 131,072 IPv6 prefixes of at most 46 characters, quotes and comma included. */
const bodyLimit = 8 * 1024 * 1024;

export const denyRoutes = [
  route({
    method: 'GET',
    path: '/deny',
    operation: 'listDeny',
    summary: 'List the deny list, with the packets that each prefix dropped',
    response: z.array(denyView),
    handle: async (operations) => jsonArray(await operations.listDeny()),
  }),
  route({
    method: 'POST',
    path: '/deny',
    operation: 'addDeny',
    summary: 'Add prefixes to the deny list, all or none',
    body: denyRequest,
    response: z.array(denyView),
    bodyLimit,
    handle: async (operations, { body }) => jsonArray(await operations.addDeny(body.cidrs)),
  }),
  route({
    method: 'DELETE',
    path: '/deny',
    operation: 'removeDeny',
    summary: 'Remove prefixes from the deny list, all or none; the answer has them as they were',
    body: denyRequest,
    response: z.array(denyView),
    bodyLimit,
    handle: async (operations, { body }) => jsonArray(await operations.removeDeny(body.cidrs)),
  }),
];
