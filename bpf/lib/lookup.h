/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who and what a number stands for. */
#pragma once

#include <linux/bpf.h>

#include "address.h"
#include "maps.h"

/* NULL: there is none. What an array holds for a number that no network has would read as an open one. */
static __always_inline struct network *network_at(__u32 number)
{
	struct network *n = bpf_map_lookup_elem(&networks, &number);

	return n && (n->flags & NETWORK_PRESENT) ? n : NULL;
}

/* NULL: there is none. */
static __always_inline const struct node *node_at(__u32 number)
{
	const struct node *node = bpf_map_lookup_elem(&nodes, &number);

	return node && !address_is_zero(&node->addr) ? node : NULL;
}

/* The uplink that the host's routes have named. NULL: it is none of ours. */
static __always_inline struct uplink *uplink_of(const struct bpf_fib_lookup *fib)
{
	__u32 ifindex = fib->ifindex;

	return bpf_map_lookup_elem(&uplinks, &ifindex);
}
