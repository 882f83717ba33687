/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rewrites a packet's addresses and ports. Checksums are only ever changed by what changed, so that
 * CHECKSUM_PARTIAL and CHECKSUM_COMPLETE packets stay right and a UDP checksum of 0 stays 0. */
#pragma once

#include "crc32c.h"
#include "emit.h"

static __always_inline int l4_checksum_offset(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return -1;
	}
}

/* An address changed by `diff` (bpf_csum_diff's): the pseudo-header's part of an L4 checksum. */
static __always_inline int l4_checksum_addresses(struct __sk_buff *skb, const struct packet *p, __s64 diff)
{
	int at = l4_checksum_offset(p->protocol);
	__u64 flags = BPF_F_PSEUDO_HDR | (p->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);

	if (at < 0 || (p->flags & PACKET_LATER_FRAGMENT)) {
		if (!p->is_v4) /* nothing in the packet makes up for what the addresses change */
			bpf_csum_update(skb, diff);
		return 0;
	}
	if (p->is_v4)
		return bpf_l4_csum_replace(skb, p->l4 + at, 0, diff, flags);
	if (!bpf_l4_csum_replace(skb, p->l4 + at, 0, diff, flags | CSUM_IPV6))
		return 0;
	if (bpf_l4_csum_replace(skb, p->l4 + at, 0, diff, flags))
		return -1;
	/* The helper took CHECKSUM_COMPLETE along as if an IPv4 header's checksum made up for it. */
	bpf_csum_update(skb, diff);
	return 0;
}

/* Bytes from the L4 header to the end of the IP packet; a frame may be padded. 0: not known. */
static __always_inline __u32 l4_length(struct __sk_buff *skb, const struct packet *p)
{
	__u32 end = p->l3;
	__be16 length;

	if (bpf_skb_load_bytes(skb, p->l3 + (p->is_v4 ? 2 : 4), &length, 2))
		return 0;
	end += bpf_ntohs(length) + (p->is_v4 ? 0 : IPV6_HEADER);
	return end > p->l4 ? end - p->l4 : 0;
}

static __always_inline int translate_ports(struct __sk_buff *skb, const struct packet *p, __be16 source,
					   __be16 destination)
{
	struct l4_ports from = { p->source_port, p->destination_port }, to = { source, destination };
	__u32 old = *(__u32 *)&from, new = *(__u32 *)&to;

	if (old == new || (p->flags & PACKET_LATER_FRAGMENT))
		return 0;
	switch (p->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		if (bpf_l4_csum_replace(skb, p->l4 + l4_checksum_offset(p->protocol), old, new,
					4 | (p->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0)))
			return -1;
		return bpf_skb_store_bytes(skb, p->l4, &to, 4, 0);
	case IPPROTO_SCTP: {
		/* A fragment's checksum covers bytes that are not here; its length is not known either. */
		__u32 crc, length = l4_length(skb, p);

		if ((p->flags & PACKET_FIRST_FRAGMENT) || length < 12)
			return -1;
		if (bpf_skb_load_bytes(skb, p->l4 + 8, &crc, 4))
			return -1;
		/* 0: CHECKSUM_PARTIAL, where the sum is made later over all of the packet, this field too. */
		if (crc) {
			crc ^= crc32c_of_change(old ^ new, length - 4);
			if (bpf_skb_store_bytes(skb, p->l4 + 8, &crc, 4, 0))
				return -1;
		}
		return bpf_skb_store_bytes(skb, p->l4, &to, 4, 0);
	}
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: {
		/* Both ports are the identifier; of the two, the translated one is the one that differs. */
		__be16 id = source != p->source_port ? source : destination;

		if (bpf_l4_csum_replace(skb, p->l4 + 2, p->source_port, id, 2))
			return -1;
		return bpf_skb_store_bytes(skb, p->l4 + 4, &id, 2, 0);
	}
	default:
		return 0;
	}
}

/* Gives the packet another tuple. `p` goes along. Answers a drop reason. */
NOT_INLINED int translate(struct __sk_buff *skb, struct packet *p, const struct tuple *to)
{
	__s64 diff;

	if (!p || !to)
		return REASON_REWRITE_FAILED;
	diff = bpf_csum_diff((__be32 *)&p->source, 32, (__be32 *)&to->source, 32, 0);
	if (l4_checksum_addresses(skb, p, diff))
		return REASON_REWRITE_FAILED;
	if (translate_ports(skb, p, to->source_port, to->destination_port))
		return REASON_REWRITE_FAILED;
	if (p->is_v4) {
		__be32 pair[2] = { const_words(&to->source)[3], const_words(&to->destination)[3] };

		if (bpf_l3_csum_replace(skb, p->l3 + 10, 0, diff, 0) ||
		    bpf_skb_store_bytes(skb, p->l3 + 12, pair, 8, 0))
			return REASON_REWRITE_FAILED;
	} else if (bpf_skb_store_bytes(skb, p->l3 + 8, &to->source, 32, 0)) {
		return REASON_REWRITE_FAILED;
	}
	p->source = to->source;
	p->destination = to->destination;
	p->source_port = to->source_port;
	p->destination_port = to->destination_port;
	trace(STEP_TRANSLATED, 0);
	return REASON_NONE;
}

/* The tuple that this packet has on the other wire. */
static __always_inline void tuple_of_other(struct tuple *t, const struct conntrack *ct, bool reply)
{
	t->source = reply ? ct->other_destination : ct->other_source;
	t->destination = reply ? ct->other_source : ct->other_destination;
	t->source_port = reply ? ct->other_destination_port : ct->other_source_port;
	t->destination_port = reply ? ct->other_source_port : ct->other_destination_port;
	t->network = ct->other_network;
}
