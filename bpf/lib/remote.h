/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints on other hosts: what is for them leaves by the overlay's device, a VXLAN one that is told with each packet
 * which network it is of and where the tunnel ends. */
#pragma once

#include "deliver.h"

/* NULL: there is none. */
static __always_inline const struct node *node_at(__u32 number)
{
	const struct node *node = bpf_map_lookup_elem(&nodes, &number);

	return node && !address_is_zero(&node->addr) ? node : NULL;
}

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
	key->tunnel_ttl = 64;
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

/* A copy to a node. */
NOT_INLINED int copy_to_node(struct __sk_buff *skb, __u32 network, __u32 number)
{
	const struct config *c = config_get();
	struct room *room = room_get();

	if (c && room && c->overlay_ifindex && tunnel_set(skb, room, network, number))
		bpf_clone_redirect(skb, c->overlay_ifindex, 0);
	else
		count_dropped(skb, REASON_NO_NODE, 1);
	return 0;
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

/* Drops what the tunnel cannot take in one piece, and tells its sender how large it may be. */
static __always_inline int refuse_size(struct __sk_buff *skb, struct packet *p, struct room *room,
				       const struct network *n)
{
	struct icmp_error *error = &room->error;

	drop(skb, p, REASON_TOO_BIG);
	error->from = p->is_v4 ? n->gateway4 : n->gateway6;
	error->type = p->is_v4 ? 3 : 2;
	error->code = p->is_v4 ? 4 : 0;
	error->mtu = n->mtu;
	return icmp_reply(skb, p, error) ? TC_ACT_SHOT : bpf_redirect(skb->ifindex, 0);
}

/* To the endpoint on another host that `room->to_destination` names. */
NOT_INLINED int to_remote(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct network *n;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	n = network_at(p->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	if (too_big(skb, p, n->mtu))
		return refuse_size(skb, p, room, n);
	if (!c->overlay_ifindex || !tunnel_set(skb, room, p->network, room->to_destination.ifindex))
		return drop(skb, p, REASON_NO_NODE);
	trace(STEP_TO_REMOTE, room->to_destination.ifindex);
	if (bpf_skb_store_bytes(skb, 0, &room->to_destination.mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	return bpf_redirect(c->overlay_ifindex, 0);
}
