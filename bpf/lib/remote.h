/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints on other hosts: what is for them leaves by the overlay's device, a VXLAN one that is told with each packet
 * which network it is of and where the tunnel ends. */
#pragma once

#include "deliver.h"

/* Tells the overlay's device where the packet, or a copy of it, goes. False: there is no such node, or this host has no
 * address that a tunnel to it could begin at. */
static __always_inline bool tunnel_set(struct __sk_buff *skb, struct room *room, __u32 network, __u32 number)
{
	const struct node *to = node_at(number), *own = node_at(0);
	struct bpf_tunnel_key *key = &room->tunnel;

	if (!to || !own || address_is_v4(&to->addr) != address_is_v4(&own->addr))
		return false;
	__builtin_memset(key, 0, sizeof(*key));
	key->tunnel_id = network;
	key->tunnel_ttl = TUNNEL_HOPS;
	if (address_is_v4(&to->addr)) {
		key->remote_ipv4 = bpf_ntohl(const_words(&to->addr)[3]);
		key->local_ipv4 = bpf_ntohl(const_words(&own->addr)[3]);
		/* VXLAN's own way over IPv4: what it carries has checksums. Over IPv6 not every receiver takes it. */
		return !bpf_skb_set_tunnel_key(skb, key, sizeof(*key), BPF_F_ZERO_CSUM_TX);
	}
	__builtin_memcpy(key->remote_ipv6, &to->addr, 16);
	__builtin_memcpy(key->local_ipv6, &own->addr, 16);
	return !bpf_skb_set_tunnel_key(skb, key, sizeof(*key), BPF_F_TUNINFO_IPV6);
}

/* The network and the node that a packet from the overlay's device came by; its key is in `room->tunnel`. False: by no
 * tunnel. */
static __always_inline bool tunnel_get(struct __sk_buff *skb, struct room *room, struct address *from)
{
	struct bpf_tunnel_key *key = &room->tunnel;

	if (!bpf_skb_get_tunnel_key(skb, key, sizeof(*key), 0)) {
		address_from_v4(from, bpf_htonl(key->remote_ipv4));
		return true;
	}
	if (bpf_skb_get_tunnel_key(skb, key, sizeof(*key), BPF_F_TUNINFO_IPV6))
		return false;
	__builtin_memcpy(from, key->remote_ipv6, 16);
	return true;
}
