/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cursor: reads a packet's headers once, bounds-checked, into what the rest of a program needs.
 * Both families end in one form. */
#pragma once

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "abi/drop_reason.h"
#include "abi/types.h"
#include "address.h"

enum packet_flag {
	PACKET_FIRST_FRAGMENT = 1,
	PACKET_LATER_FRAGMENT = 2,
	PACKET_ICMP_ERROR = 4,
	PACKET_NEIGHBOUR = 8, /* neighbour discovery, multicast listener discovery, router messages */
	PACKET_LINK_MULTICAST = 16, /* the frame's destination MAC is a group's */
	PACKET_CANNOT_BEGIN = 32, /* RST, SYN+ACK, echo reply: never the first of a flow */
	PACKET_HOP_TAKEN = 64, /* its time to live has been lowered already */
};

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16

struct packet {
	struct address source __attribute__((aligned(8)));
	struct address destination __attribute__((aligned(8)));
	__be16 source_port; /* ICMP echo: the identifier, in both */
	__be16 destination_port;
	__u16 l3; /* offset of the IP header */
	__u16 l4; /* offset of what follows the IP headers */
	__u16 ethertype; /* host order */
	__u16 flags; /* enum packet_flag */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 ttl;
	__u8 hook; /* enum hook */
	__u8 is_v4;
	__u8 total_pad[2];
	__be32 fragment_id;
	__u16 fragment_offset; /* bytes */
	__u16 network; /* the wire it was seen on */
	__u32 source_identity;
	__u32 destination_identity;
	__u32 source_number; /* endpoint number of the sender; 0: it is not an endpoint here */
	__u32 decision; /* policy's, of a flow that begins; DECISION_ABSENT: none */
	__u32 generation; /* of permissions, read once before anything is judged */
};

struct l4_ports {
	__be16 source;
	__be16 destination;
};

struct tcp_start {
	struct l4_ports ports;
	__be32 sequence;
	__be32 acknowledged;
	__u8 offset;
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

struct udp_start {
	struct l4_ports ports;
	__be16 length;
	__be16 checksum;
};

struct sctp_start {
	struct l4_ports ports;
	__be32 tag;
	__le32 checksum;
};

struct icmp_start {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id;
	__be16 sequence;
};

struct ipv6_option {
	__u8 next;
	__u8 length; /* in 8 bytes, without the first 8 */
	__u8 rest[6];
};

struct ipv6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* in 8 bytes, above 3 flag bits */
	__be32 id;
};

/* TCP keeps its headers in the linear part and its payload in pages: a plain TCP packet needs nothing
 * pulled, and pulling would copy each of them (0.05 of a round trip). */
static __always_inline bool packet_is_plain_tcp(struct __sk_buff *skb, __u32 l3)
{
	const __u8 *ip = (void *)(long)skb->data + l3, *end = (void *)(long)skb->data_end;

	if (ip + IP_HEADER + sizeof(struct tcp_start) > end)
		return false;
	if (ip[0] == 0x45)
		return ip[9] == IPPROTO_TCP;
	return ip[0] >> 4 == 6 && ip[6] == IPPROTO_TCP && ip + IPV6_HEADER + sizeof(struct tcp_start) <= end;
}

/* Most headers lie in the linear part; what does not is pulled there once, before parsing. */
static __always_inline void packet_pull(struct __sk_buff *skb, __u32 l3)
{
	__u32 linear = skb->data_end - skb->data;

	if (linear < 128 && linear < skb->len && !packet_is_plain_tcp(skb, l3))
		bpf_skb_pull_data(skb, skb->len < 256 ? skb->len : 256);
}

