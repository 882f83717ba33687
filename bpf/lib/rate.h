/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much an endpoint sends and receives: kept as the time until which its rate is used up. */
#pragma once

#include "scratch.h"

/* Of the smallest Ethernet frame, without its header and checksum, roughly: tiny packets are not cheaper. */
#define RATE_SMALLEST 64
/* Bytes that CPUs let pass at one moment, at the most. */
#define RATE_LARGEST (1ULL << 20)

/* Bytes on the wire from the IP header on: each packet that a GSO train will be cut into has headers of its own. */
static __always_inline __u64 rate_bytes(struct __sk_buff *skb, const struct packet *p)
{
	__u32 length = skb->len - p->l3, segments = skb->gso_segs, size = skb->gso_size, headers = p->l4 - p->l3;
	__u8 offset;

	if (!size)
		return length < RATE_SMALLEST ? RATE_SMALLEST : length;
	if (p->protocol == IPPROTO_TCP)
		headers += bpf_skb_load_bytes(skb, p->l4 + 12, &offset, 1) ? 20 : (offset >> 4) * 4;
	else
		headers += sizeof(struct udp_start);
	/* A train that came out of a tunnel is not counted any more; what a container makes up may say to have longer headers. */
	if (!segments)
		segments = length > headers ? (length - headers + size - 1) / size : 1;
	return length + (__u64)(segments - 1) * headers;
}

enum rate_verdict {
	RATE_PASSES = 0,
	RATE_EXCEEDED = 1,
	RATE_WAITS = 2, /* until `room->departure` */
};

/* skb->mark of a packet in the shaper: the ifindex of its sender's device; or, with this bit, of its receiver's. */
#define RATE_TO_ENDPOINT (1U << 31)
/* And of one that has waited for its sender's limit. What comes out of another network namespace has no mark. */
#define RATE_PAID 0x76657470

/* What the limit with an index says of a packet, which is paid for unless it is exceeded.
 *
 * Where there is a shaper each packet leaves when those before it are paid, and is dropped when it would wait for too
 * long. Elsewhere it passes, or is dropped while those before it are not paid; what passes may be larger than what is
 * left, since a train cannot be cut. CPUs that look at the same moment let one packet each pass, and all are paid. */
NOT_INLINED int rate_judge(__u32 index, __u64 bytes)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct rate_clock *clock;
	struct rate *rate;
	__u64 now, since, paid, latest;

	if (tracing || !c || !room)
		return RATE_PASSES;
	rate = bpf_map_lookup_elem(&rates, &index);
	clock = bpf_map_lookup_elem(&rate_clocks, &index);
	if (!rate || !clock || !rate->bits)
		return RATE_PASSES;
	now = bpf_ktime_get_ns();
	paid = *(volatile __u64 *)&clock->paid_until;
	since = c->shaper_ifindex ? now : now - rate->burst;
	latest = c->shaper_ifindex ? now + rate->queue : now;
	if (paid > latest && paid - latest <= RATE_LARGEST * 8 * SECOND / rate->bits)
		return RATE_EXCEEDED;
	/* A silence is made up for no longer than this; what is ahead by more than packets cost is of a lower rate that was
	 * before, or of an endpoint that was. Of two CPUs that see it one moves the clock. */
	if (paid < since || paid > latest)
		__sync_val_compare_and_swap(&clock->paid_until, paid, since);
	room->departure = __sync_fetch_and_add(&clock->paid_until, bytes * 8 * SECOND / rate->bits);
	return c->shaper_ifindex ? RATE_WAITS : RATE_PASSES;
}

/* Into the shaper, whose qdisc fq holds it until its time. */
static __always_inline int rate_wait(struct __sk_buff *skb, const struct config *c, __u32 mark)
{
	struct room *room = room_get();

	if (!room)
		return TC_ACT_SHOT;
	bpf_skb_set_tstamp(skb, room->departure, BPF_SKB_TSTAMP_DELIVERY_MONO);
	skb->mark = mark;
	return bpf_redirect(c->shaper_ifindex, 0);
}
