/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Broadcast and multicast reach every other member of the sender's network, at a bounded rate. */
#pragma once

#include "judge.h"

struct flood {
	struct __sk_buff *skb;
	__u32 network;
	__u32 sender; /* ifindex */
};

static long flood_to(__u32 slot, struct flood *f)
{
	struct member_key key = { .network = f->network, .slot = slot };
	__u32 *ifindex = bpf_map_lookup_elem(&members, &key);

	if (ifindex && *ifindex != f->sender)
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

NOT_INLINED int flood(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct flood f;
	struct network *n;
	int reason;

	if (!p || !in || !c)
		return TC_ACT_SHOT;
	if (!(p->flags & PACKET_LINK_MULTICAST))
		return drop(skb, p, REASON_MALFORMED);
	n = network_at(in->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	reason = judge_local(n, false);
	if (reason)
		return drop(skb, p, reason);
	if (!flood_allowed(c, in->number))
		return drop(skb, p, REASON_FLOOD_LIMITED);
	f.skb = skb;
	f.network = in->network;
	f.sender = skb->ifindex;
	trace(STEP_FLOODED, n->members);
	count(COUNTER_FLOODED);
	if (!tracing)
		bpf_loop(n->members < MAX_MEMBERS ? n->members : MAX_MEMBERS, flood_to, &f, 0);
	return TC_ACT_SHOT; /* the copies are on their way: the original ends here */
}
