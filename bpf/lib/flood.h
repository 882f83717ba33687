/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Broadcast and multicast reach every other member of the sender's network, at a bounded rate. */
#pragma once

#include "lan.h"

struct flood {
	struct __sk_buff *skb;
	__u32 bytes; /* as limits count them; 0: no endpoint has one */
	__u32 network;
	__u32 sender; /* ifindex */
	__u32 generation;
	__u32 refused; /* members that policy keeps it from */
	__u32 decision; /* that refused one of them, or that would if it were not under audit */
};

/* What `room->judged` says of the frame holds for each receiver. */
static __always_inline bool flood_admits(struct flood *f, __u32 ifindex)
{
	struct interface *to = interface_at(ifindex);
	struct room *room = room_get();

	if (!to || !room)
		return false;
	flow_end_set(&room->judged.destination, address_is_v4(&room->judged.source.addr) ? &to->v4 : &to->v6, to->number,
		     PARTY_ENDPOINT);
	/* A member without an address of the family has the standing of the one that it has. */
	if (address_is_zero(&room->judged.destination.addr))
		room->judged.destination.addr = address_is_zero(&to->v4) ? to->v6 : to->v4;
	if (policy_judge(f->generation)) {
		f->decision = room->judged.decision;
		return false;
	}
	if (!f->decision && decision_kind(room->judged.decision) == DECISION_AUDIT)
		f->decision = room->judged.decision;
	return true;
}

static long flood_to(__u32 slot, struct flood *f)
{
	struct member_key key = { .network = f->network, .slot = slot };
	__u32 *ifindex = bpf_map_lookup_elem(&members, &key);

	if (!ifindex || *ifindex == f->sender)
		return 0;
	if (!flood_admits(f, *ifindex))
		f->refused++;
	else if (f->bytes && rate_into(f->bytes, *ifindex) == RATE_EXCEEDED)
		count_dropped(f->skb, REASON_RATE_LIMITED, 1);
	else
		bpf_clone_redirect(f->skb, *ifindex, 0);
	return 0;
}

/* A token bucket: `flood_rate` frames a second, as many at once. */
static __always_inline bool flood_allowed(const struct config *c, __u32 number)
{
	struct quota *q = bpf_map_lookup_elem(&quotas, &number);
	__u64 now, gained;

	if (!q || tracing)
		return true;
	now = now_ns();
	gained = elapsed_ns(now, q->flood_refilled) / 1000000 * c->flood_rate / 1000;
	if (gained) {
		q->flood_tokens = gained + q->flood_tokens > c->flood_rate ? c->flood_rate :
									     gained + q->flood_tokens;
		q->flood_refilled = now;
	}
	if (!q->flood_tokens)
		return false;
	q->flood_tokens--;
	return true;
}

/* The LAN's copy, after those of the members here. @refused: of these, by policy */
static __always_inline int flood_to_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in, __u32 refused)
{
	int reason;

	if (refused)
		count_dropped(skb, REASON_POLICY_DENIED, refused);
	reason = policy_admit(p, PARTY_ENDPOINT, &p->destination, p->destination_port, 0, PARTY_WORLD);
	if (reason)
		return drop(skb, p, reason);
	if (decision_kind(p->decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	return to_lan(skb, p, in);
}

NOT_INLINED int flood(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct flood f = {};
	struct network *n;
	int reason;

	if (!p || !in || !c || !room)
		return TC_ACT_SHOT;
	if (!(p->flags & PACKET_LINK_MULTICAST))
		return drop(skb, p, REASON_MALFORMED);
	n = network_at(in->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	reason = judge_local(n, false);
	if (reason && !(in->flags & INTERFACE_LAN))
		return drop(skb, p, reason);
	if (!flood_allowed(c, in->number))
		return drop(skb, p, REASON_FLOOD_LIMITED);
	f.skb = skb;
	f.network = in->network;
	f.sender = skb->ifindex;
	f.generation = p->generation;
	f.bytes = c->flags & CONFIG_INGRESS_LIMITS ? rate_bytes(skb, p) : 0;
	flow_end_set(&room->judged.source, &p->source, in->number, PARTY_ENDPOINT);
	room->judged.protocol = p->protocol;
	room->judged.port = policy_port(p->protocol, p->destination_port);
	trace(STEP_FLOODED, n->members);
	count(COUNTER_FLOODED);
	/* By the switch outside it comes back to them, or never does. */
	if (!tracing && !reason && !(in->flags & INTERFACE_VEPA))
		bpf_loop(n->members < MAX_MEMBERS ? n->members : MAX_MEMBERS, flood_to, &f, 0);
	if (in->flags & INTERFACE_LAN)
		return flood_to_lan(skb, p, in, f.refused);
	/* Each copy counts, and one event tells of the frame. */
	if (f.refused) {
		count_dropped(skb, REASON_POLICY_DENIED, f.refused - 1);
		p->source_identity = room->judged.source_identity;
		p->decision = f.decision;
		return drop(skb, p, REASON_POLICY_DENIED);
	}
	p->decision = f.decision;
	if (decision_kind(f.decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	return TC_ACT_SHOT; /* the copies are on their way: the original ends here */
}
