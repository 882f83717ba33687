/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What comes from endpoints on other hosts, whichever program sees it first. */
#pragma once

#include "judge.h"
#include "remote.h"

/* Whether a tunnel that comes from there is the node's: by its address, or by what WireGuard has proven to be of its key. */
static __always_inline bool node_is_at(const struct node *node, const struct packet *p, const struct address *from)
{
	if (p->hook != HOOK_FROM_WIREGUARD)
		return address_equal(&node->addr, from);
	return !address_is_zero(from) &&
	       (address_equal(&node->crypt_to, from) || address_equal(&node->crypt_also, from));
}

/* The sender is an endpoint of that host, and has the MAC that it is known by. It is the source of a flow in the making. */
static __always_inline bool source_is_there(struct packet *p, struct room *room, const struct address *tunnel,
					    const struct mac *mac)
{
	const struct endpoint *e = endpoint_at(p->network, &p->source);
	const struct node *node;

	if (!e || !(e->flags & ENDPOINT_REMOTE))
		return false;
	p->source_number = e->number;
	delivery_set(&room->to_source, e->ifindex, &e->mac);
	node = node_at(room->to_source.ifindex);
	return node && node_is_at(node, p, tunnel) &&
	       !__builtin_memcmp(mac, &room->to_source.mac, sizeof(*mac));
}

/* An endpoint's answer to who has come in at this host from outside. */
static __always_inline bool answers_client(const struct conntrack *ct, bool reply)
{
	return reply && ct->destination_party == PARTY_REMOTE && ct->source_party == PARTY_WORLD &&
	       (ct->flags & CONNTRACK_REPLY_HALF);
}

/* A packet of a known flow. Answers a drop reason, or GO_TO_CLIENT. */
static __always_inline int go_on(struct __sk_buff *skb, struct packet *p, struct conntrack *ct, bool reply,
				 struct room *room)
{
	__u32 speaker = reply ? ct->destination_party : ct->source_party;
	__u32 party = reply ? ct->source_party : ct->destination_party;
	bool outward = answers_client(ct, reply);
	bool fits = outward || (speaker == PARTY_REMOTE && party == PARTY_ENDPOINT && !(ct->flags & CONNTRACK_TRANSLATED));
	int reason;

	trace(STEP_CONNTRACK_HIT, ct->state);
	/* An end was elsewhere when the flow began: a judgement ends it. */
	if (!fits && !tracing)
		ct->generation = 0;
	reason = judge_known(skb, p, ct, reply);
	if (outward) {
		tuple_of_other(&room->other, ct, reply);
		room->other.hop = 1;
	}
	if (!reason && (!fits || !conntrack_delivery(room, ct, &room->of_packet, reply)))
		reason = REASON_CONNTRACK_INVALID;
	return !reason && outward ? GO_TO_CLIENT : reason;
}

/* Out to the client, as it knows the flow: `room->other` has what go_on found. An error looks so already. */
NOT_INLINED int to_client(struct __sk_buff *skb, struct packet *p)
{
	struct room *room = room_get();
	int reason = REASON_NONE;

	if (!p || !room)
		return TC_ACT_SHOT;
	if (!(p->flags & PACKET_ICMP_ERROR))
		reason = translate(skb, p, &room->other);
	/* Nothing that comes by a tunnel goes up the host's stack. */
	if (!reason && route_of(skb, p, room) != ROUTE_UPLINK)
		reason = REASON_NO_ROUTE;
	return reason ? drop(skb, p, reason) : leave(skb, p);
}
