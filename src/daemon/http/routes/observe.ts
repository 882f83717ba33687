import { z } from 'zod';
import { conntrackFilter, conntrackFlushed, conntrackView } from '../../../api/schemas/conntrack.ts';
import { flowQueryFrom, flowQueryString, flowView } from '../../../api/schemas/flow.ts';
import { mapDumpView, mapView } from '../../../api/schemas/map.ts';
import { traceRequest, traceView } from '../../../api/schemas/trace.ts';
import { route } from '../route.ts';
import { jsonArray, jsonLines, mapDump } from '../stream.ts';

export const observeRoutes = [
  route({
    method: 'GET',
    path: '/conntrack',
    operation: 'listConntrack',
    summary: 'List the flows that conntrack knows',
    query: conntrackFilter,
    response: z.array(conntrackView),
    handle: async (operations, { query }) => jsonArray(await operations.listConntrack(query)),
  }),
  route({
    method: 'DELETE',
    path: '/conntrack',
    operation: 'flushConntrack',
    summary: 'Forget the flows that the filter names; all of them without one',
    query: conntrackFilter,
    response: conntrackFlushed,
    handle: (operations, { query }) => operations.flushConntrack(query),
  }),
  route({
    method: 'GET',
    path: '/maps',
    operation: 'listMaps',
    summary: 'List the BPF maps and how full they are',
    response: z.array(mapView),
    handle: (operations) => operations.listMaps(),
  }),
  route({
    method: 'GET',
    path: '/maps/{ref}',
    operation: 'dumpMap',
    summary: 'Show the entries of a map, decoded',
    response: mapDumpView,
    handle: async (operations, { ref }) => mapDump(await operations.dumpMap(ref)),
  }),
  route({
    method: 'GET',
    path: '/flows',
    operation: 'flows',
    summary: 'Flow events, one a line; a failure on the way is a last line {"error": …}',
    query: flowQueryString,
    response: flowView,
    kind: 'lines',
    handle: async (operations, { query, signal }) => jsonLines(operations.flows(flowQueryFrom(query), signal)),
  }),
  route({
    method: 'POST',
    path: '/trace',
    operation: 'trace',
    summary: 'What the live programs would do with a packet; nothing is sent',
    body: traceRequest,
    response: traceView,
    handle: (operations, { body }) => operations.trace(body),
  }),
];
