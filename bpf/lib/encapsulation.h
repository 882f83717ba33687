/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tunnel without the overlay's device: single packets have their VXLAN headers written and taken off right at the
 * uplink, which spares them the way through the host's stack and a second device. Trains of segments go out by the device;
 * those of TCP to an endpoint here have their headers, one for all, taken off here. On the wire it is the same. What is not
 * as simple (IPv6 underneath, a way out that is none of our uplinks, a host with IPsec) takes the device. */
#pragma once

#include "remote.h"
#include "tunnel_headers.h"

static __always_inline __u32 tunnel_hash(struct __sk_buff *skb)
{
	__u32 hash = bpf_get_hash_recalc(skb);

	return hash ^ hash << 16;
}

static __always_inline __u8 tunnel_tos(struct __sk_buff *skb, const struct packet *p)
{
	__u8 start[2];

	if (bpf_skb_load_bytes(skb, p->l3, start, 2))
		return 0;
	return tunnel_ecn(p->is_v4 ? start[1] : start[1] >> 4);
}

/* Where the host would send a tunnel to a node. */
static __always_inline int route_to_node(struct __sk_buff *skb, const struct config *c, struct room *room,
					 const struct node *own, const struct node *to)
{
	struct way_key *key = &room->asked;

	key->source = own->addr;
	key->destination = to->addr;
	key->source_port = 0;
	key->destination_port = bpf_htons(c->tunnel_port);
	key->protocol = IPPROTO_UDP;
	return route_asked(skb);
}

/* Writes the headers to a node, and finds the way into `room->fib`. Answers a drop reason, or BY_DEVICE. */
static __always_inline int encapsulate(struct __sk_buff *skb, const struct packet *p, const struct config *c,
					struct room *room, __u32 number)
{
	const struct node *to = node_at(number), *own = node_at(0);
	__u32 length = skb->len - ETH_HLEN + TUNNEL_HEADERS;
	struct tunnel_headers *h = &room->headers;
	struct uplink *up;

	if ((c->flags & CONFIG_TUNNELS_BY_DEVICE) || skb->gso_size || !to || !own || !address_is_v4(&to->addr) ||
	    !address_is_v4(&own->addr))
		return BY_DEVICE;
	if (route_to_node(skb, c, room, own, to) != ROUTE_UPLINK)
		return BY_DEVICE;
	up = uplink_of(&room->fib);
	if (!up || (up->flags & UPLINK_NO_ETHERNET) || length > up->mtu)
		return BY_DEVICE;
	if (bpf_skb_load_bytes(skb, 0, &h->inner, sizeof(h->inner)))
		return BY_DEVICE;
	tunnel_headers_write(h, const_words(&own->addr)[3], const_words(&to->addr)[3], length, tunnel_tos(skb, p),
			     tunnel_hash(skb), ++room->tunnel_number, c->tunnel_port, p->network);
	if (bpf_skb_adjust_room(skb, TUNNEL_HEADERS, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 |
					BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) |
					BPF_F_ADJ_ROOM_ENCAP_L2_ETH))
		return BY_DEVICE;
	return bpf_skb_store_bytes(skb, ETH_HLEN, h, TUNNEL_HEADERS, 0) ? REASON_REWRITE_FAILED : REASON_NONE;
}

/* Reads the headers of a tunnel to this host into `room->headers`. False: not the simple kind. Whether other devices may
 * bring what nodes send is for the host to say, by its routes and its firewall: the overlay's device asks it. */
static __always_inline bool tunnel_headers_get(struct __sk_buff *skb, const struct packet *outer, struct room *room)
{
	struct tunnel_headers *h = &room->headers;
	const struct node *own = node_at(0);
	__u32 ifindex = skb->ifindex;
	const struct uplink *up = bpf_map_lookup_elem(&uplinks, &ifindex);

	if (!own || !up || !address_equal(&up->masquerade4, &own->addr) ||
	    !address_equal(&own->addr, &outer->destination) || outer->l4 != ETH_HLEN + IP_HEADER ||
	    (outer->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT)))
		return false;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, h, TUNNEL_HEADERS))
		return false;
	/* Over IPv6 inside, old kernels would not tell the packet's new protocol. */
	return !h->udp.checksum && h->flags == bpf_htonl(VXLAN_HAS_VNI) && (h->ip.tos & ECN_MASK) != ECN_CE &&
	       h->inner.h_proto == bpf_htons(ETH_P_IP) && !(h->inner.h_dest[0] & 1);
}

/* Takes them off again. */
static __always_inline int decapsulate(struct __sk_buff *skb, struct packet *p, struct room *room)
{
	struct tunnel_headers *h = &room->headers;

	if (bpf_skb_adjust_room(skb, -TUNNEL_HEADERS, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO) ||
	    bpf_skb_store_bytes(skb, 0, &h->inner, sizeof(h->inner), BPF_F_INVALIDATE_HASH))
		return REASON_REWRITE_FAILED;
	p->l3 -= TUNNEL_HEADERS;
	p->l4 -= TUNNEL_HEADERS;
	return REASON_NONE;
}
