/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The LAN behind a network's parent device. Each endpoint has a device of its own there, in the host's namespace, or
 * shares the parent's MAC: what the programs let through leaves by it, and what comes in is judged before the container
 * sees it. The kernel's device never carries a frame from one endpoint to another: programs do. */
#pragma once

#include "judge.h"

/* Whether a packet of a flow with this party leaves by the sender's device on the LAN. @flags: of the flow */
static __always_inline bool leaves_by_lan(const struct interface *in, __u32 party, __u32 flags)
{
	if (!(in->flags & INTERFACE_LAN))
		return false;
	return party == PARTY_WORLD ||
	       (party == PARTY_ENDPOINT && (in->flags & INTERFACE_VEPA) && !(flags & CONNTRACK_TRANSLATED));
}

#define ARP_SENDER_MAC 22 /* offset in the frame */

/* What leaves by the parent itself has its MAC, which is what the LAN knows the sender's address by. Answers a drop
 * reason. */
NOT_INLINED int share_mac(struct __sk_buff *skb, __u32 ifindex, __u32 is_arp)
{
	struct lan_parent *parent = bpf_map_lookup_elem(&lan_parents, &ifindex);
	struct mac mac;

	if (!parent)
		return REASON_NO_PARENT;
	mac = parent->mac;
	if (bpf_skb_store_bytes(skb, 6, &mac, 6, 0) ||
	    (is_arp && bpf_skb_store_bytes(skb, ARP_SENDER_MAC, &mac, 6, 0)))
		return REASON_REWRITE_FAILED;
	return REASON_NONE;
}

/* Out by the sender's own device. */
NOT_INLINED int to_lan(struct __sk_buff *skb, const struct packet *p, const struct interface *in)
{
	__u32 ifindex, shared;
	int reason;

	if (!p || !in)
		return TC_ACT_SHOT;
	ifindex = in->lan_ifindex;
	shared = in->flags & INTERFACE_SHARED;
	reason = ifindex ? REASON_NONE : REASON_NO_PARENT;

	/* Of a slot that another endpoint was given meanwhile. */
	if (*(const volatile __u32 *)&in->ifindex != skb->ifindex)
		reason = REASON_SPOOFED;
	if (!reason && shared)
		reason = share_mac(skb, ifindex, p->ethertype == ETH_P_ARP);
	if (reason)
		return drop(skb, p, reason);
	trace(STEP_TO_LAN, ifindex);
	return bpf_redirect(ifindex, 0);
}

/* To an endpoint of the same network: straight into its namespace, or by the switch outside. */
static __always_inline int to_neighbour(struct __sk_buff *skb, const struct packet *p, const struct config *c,
					const struct network *n)
{
	struct room *room = room_get();
	struct interface *in;

	if (!room)
		return TC_ACT_SHOT;
	if (!(n->flags & NETWORK_VEPA))
		return to_endpoint(skb, p, c, &room->to_destination, true);
	in = interface_at(skb->ifindex);
	return in ? to_lan(skb, p, in) : TC_ACT_SHOT;
}

/* A flow to an address that is on the LAN, or behind its router. */
NOT_INLINED int begin_to_lan(struct __sk_buff *skb, struct packet *p)
{
	struct new_flow flow = { .source_party = PARTY_ENDPOINT, .destination_party = PARTY_WORLD };
	struct interface *in = interface_at(skb->ifindex);
	struct network *n;
	int reason;

	if (!p || !in)
		return TC_ACT_SHOT;
	n = network_at(in->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	flow.owner = in->number;
	reason = judge_world(n);
	if (!reason && address_is_martian(&p->destination))
		reason = REASON_MARTIAN;
	if (!reason)
		reason = policy_admit(p, PARTY_ENDPOINT, &p->destination, p->destination_port, 0, PARTY_WORLD);
	if (!reason) {
		trace(STEP_ALLOWED, 0);
		reason = conntrack_create(skb, p, &flow);
	}
	return reason ? drop(skb, p, reason) : to_lan(skb, p, in);
}

/* A client that has no address yet asks for one. */
static __always_inline bool asks_for_address(const struct packet *p)
{
	return p->is_v4 && !const_words(&p->source)[3] && const_words(&p->destination)[3] == 0xffffffff &&
	       p->protocol == IPPROTO_UDP && !(p->flags & PACKET_LATER_FRAGMENT) && p->destination_port == bpf_htons(67);
}

/* Who has an address that is no endpoint's here, or one that is: false where the LAN is to be asked. @e: the endpoint */
static __always_inline bool lan_neighbour_mac(const struct config *c, const struct network *n, const struct endpoint *e,
					      const struct address *target, struct mac *mac)
{
	struct host_addr *host;

	if (e) {
		*mac = e->mac;
		return !(n->flags & (NETWORK_VEPA | NETWORK_ICC_OFF));
	}
	if (n->flags & NETWORK_HOST_OFF)
		return false;
	host = host_addr_at(target);
	*mac = c->host_mac;
	return host && !host->network;
}
