import type { Protocol } from '../model/endpoint.ts';

/** IP protocol numbers of those that have ports. */
export const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
