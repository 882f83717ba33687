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

/* A packet of a known flow. Answers a drop reason. */
static __always_inline int go_on(struct __sk_buff *skb, struct packet *p, struct conntrack *ct, bool reply,
				 struct room *room)
{
	__u32 speaker = reply ? ct->destination_party : ct->source_party;
	__u32 party = reply ? ct->source_party : ct->destination_party;
	bool fits = speaker == PARTY_REMOTE && party == PARTY_ENDPOINT && !(ct->flags & CONNTRACK_TRANSLATED);
	int reason;

	trace(STEP_CONNTRACK_HIT, ct->state);
	/* An end was elsewhere when the flow began: a judgement ends it. */
	if (!fits && !tracing)
		ct->generation = 0;
	reason = judge_known(skb, p, ct, reply);
	if (!reason && (!fits || !conntrack_delivery(room, ct, &room->of_packet, reply)))
		reason = REASON_CONNTRACK_INVALID;
	return reason;
}
