/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much an endpoint sends and receives: a token bucket, kept as the time until which its rate is used up. */
#pragma once

#include "scratch.h"

/* Of the smallest Ethernet frame, without its header and checksum, roughly: tiny packets are not cheaper. */
#define RATE_SMALLEST 64

/* Bytes on the wire from the IP header on: each packet that a GSO train will be cut into has headers of its own. */
static __always_inline __u64 rate_bytes(struct __sk_buff *skb, const struct packet *p)
{
	__u32 length = skb->len - p->l3, segments = skb->gso_segs, headers = p->l4 - p->l3;
	__u8 offset;

	if (segments <= 1)
		return length < RATE_SMALLEST ? RATE_SMALLEST : length;
	if (p->protocol == IPPROTO_TCP)
		headers += bpf_skb_load_bytes(skb, p->l4 + 12, &offset, 1) ? 20 : (offset >> 4) * 4;
	else
		headers += sizeof(struct udp_start);
	return length + (__u64)(segments - 1) * headers;
}

/* Answers whether a packet is more than an endpoint may send or receive now, by the index of its rate; else it is paid for. What passes may be
 * larger than what is left, since a train cannot be cut: those after it wait until it is paid. CPUs that look at the same
 * moment let one packet each pass, and all are paid. */
NOT_INLINED int rate_exceeded(__u32 index, __u64 bytes)
{
	struct rate_clock *clock;
	struct rate *rate;
	__u64 now, since, paid;

	if (tracing)
		return 0;
	rate = bpf_map_lookup_elem(&rates, &index);
	clock = bpf_map_lookup_elem(&rate_clocks, &index);
	if (!rate || !clock || !rate->bits)
		return 0;
	now = bpf_ktime_get_ns();
	paid = *(volatile __u64 *)&clock->paid_until;
	if (paid > now)
		return 1;
	since = now - rate->burst;
	/* A silence is made up for no longer than this; of two CPUs that see it one moves the clock. */
	if (paid < since)
		__sync_val_compare_and_swap(&clock->paid_until, paid, since);
	__sync_fetch_and_add(&clock->paid_until, bytes * 8 * SECOND / rate->bits);
	return 0;
}
