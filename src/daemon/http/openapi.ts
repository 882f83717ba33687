import { z } from 'zod';
import { conntrackView } from '../../api/schemas/conntrack.ts';
import { denyRequest, denyView } from '../../api/schemas/deny.ts';
import { attachEndpointRequest, endpointView, labelEndpointRequest } from '../../api/schemas/endpoint.ts';
import { errorView } from '../../api/schemas/error.ts';
import { flowView } from '../../api/schemas/flow.ts';
import { mapDumpView, mapView } from '../../api/schemas/map.ts';
import { nameEvent } from '../../api/schemas/names.ts';
import { createNetworkRequest, networkView } from '../../api/schemas/network.ts';
import { nodeView } from '../../api/schemas/node.ts';
import {
  applyPoliciesRequest,
  explainRequest,
  explainView,
  labelNamespaceRequest,
  namespaceView,
  policyDocumentView,
  policyView,
} from '../../api/schemas/policy.ts';
import { portView, publishRequest } from '../../api/schemas/port.ts';
import { doctorCheck, identityView, statusView } from '../../api/schemas/status.ts';
import { traceRequest, traceView } from '../../api/schemas/trace.ts';
import { version } from '../../api/version.ts';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

/** Schemas that have a name in the document; the others are written where they are used. */
const named: Readonly<Record<string, z.ZodType>> = {
  CreateNetwork: createNetworkRequest,
  Network: networkView,
  AttachEndpoint: attachEndpointRequest,
  LabelEndpoint: labelEndpointRequest,
  Endpoint: endpointView,
  NameEvent: nameEvent,
  PublishPort: publishRequest,
  Port: portView,
  ApplyPolicies: applyPoliciesRequest,
  Policy: policyView,
  PolicyDocument: policyDocumentView,
  ExplainPolicy: explainRequest,
  Explanation: explainView,
  LabelNamespace: labelNamespaceRequest,
  Namespace: namespaceView,
  DenyPrefixes: denyRequest,
  DenyEntry: denyView,
  Conntrack: conntrackView,
  Map: mapView,
  MapDump: mapDumpView,
  Flow: flowView,
  TracePacket: traceRequest,
  Trace: traceView,
  Status: statusView,
  DoctorCheck: doctorCheck,
  Identity: identityView,
  Node: nodeView,
  Error: errorView,
};

const requests = new Set<z.ZodType>([
  createNetworkRequest,
  attachEndpointRequest,
  labelEndpointRequest,
  publishRequest,
  applyPoliciesRequest,
  explainRequest,
  labelNamespaceRequest,
  denyRequest,
  traceRequest,
]);

const registry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });

/** The OpenAPI 3.1 description of `routes`, made from the schemas that check the requests. */
export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `/v1${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Vetch', version, description: 'Served on a unix socket, by default /run/vetch/vetch.sock.' },
    servers: [{ url: 'http://localhost' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(named).map(([id, schema]) => [id, jsonSchema(schema)])),
    },
  };
}

function operation(route: Route): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route)];
  return {
    operationId: route.operation,
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: reference(route.body) } } } }
      : {}),
    responses: {
      [route.status]: { description: 'done', ...content(route) },
      default: { description: 'refused or failed', content: { 'application/json': { schema: reference(errorView) } } },
    },
  };
}

function content(route: Route): Json {
  if (!route.response) return {};
  const type = route.kind === 'lines' ? 'application/x-ndjson' : 'application/json';
  return { content: { [type]: { schema: reference(route.response) } } };
}

function pathParameters(route: Route): Json[] {
  return route.path.includes('{ref}') ? [{ name: 'ref', in: 'path', required: true, schema: { type: 'string' } }] : [];
}

function queryParameters(route: Route): Json[] {
  return Object.entries(route.query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !z.safeParse(schema, undefined).success,
    schema: jsonSchema(schema),
  }));
}

function reference(schema: z.ZodType): Json {
  if (schema instanceof z.ZodArray && schema.element instanceof z.ZodType) {
    return { type: 'array', items: reference(schema.element) };
  }
  const id = registry.get(schema)?.id;
  return id === undefined ? jsonSchema(schema) : { $ref: `#/components/schemas/${id}` };
}

function jsonSchema(schema: z.core.$ZodType): Json {
  const io = schema instanceof z.ZodType && requests.has(schema) ? 'input' : 'output';
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: json }) => {
      // The patterns of formats are zod's own and fill half the document.
      if (json.format !== undefined) delete json.pattern;
    },
  });
  return rest;
}