static __always_inline int packet_parse_icmp(struct packet *p, const struct icmp_start *icmp)
{
	bool echo_reply;

	p->icmp_type = icmp->type;
	if (p->protocol == IPPROTO_ICMP) {
		echo_reply = icmp->type == 0;
		if (icmp->type == 3 || icmp->type == 4 || icmp->type == 11 || icmp->type == 12)
			p->flags |= PACKET_ICMP_ERROR;
		else if (icmp->type == 8 || echo_reply)
			p->source_port = p->destination_port = icmp->id;
		else if (icmp->type == 5 || icmp->type == 9 || icmp->type == 10) /* redirect, router discovery */
			p->flags |= PACKET_NEIGHBOUR;
		else if (icmp->type == 14 || icmp->type == 16 || icmp->type == 18)
			p->flags |= PACKET_CANNOT_BEGIN;
	} else {
		echo_reply = icmp->type == 129;
		if (icmp->type >= 1 && icmp->type <= 4)
			p->flags |= PACKET_ICMP_ERROR;
		else if (icmp->type == 128 || echo_reply)
			p->source_port = p->destination_port = icmp->id;
		else if ((icmp->type >= 130 && icmp->type <= 137) || icmp->type == 143)
			p->flags |= PACKET_NEIGHBOUR;
	}
	if (echo_reply)
		p->flags |= PACKET_CANNOT_BEGIN;
	return REASON_NONE;
}

/* Reads the ports; what has none (GRE, ESP, IGMP ...) is a flow between two addresses. @length: bytes that the
 * IP header says there are; the padding of a frame behind them is cut off before its receiver looks for ports. */
