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

/* What changes of an IPv4 header, and the ports that follow where it has no options. */
struct ipv4_tail {
	__u8 ttl;
	__u8 protocol;
	__sum16 checksum;
	__be32 source;
	__be32 destination;
	struct l4_ports ports;
};

static __always_inline bool has_ports_behind_ipv4(const struct packet *p)
{
	return p->is_v4 && p->l4 == p->l3 + IP_HEADER && !(p->flags & PACKET_LATER_FRAGMENT) &&
	       (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP);
}

static __always_inline int translate_ports(struct __sk_buff *skb, const struct packet *p, const struct tuple *t)
{
	struct l4_ports from = { p->source_port, p->destination_port }, to = { t->source_port, t->destination_port };
	__u32 old = *(__u32 *)&from, new = *(__u32 *)&to;

	if (old == new || (p->flags & PACKET_LATER_FRAGMENT))
		return 0;
	switch (p->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		if (bpf_l4_csum_replace(skb, p->l4 + l4_checksum_offset(p->protocol), old, new,
					4 | (p->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0)))
			return -1;
		return has_ports_behind_ipv4(p) ? 0 : bpf_skb_store_bytes(skb, p->l4, &to, 4, 0);
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
		__be16 id = to.source != from.source ? to.source : to.destination;

		if (bpf_l4_csum_replace(skb, p->l4 + 2, p->source_port, id, 2))
			return -1;
		return bpf_skb_store_bytes(skb, p->l4 + 4, &id, 2, 0);
	}
	default:
		return 0;
	}
}

/* As bpf_csum_diff, of IPv4 addresses. */
static __always_inline __u32 ipv4_change(const struct packet *p, const struct tuple *to)
{
	__u64 sum = (__u64)~const_words(&p->source)[3] + ~const_words(&p->destination)[3] +
		    const_words(&to->source)[3] + const_words(&to->destination)[3];

	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum + (sum >> 32);
}

/* Header and ports in one go, each helper being a call. @change: ipv4_change */
static __always_inline int translate_ipv4(struct __sk_buff *skb, struct packet *p, const struct tuple *to, __u32 change)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + (p->l3 ? ETH_HLEN : 0);
	struct ipv4_tail tail;
	__u32 sum;

	if ((void *)(ip + 1) > end)
		return -1;
	tail.ttl = p->ttl - to->hop;
	tail.protocol = p->protocol;
	/* The time to live is the first byte of its word. */
	sum = (__u16)~ip->check + (change & 0xffff) + (change >> 16) +
	      (to->hop ? (__u16)~bpf_htons(p->ttl << 8) + bpf_htons(tail.ttl << 8) : 0);
	sum = (sum & 0xffff) + (sum >> 16);
	tail.checksum = ~(sum + (sum >> 16));
	tail.source = const_words(&to->source)[3];
	tail.destination = const_words(&to->destination)[3];
	tail.ports.source = to->source_port;
	tail.ports.destination = to->destination_port;
	p->ttl = tail.ttl;
	if (to->hop)
		p->flags |= PACKET_HOP_TAKEN;
	return bpf_skb_store_bytes(skb, p->l3 + 8, &tail,
				   has_ports_behind_ipv4(p) ? sizeof(tail) : offsetof(struct ipv4_tail, ports), 0);
}

/* Gives the packet another tuple. `p` goes along. Answers a drop reason. */
NOT_INLINED int translate(struct __sk_buff *skb, struct packet *p, const struct tuple *to)
{
	__s64 change;

	if (!p || !to)
		return REASON_REWRITE_FAILED;
	if (to->hop && p->ttl <= 1)
		return REASON_TTL_EXCEEDED;
	change = p->is_v4 ? ipv4_change(p, to) :
			    bpf_csum_diff((__be32 *)&p->source, 32, (__be32 *)&to->source, 32, 0);
	if (l4_checksum_addresses(skb, p, change))
		return REASON_REWRITE_FAILED;
	if (translate_ports(skb, p, to))
		return REASON_REWRITE_FAILED;
	if (p->is_v4 ? translate_ipv4(skb, p, to, change) : bpf_skb_store_bytes(skb, p->l3 + 8, &to->source, 32, 0))
		return REASON_REWRITE_FAILED;
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
	t->hop = 0;
	t->source = reply ? ct->other_destination : ct->other_source;
	t->destination = reply ? ct->other_source : ct->other_destination;
	t->source_port = reply ? ct->other_destination_port : ct->other_source_port;
	t->destination_port = reply ? ct->other_source_port : ct->other_destination_port;
	t->network = ct->other_network;
}
