import type { z } from 'zod';
import type { Operations } from '../../api/operations.ts';
import { reference } from '../../api/schemas/common.ts';
import type { Streamed } from './stream.ts';
import { validate } from './validate.ts';

/** A request before anything of it has been checked. */
export interface RawRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}

export interface RequestParts<Query, Body> {
  /** The REF or name in the path; empty in routes without one. */
  readonly ref: string;
  readonly query: Query;
  readonly body: Body;
  readonly signal: AbortSignal;
}

/** How a response is sent. */
export type ResponseKind = 'json' | 'lines' | 'text' | 'none';

/** One entry of the HTTP API: what OpenAPI says of it and what it does come from here. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below /v1, in OpenAPI's notation; `{ref}` is the only parameter. */
  readonly path: string;
  /** Name in `Operations`. */
  readonly operation: keyof Operations;
  readonly summary: string;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** Schema of the response, of one line of it where `kind` is `lines`. */
  readonly response: z.ZodType | undefined;
  readonly kind: ResponseKind;
  /** 200, 201, or 204 where `kind` is `none`. */
  readonly status: number;
  /** Bytes of the largest body; the server's default unless given. */
  readonly bodyLimit: number | undefined;
  /** @throws VetchError INVALID when the request does not fit the schemas, and what the operation throws. */
  run(operations: Operations, request: RawRequest): Promise<unknown | Streamed>;
}

interface Description<Query extends z.ZodObject, Body extends z.ZodType> {
  readonly method: Route['method'];
  readonly path: string;
  readonly operation: keyof Operations;
  readonly summary: string;
  readonly query?: Query;
  readonly body?: Body;
  readonly response?: z.ZodType;
  readonly kind?: ResponseKind;
  readonly status?: number;
  readonly bodyLimit?: number;
  handle(operations: Operations, parts: RequestParts<z.output<Query>, z.output<Body>>): Promise<unknown>;
}

export function route<Query extends z.ZodObject, Body extends z.ZodType>(description: Description<Query, Body>): Route {
  const { query, body, response, handle, ...rest } = description;
  const kind = rest.kind ?? (response ? 'json' : 'none');
  return {
    ...rest,
    query,
    body,
    response,
    kind,
    status: rest.status ?? (kind === 'none' ? 204 : 200),
    bodyLimit: rest.bodyLimit,
    async run(operations, request) {
      return handle(operations, {
        ref: rest.path.includes('{ref}') ? refOf(request.params) : '',
        query: query ? validate(query, request.query) : ({} as z.output<Query>),
        body: body ? validate(body, request.body) : (undefined as z.output<Body>),
        signal: request.signal,
      });
    },
  };
}

function refOf(params: unknown): string {
  const ref = typeof params === 'object' && params !== null && 'ref' in params ? params.ref : undefined;
  return validate(reference, ref);
}
