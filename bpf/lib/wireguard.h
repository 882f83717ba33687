/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Encrypted networks. What goes to another host has its VXLAN headers written here, over IPv6 between the addresses of two
 * keys, and enters the WireGuard device; what it brings has them taken off again. No address, route or socket of the host
 * is part of it, and nothing of such a network takes any other way. */
#pragma once

#include "encapsulation.h"

/* UDP's, inside: no socket has it, or sends to it. What came to a socket's could be merged before a program sees it. */
#define CRYPT_PORT 0
#define EALREADY 114

/* NULL: there is no key for it. */
static __always_inline const struct node *keyed_node(const struct node *node)
{
	return node && node->crypt_ifindex && !address_is_zero(&node->crypt_to) && !address_is_zero(&node->crypt_from) ?
		       node : NULL;
}

/* A packet of a tunnel within the container's own is one already to the kernel, whose marks stay as they are. */
static __always_inline long make_room_again(struct __sk_buff *skb, const struct packet *p)
{
	__u32 missing = CRYPT_HEADERS;

	if (p->is_v4) {
		if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0))
			return -1;
		missing -= IPV6_HEADER - IP_HEADER;
	}
	return bpf_skb_adjust_room(skb, missing, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
}

/* Writes the headers to a node, whose addresses may be written later. A train of segments gets them once: the device cuts
 * it. Answers a drop reason. */
static __always_inline int crypt_wrap(struct __sk_buff *skb, const struct packet *p, struct room *room,
				      const struct node *to)
{
	struct crypt_headers *h = &room->crypt;
	__u32 length = sizeof(h->udp) + sizeof(h->flags) + sizeof(h->vni) + skb->len;
	long rc;

	__builtin_memset(h, 0, sizeof(*h));
	if (bpf_skb_load_bytes(skb, 0, &h->inner, sizeof(h->inner)))
		return REASON_REWRITE_FAILED;
	*(__be32 *)&h->ip = bpf_htonl(6 << 28 | tunnel_tos(skb, p) << 20);
	h->ip.payload_len = bpf_htons(length);
	h->ip.nexthdr = IPPROTO_UDP;
	h->ip.hop_limit = TUNNEL_HOPS;
	if (to) {
		__builtin_memcpy(&h->ip.saddr, &to->crypt_from, 16);
		__builtin_memcpy(&h->ip.daddr, &to->crypt_to, 16);
	}
	h->udp.ports.destination = bpf_htons(CRYPT_PORT);
	h->udp.length = bpf_htons(length);
	h->flags = bpf_htonl(VXLAN_HAS_VNI);
	h->vni = bpf_htonl((__u32)p->network << 8);
	rc = bpf_skb_adjust_room(skb, CRYPT_HEADERS, BPF_ADJ_ROOM_MAC,
				 BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP |
					 BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) | BPF_F_ADJ_ROOM_ENCAP_L2_ETH);
	if (rc == -EALREADY && !skb->gso_size)
		rc = make_room_again(skb, p);
	if (rc || bpf_skb_store_bytes(skb, ETH_HLEN, h, CRYPT_HEADERS, 0))
		return REASON_REWRITE_FAILED;
	/* What the device cannot send it answers for, if it thinks that this host was asked: by an error that quotes the
	 * packet, and that the host's routes would send anywhere. */
	if (skb->pkt_type == PACKET_HOST && bpf_skb_change_type(skb, PACKET_OTHERHOST))
		return REASON_REWRITE_FAILED;
	return REASON_NONE;
}

/* To the node that `room->to_destination` names. */
NOT_INLINED int to_wireguard(struct __sk_buff *skb, const struct packet *p)
{
	struct room *room = room_get();
	const struct node *node;
	__u32 ifindex;
	int reason;

	if (!p || !room)
		return TC_ACT_SHOT;
	node = node_at(room->to_destination.ifindex);
	if (!node)
		return drop(skb, p, REASON_NO_NODE);
	if (!keyed_node(node))
		return drop(skb, p, REASON_NO_KEY);
	ifindex = node->crypt_ifindex;
	reason = crypt_wrap(skb, p, room, node);
	if (reason)
		return drop(skb, p, reason);
	trace(STEP_TO_WIREGUARD, ifindex);
	return bpf_redirect(ifindex, 0);
}

/* Reads the headers of what the device brings into `room->crypt`. Answers a drop reason. */
static __always_inline int crypt_headers_get(struct __sk_buff *skb, struct room *room)
{
	struct crypt_headers *h = &room->crypt;

	/* What the stack has merged, or a host that is not ours has sent. */
	if (skb->gso_size || skb->protocol != bpf_htons(ETH_P_IPV6) || bpf_skb_load_bytes(skb, 0, h, CRYPT_HEADERS))
		return REASON_UNKNOWN_TUNNEL;
	return h->ip.version == 6 && h->ip.nexthdr == IPPROTO_UDP && h->udp.ports.destination == bpf_htons(CRYPT_PORT) &&
			       h->flags == bpf_htonl(VXLAN_HAS_VNI) && !(h->vni & bpf_htonl(0xff)) ?
		       REASON_NONE : REASON_UNKNOWN_TUNNEL;
}

/* Takes them off again, down to the Ethernet header. Answers a drop reason. */
static __always_inline int crypt_unwrap(struct __sk_buff *skb, struct room *room)
{
	struct crypt_headers *h = &room->crypt;
	bool congested = (bpf_ntohl(*(__be32 *)&h->ip) >> 20 & ECN_MASK) == ECN_CE;
	__s32 gone = CRYPT_HEADERS;

	/* Before Linux 6.3 nothing else tells the packet's new protocol. */
	if (h->inner.h_proto == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0))
			return REASON_REWRITE_FAILED;
		gone -= IPV6_HEADER - IP_HEADER;
	}
	/* The other host's key vouches for the checksums within. */
	if (bpf_skb_adjust_room(skb, -gone, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		return REASON_TRUNCATED;
	if (congested)
		bpf_skb_ecn_set_ce(skb);
	if (bpf_skb_change_head(skb, ETH_HLEN, 0) ||
	    bpf_skb_store_bytes(skb, 0, &h->inner, sizeof(h->inner), BPF_F_INVALIDATE_HASH))
		return REASON_REWRITE_FAILED;
	return REASON_NONE;
}
