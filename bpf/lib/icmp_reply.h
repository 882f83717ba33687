/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors that the datapath owes a sender: too big, time exceeded. Written over the packet itself,
 * which goes back to the device that it came from. */
#pragma once

#include "scratch.h"

#define ICMP_QUOTE 64 /* bytes of the offending packet, from its IP header; of a short one only its first 8 after that */

/* @p: the offending packet as its sender made it. Sends the error, or answers false: then nobody is told. */
NOT_INLINED int icmp_reply(struct __sk_buff *skb, const struct packet *p, const struct icmp_error *error)
{
	__u8 quote[ICMP_QUOTE] __attribute__((aligned(8))) = {};
	struct icmp_start icmp = {};
	struct ethhdr eth, frame;
	__u32 l4, quoted;
	__s64 sum;

	if (!p || !error || tracing)
		return -1;
	/* Never about an error or a later fragment. */
	if ((p->flags & (PACKET_ICMP_ERROR | PACKET_LATER_FRAGMENT)) || address_is_zero(&error->from) ||
	    p->l3 != ETH_HLEN)
		return -1;
	quoted = skb->len >= ETH_HLEN + ICMP_QUOTE ? ICMP_QUOTE : p->is_v4 ? IP_HEADER + 8 : IPV6_HEADER + 8;
	if (bpf_skb_load_bytes(skb, 0, &frame, sizeof(frame)) || bpf_skb_load_bytes(skb, ETH_HLEN, quote, quoted))
		return -1;
	__builtin_memcpy(eth.h_dest, frame.h_source, 6);
	__builtin_memcpy(eth.h_source, frame.h_dest, 6);
	eth.h_proto = frame.h_proto;
	icmp.type = error->type;
	icmp.code = error->code;
	/* "Too big" of IPv6 has a 32-bit MTU where IPv4's has its 16 bits last: the same place. */
	icmp.sequence = bpf_htons(error->mtu);
	sum = bpf_csum_diff(0, 0, (__be32 *)&icmp, sizeof(icmp), 0);
	if (p->is_v4) {
		struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP };

		ip.tot_len = bpf_htons(sizeof(ip) + sizeof(icmp) + quoted);
		ip.saddr = const_words(&error->from)[3];
		ip.daddr = const_words(&p->source)[3];
		ip.check = checksum_fold(bpf_csum_diff(0, 0, (__be32 *)&ip, sizeof(ip), 0));
		l4 = ETH_HLEN + sizeof(ip);
		if (bpf_skb_change_tail(skb, l4 + sizeof(icmp) + quoted, 0) ||
		    bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0))
			return -1;
	} else {
		struct ipv6hdr ip = { .version = 6, .hop_limit = 64, .nexthdr = IPPROTO_ICMPV6 };
		__be32 pseudo[2] = { bpf_htonl(sizeof(icmp) + quoted), bpf_htonl(IPPROTO_ICMPV6) };

		ip.payload_len = bpf_htons(sizeof(icmp) + quoted);
		__builtin_memcpy(&ip.saddr, &error->from, 16);
		__builtin_memcpy(&ip.daddr, &p->source, 16);
		sum = bpf_csum_diff(0, 0, (__be32 *)&ip.saddr, 32, sum);
		sum = bpf_csum_diff(0, 0, pseudo, 8, sum);
		l4 = ETH_HLEN + sizeof(ip);
		if (bpf_skb_change_tail(skb, l4 + sizeof(icmp) + quoted, 0) ||
		    bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0))
			return -1;
	}
	icmp.checksum = checksum_fold(bpf_csum_diff(0, 0, (__be32 *)quote, ICMP_QUOTE, sum));
	if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), BPF_F_INVALIDATE_HASH) ||
	    bpf_skb_store_bytes(skb, l4, &icmp, sizeof(icmp), 0) ||
	    bpf_skb_store_bytes(skb, l4 + sizeof(icmp), quote, quoted, 0))
		return -1;
	count(COUNTER_ANSWERED);
	return 0;
}
