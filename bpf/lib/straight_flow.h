/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What from_uplink has found out of a client's flow to a port that another host answers for, kept for xdp_uplink. */
#pragma once

#include "packet.h"

/* A word that few other entries have. */
static __always_inline __u32 straight_check(const struct straight_key *key, const struct straight_flow *flow)
{
	const __u16 *to = (const __u16 *)flow->endpoint.bytes, *host = (const __u16 *)flow->host.bytes;
	__u32 ports = (__u32)key->source_port << 16 | key->destination_port;

	return key->source * 0x9e3779b1u ^ key->destination * 0x85ebca6bu ^ ports * 0xc2b2ae35u ^
	       (flow->generation * 0x27d4eb2fu + flow->node * 0x165667b1u + (flow->network << 8 | key->protocol)) ^
	       ((__u32)to[0] << 16 | to[1]) ^ ((__u32)to[2] << 16 | host[0]) * 3 ^ ((__u32)host[1] << 16 | host[2]) * 5;
}
