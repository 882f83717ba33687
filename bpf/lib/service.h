/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which backend of a service a new flow is given to. */
#pragma once

#include "deliver.h"
#include "service_table.h"

/* Whether an address of a network is a service's. */
static __always_inline bool service_has(__u32 network, const struct address *addr)
{
	return service_at(network, addr, 0, 0);
}

/* Who had this client before: NULL, or the entry, which may have run out. */
static __always_inline struct affinity *affinity_of(const struct affinity_key *key)
{
	return bpf_map_lookup_elem(&affinity, key);
}

/* The backend of the client's last flow, if it is not too long ago and new flows may still go there. */
static __always_inline __u32 affine_backend(const struct affinity_key *key, __u32 seconds, __u64 now)
{
	struct affinity *known = affinity_of(key);
	struct service_member member = { .service = key->service };

	if (!known || elapsed_ns(now, known->used) > seconds * SECOND)
		return 0;
	member.endpoint = known->endpoint;
	return bpf_map_lookup_elem(&service_members, &member) ? member.endpoint : 0;
}

/* An endpoint's number; 0: there is none that can be reached. */
static __always_inline __u32 service_choose(const struct service *s, const struct packet *p)
{
	struct affinity_key key = { .client = p->source, .service = s->number };
	__u32 seconds = s->affinity, backend = 0;
	__u64 now = 0;

	if (seconds) {
		now = now_ns();
		backend = affine_backend(&key, seconds, now);
	}
	if (!backend)
		backend = service_slot(s, s->flags & SERVICE_RANDOM ? bpf_get_prandom_u32() :
								     service_hash(&p->source, p->source_port, &p->destination,
										  p->destination_port, p->protocol));
	if (seconds && backend && !tracing) {
		struct affinity value = { .used = now, .endpoint = backend };

		bpf_map_update_elem(&affinity, &key, &value, BPF_ANY);
	}
	return backend;
}
