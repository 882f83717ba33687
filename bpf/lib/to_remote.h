/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One way out more: to an endpoint on another host. */
#pragma once

#include "wireguard.h"

/* Drops what the tunnel cannot take in one piece, and tells its sender how large it may be. @from: who says so */
static __always_inline int refuse_size(struct __sk_buff *skb, struct packet *p, struct room *room,
				       const struct address *from, __u32 mtu)
{
	struct icmp_error *error = &room->error;

	drop(skb, p, REASON_TOO_BIG);
	error->from = *from;
	error->type = p->is_v4 ? 3 : 2;
	error->code = p->is_v4 ? 4 : 0;
	error->mtu = mtu;
	return icmp_reply(skb, p, error) ? TC_ACT_SHOT : bpf_redirect(skb->ifindex, 0);
}

/* To the endpoint on another host that `room->to_destination` names. */
NOT_INLINED int to_remote(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct network *n;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	n = network_at(p->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	if (too_big(skb, p, n->mtu))
		return refuse_size(skb, p, room, p->is_v4 ? &n->gateway4 : &n->gateway6, n->mtu);
	trace(STEP_TO_REMOTE, room->to_destination.ifindex);
	if (bpf_skb_store_bytes(skb, 0, &room->to_destination.mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	if (n->flags & NETWORK_ENCRYPTED)
		return to_wireguard(skb, p);
	if (!c->overlay_ifindex)
		return drop(skb, p, REASON_NO_NODE);
	reason = encapsulate(skb, p, c, room, room->to_destination.ifindex);
	if (reason != BY_DEVICE) {
		p->flags |= PACKET_HOP_TAKEN; /* it stays in its network */
		return reason ? drop(skb, p, reason) : leave(skb, p);
	}
	if (!tunnel_set(skb, room, p->network, room->to_destination.ifindex))
		return drop(skb, p, REASON_NO_NODE);
	return bpf_redirect(c->overlay_ifindex, 0);
}
