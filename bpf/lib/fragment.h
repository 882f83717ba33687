/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fragments after the first have no ports: the first leaves them in a map. */
#pragma once

#include "scratch.h"

/* A fragment after the first learns its ports from the first. */
NOT_INLINED int fragment_ports(struct packet *p)
{
	struct fragment_key key = {};
	struct fragment *known;

	if (!p)
		return REASON_FRAGMENT_UNKNOWN;
	key.source = p->source;
	key.destination = p->destination;
	key.id = p->fragment_id;
	key.network = p->network;
	key.protocol = p->protocol;
	if (p->flags & PACKET_FIRST_FRAGMENT) {
		struct fragment f = {
			.seen = now_ns(),
			.source_port = p->source_port,
			.destination_port = p->destination_port,
		};

		if (!tracing)
			bpf_map_update_elem(&fragments, &key, &f, BPF_ANY);
		return REASON_NONE;
	}
	known = bpf_map_lookup_elem(&fragments, &key);
	if (!known || elapsed_ns(now_ns(), known->seen) > 30 * SECOND)
		return REASON_FRAGMENT_UNKNOWN;
	p->source_port = known->source_port;
	p->destination_port = known->destination_port;
	return REASON_NONE;
}

static __always_inline bool packet_is_fragment(const struct packet *p)
{
	return p->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT);
}
