import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Where etcd's definitions lie, in the checkout as in an installation. */
const directory = new URL('../../../proto/etcd/', import.meta.url).pathname;

// 64 bits: lease and cluster numbers use all of them, so none becomes a JavaScript number before it is known to fit.
const definitions = loadSync('rpc.proto', { includeDirs: [directory], longs: String, enums: String, defaults: true });

function method<Request extends object, Response extends object>(service: string, name: string) {
  const found = definitions[`etcdserverpb.${service}`]?.[name as never];
  if (found === undefined) throw new Error(`proto/etcd/rpc.proto has no ${service}.${name}`);
  return found as MethodDefinition<Request, Response>;
}

export interface Header {
  readonly clusterId: string;
  /** Of the whole store, when the request was applied. */
  readonly revision: string;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly modRevision: string;
}

export interface RangeRequest {
  readonly key: Buffer;
  /** First key that is not wanted any more; absent: `key` alone. */
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  /** Absent: the newest. */
  readonly revision?: number;
  readonly keysOnly?: boolean;
}

export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export interface Compare {
  readonly result: 'EQUAL' | 'LESS';
  readonly target: 'CREATE' | 'MOD' | 'VALUE';
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  /** 0: the key is not there. */
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly value?: Buffer;
}

export interface RequestOp {
  readonly requestRange?: RangeRequest;
  readonly requestPut?: { readonly key: Buffer; readonly value: Buffer; readonly lease?: string };
  readonly requestDeleteRange?: { readonly key: Buffer; readonly rangeEnd?: Buffer };
}

/** All of `compare` holds: `success` is done, in order; else `failure`. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeResponse | null }[];
}

export interface WatchRequest {
  readonly createRequest?: {
    readonly key: Buffer;
    readonly rangeEnd: Buffer;
    readonly startRevision: number;
    readonly progressNotify: boolean;
    readonly fragment: boolean;
  };
  readonly progressRequest?: Record<string, never>;
}

export interface WatchResponse {
  readonly header: Header;
  readonly watchId: string;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Not 0: the first revision that can be watched from; earlier ones are gone. */
  readonly compactRevision: string;
  readonly cancelReason: string;
  /** More of the same revision comes in the next response. */
  readonly fragment: boolean;
  readonly events: readonly { readonly type: 'PUT' | 'DELETE'; readonly kv: KeyValue }[];
}

interface LeaseGrantResponse {
  readonly ID: string;
  readonly TTL: string;
}

interface LeaseKeepAliveResponse {
  /** Seconds; 0: the lease has expired. */
  readonly TTL: string;
}

export const methods = {
  range: method<RangeRequest, RangeResponse>('KV', 'Range'),
  txn: method<TxnRequest, TxnResponse>('KV', 'Txn'),
  watch: method<WatchRequest, WatchResponse>('Watch', 'Watch'),
  leaseGrant: method<{ readonly TTL: number }, LeaseGrantResponse>('Lease', 'LeaseGrant'),
  leaseKeepAlive: method<{ readonly ID: string }, LeaseKeepAliveResponse>('Lease', 'LeaseKeepAlive'),
  authenticate: method<{ readonly name: string; readonly password: string }, { readonly token: string }>(
    'Auth',
    'Authenticate',
  ),
};

/** The first key after all that begin with `prefix`, which ends with a character of ASCII. */
export function endOf(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}