static __always_inline int packet_parse_l4(struct packet *p, void *l4, void *end, __s32 length)
{
	if (p->flags & PACKET_LATER_FRAGMENT) {
		/* A fragment that begins inside the first one's header would rewrite what was judged. */
		__u32 header = p->protocol == IPPROTO_TCP ? 20 : 8;

		return p->fragment_offset < header ? REASON_FRAGMENT_OVERLAP : REASON_NONE;
	}
	switch (p->protocol) {
	case IPPROTO_TCP: {
		struct tcp_start *tcp = l4;

		if ((void *)(tcp + 1) > end || length < (__s32)sizeof(*tcp))
			return p->flags & PACKET_FIRST_FRAGMENT ? REASON_FRAGMENT_OVERLAP : REASON_TRUNCATED;
		if ((tcp->offset >> 4) < 5)
			return REASON_MALFORMED;
		p->source_port = tcp->ports.source;
		p->destination_port = tcp->ports.destination;
		p->tcp_flags = tcp->flags;
		if ((tcp->flags & TCP_RST) || (tcp->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
			p->flags |= PACKET_CANNOT_BEGIN;
		return REASON_NONE;
	}
	case IPPROTO_UDP: {
		struct udp_start *udp = l4;

		if ((void *)(udp + 1) > end || length < (__s32)sizeof(*udp))
			return REASON_TRUNCATED;
		if (bpf_ntohs(udp->length) < sizeof(*udp) && udp->length) /* 0: a jumbogram's, or GSO's */
			return REASON_MALFORMED;
		p->source_port = udp->ports.source;
		p->destination_port = udp->ports.destination;
		return REASON_NONE;
	}
	case IPPROTO_SCTP: {
		struct sctp_start *sctp = l4;

		if ((void *)(sctp + 1) + 4 > end || length < (__s32)sizeof(*sctp) + 4)
			return REASON_TRUNCATED;
		p->source_port = sctp->ports.source;
		p->destination_port = sctp->ports.destination;
		p->icmp_type = *(__u8 *)(sctp + 1); /* the first chunk's */
		if (p->icmp_type == 6 || p->icmp_type == 2) /* ABORT, INIT ACK */
			p->flags |= PACKET_CANNOT_BEGIN;
		return REASON_NONE;
	}
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: {
		struct icmp_start *icmp = l4;

		if ((void *)(icmp + 1) > end || length < (__s32)sizeof(*icmp))
			return REASON_TRUNCATED;
		if ((p->protocol == IPPROTO_ICMP) != !!p->is_v4)
			return REASON_UNKNOWN_PROTOCOL;
		return packet_parse_icmp(p, icmp);
	}
	default:
		return REASON_NONE;
	}
}

static __always_inline int packet_parse_v4(struct packet *p, __u32 l3, void *data, void *end, __u32 length)
{
	struct iphdr *ip = data + l3;
	__u32 header, offset, total;

	if ((void *)(ip + 1) > end)
		return REASON_TRUNCATED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len); /* 0: more than 64 KiB, not cut yet */
	if (ip->version != 4 || header < IP_HEADER || (total && total < header))
		return REASON_MALFORMED;
	if (total > length)
		return REASON_TRUNCATED;
	address_from_v4(&p->source, ip->saddr);
	address_from_v4(&p->destination, ip->daddr);
	p->is_v4 = 1;
	p->protocol = ip->protocol;
	p->ttl = ip->ttl;
	p->l4 = l3 + header;
	offset = bpf_ntohs(ip->frag_off) & 0x1fff;
	if (offset) {
		p->flags |= PACKET_LATER_FRAGMENT;
		p->fragment_offset = offset * 8;
	} else if (ip->frag_off & bpf_htons(0x2000)) {
		p->flags |= PACKET_FIRST_FRAGMENT;
	}
	p->fragment_id = ip->id;
	if (header == IP_HEADER)
		return packet_parse_l4(p, (void *)ip + IP_HEADER, end, (total ?: length) - IP_HEADER);
	return packet_parse_l4(p, (void *)ip + (header & 0x3c), end, (total ?: length) - header);
}

static __always_inline int packet_parse_v6(struct packet *p, __u32 l3, void *data, void *end, __u32 length)
{
	struct ipv6hdr *ip = data + l3;
	__u32 at = l3 + IPV6_HEADER;
	__u8 next;

	if ((void *)(ip + 1) > end)
		return REASON_TRUNCATED;
	if (ip->version != 6)
		return REASON_MALFORMED;
	if (bpf_ntohs(ip->payload_len) + IPV6_HEADER > length)
		return REASON_TRUNCATED;
	if (ip->payload_len) /* 0: a jumbogram */
		length = bpf_ntohs(ip->payload_len) + IPV6_HEADER;
	p->source = *(struct address *)&ip->saddr;
	p->destination = *(struct address *)&ip->daddr;
	p->is_v4 = 0;
	p->ttl = ip->hop_limit;
	next = ip->nexthdr;
	/* A v4-mapped address on a v6 wire would pass for the other family's. */
	if (address_is_v4(&p->source) || address_is_v4(&p->destination))
		return REASON_MARTIAN;
	if (next == IPPROTO_TCP || next == IPPROTO_UDP)
		goto found;
#pragma unroll
	for (int i = 0; i < 5; i++) {
		if (next == IPPROTO_FRAGMENT) {
			struct ipv6_fragment *fragment = data + at;
			__u32 offset;

			if ((void *)(fragment + 1) > end)
				return REASON_TRUNCATED;
			if (p->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT))
				return REASON_MALFORMED;
			offset = bpf_ntohs(fragment->offset) & 0xfff8;
			p->fragment_id = fragment->id;
			next = fragment->next;
			at += sizeof(*fragment);
			if (offset) {
				p->flags |= PACKET_LATER_FRAGMENT;
				p->fragment_offset = offset;
				break;
			}
			if (fragment->offset & bpf_htons(1))
				p->flags |= PACKET_FIRST_FRAGMENT;
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
			struct ipv6_option *option = data + at;

			if ((void *)(option + 1) > end)
				return REASON_TRUNCATED;
			next = option->next;
			at += (option->length + 1) * 8;
			if (at > 1024)
				return REASON_MALFORMED;
		} else {
			break;
		}
	}
	/* More headers than any honest packet has: what they hide is not looked for. */
	if (next == IPPROTO_FRAGMENT || next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS)
		return REASON_MALFORMED;
found:
	p->protocol = next;
	p->l4 = at;
	return packet_parse_l4(p, data + at, end, (__s32)(l3 + length) - (__s32)at);
}

/* @l3: offset of the IP header, a constant; p->ethertype is set. Answers a drop reason. */
static __always_inline int packet_parse(struct __sk_buff *skb, struct packet *p, __u32 l3)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	p->l3 = l3;
	if (p->ethertype == ETH_P_IP)
		return packet_parse_v4(p, l3, data, end, skb->len - l3);
	if (p->ethertype == ETH_P_IPV6)
		return packet_parse_v6(p, l3, data, end, skb->len - l3);
	return REASON_UNKNOWN_PROTOCOL;
}
