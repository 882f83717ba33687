/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A service's table, as packets and sockets read it. */
#pragma once

#include "address.h"
#include "maps.h"

static __always_inline struct service *service_at(__u32 network, const struct address *addr, __be16 port, __u8 protocol)
{
	struct service_key key = { .addr = *addr, .network = network, .port = port, .protocol = protocol };

	return bpf_map_lookup_elem(&services, &key);
}

/* Whether what was read of an entry before was the service's: src/reconcile/desired/services.ts says the same of a key. */
static __always_inline bool service_is(const struct service *s, __u32 network, const struct address *addr, __be16 port,
				       __u8 protocol)
{
	struct service_key key = { .addr = *addr, .network = network, .port = port, .protocol = protocol };
	const __u32 *word = (const __u32 *)&key;
	__u32 check = 0;

	for (int i = 0; i < 6; i++)
		check = (check ^ word[i]) * 0x85ebca6bu;
	return *(const volatile __u32 *)&s->check == check;
}

/* The number of the endpoint in the slot that `hash` names; 0: none. */
static __always_inline __u32 service_slot(const struct service *s, __u32 hash)
{
	__u32 slots = s->slots, slot, block;
	struct service_block *b;

	if (!slots)
		return 0;
	slot = hash % slots;
	block = s->first + slot / SERVICE_BLOCK;
	b = bpf_map_lookup_elem(&service_slots, &block);
	return b ? b->backend[slot % SERVICE_BLOCK] : 0;
}

/* An endpoint's address of a family. NULL: it is of another network, or has none. */
static __always_inline const struct address *backend_address(__u32 number, __u32 network, bool is_v4)
{
	struct endpoint_addrs *at = bpf_map_lookup_elem(&endpoint_addrs, &number);
	const struct address *addr;

	if (!at || at->network != network)
		return NULL;
	addr = is_v4 ? &at->v4 : &at->v6;
	return address_is_zero(addr) ? NULL : addr;
}
