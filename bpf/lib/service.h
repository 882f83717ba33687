/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which backend of a service a new flow is given to. */
#pragma once

#include "service_table.h"

/* Whether an address of a network is a service's. */
static __always_inline bool service_has(__u32 network, const struct address *addr)
{
	return service_at(network, addr, 0, 0);
}

/* The backend of the client's last flow, if it is not too long ago and new flows may still go there. */
static __always_inline __u32 affine_backend(const struct affinity_key *key, __u32 seconds, __u64 now)
{
	struct affinity *known = bpf_map_lookup_elem(&affinity, key);
	struct service_member member = { .service = key->service };

	if (!known || elapsed_ns(now, known->used) > seconds * SECOND)
		return 0;
	member.endpoint = known->endpoint;
	return bpf_map_lookup_elem(&service_members, &member) ? member.endpoint : 0;
}

/* An endpoint's number; 0: there is none that can be reached. @slot: any number, which names one of the table's slots */
static __always_inline __u32 service_choose(const struct service *s, const struct address *client, __u32 slot)
{
	struct affinity_key key = { .client = *client, .service = s->number };
	__u32 seconds = s->affinity, backend = 0;
	__u64 now = 0;

	if (seconds) {
		now = now_ns();
		backend = affine_backend(&key, seconds, now);
	}
	if (!backend)
		backend = service_slot(s, slot);
	if (seconds && backend && !tracing) {
		struct affinity value = { .used = now, .endpoint = backend };

		bpf_map_update_elem(&affinity, &key, &value, BPF_ANY);
	}
	return backend;
}
