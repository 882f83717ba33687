/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors quote the packet that they are about: they belong to its flow, go where the quoted packet
 * came from, and are translated with it, inside and out. */
#pragma once

#include "judge.h"

/* Reads the quoted headers. Answers a drop reason. */
static __always_inline int quoted_parse(struct __sk_buff *skb, const struct packet *p, struct quoted *q)
{
	struct l4_ports ports;
	__u16 at = p->l4 + 8;

	__builtin_memset(q, 0, sizeof(*q));
	q->p.network = p->network;
	q->p.hook = p->hook;
	q->p.is_v4 = p->is_v4;
	q->p.ethertype = p->ethertype;
	q->p.l3 = at;
	if (p->is_v4) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
			return REASON_TRUNCATED;
		if (ip.version != 4 || ip.ihl < 5)
			return REASON_MALFORMED;
		if (ip.frag_off & bpf_htons(0x1fff))
			return REASON_ICMP_UNRELATED;
		address_from_v4(&q->p.source, ip.saddr);
		address_from_v4(&q->p.destination, ip.daddr);
		q->p.protocol = ip.protocol;
		q->p.l4 = at + ip.ihl * 4;
	} else {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
			return REASON_TRUNCATED;
		if (ip.version != 6)
			return REASON_MALFORMED;
		__builtin_memcpy(&q->p.source, &ip.saddr, 16);
		__builtin_memcpy(&q->p.destination, &ip.daddr, 16);
		q->p.protocol = ip.nexthdr;
		q->p.l4 = at + IPV6_HEADER;
		if (ip.nexthdr == IPPROTO_FRAGMENT) {
			struct ipv6_fragment fragment;

			if (bpf_skb_load_bytes(skb, q->p.l4, &fragment, sizeof(fragment)))
				return REASON_TRUNCATED;
			if (fragment.offset & bpf_htons(0xfff8))
				return REASON_ICMP_UNRELATED;
			q->p.protocol = fragment.next;
			q->p.l4 += sizeof(fragment);
		}
	}
	switch (q->p.protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		if (bpf_skb_load_bytes(skb, q->p.l4, &ports, sizeof(ports)))
			return REASON_TRUNCATED;
		q->p.source_port = ports.source;
		q->p.destination_port = ports.destination;
		return REASON_NONE;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: {
		struct icmp_start icmp;

		if (bpf_skb_load_bytes(skb, q->p.l4, &icmp, sizeof(icmp)))
			return REASON_TRUNCATED;
		if (icmp.type == 8 || icmp.type == 0 || icmp.type == 128 || icmp.type == 129)
			q->p.source_port = q->p.destination_port = icmp.id;
		return REASON_NONE;
	}
	default:
		return REASON_NONE;
	}
}

/* Writes `size` bytes (2, 4 or a multiple of 4 up to 32) of the quote and keeps the ICMP checksum right. */
static __always_inline int quoted_store(struct __sk_buff *skb, const struct packet *p, __u32 at, void *from, void *to,
					__u32 size)
{
	__u32 checksum = p->l4 + 2;

	/* A quote's inner fields lie on 2-byte bounds from the ICMP header's start, as the sum needs. */
	if (size == 2) {
		if (bpf_l4_csum_replace(skb, checksum, *(__u16 *)from, *(__u16 *)to, 2))
			return -1;
	} else if (bpf_l4_csum_replace(skb, checksum, 0, bpf_csum_diff(from, size, to, size, 0), 0)) {
		return -1;
	}
	return bpf_skb_store_bytes(skb, at, to, size, 0);
}

/* The quoted L4 checksum follows too, where the quote is long enough to have it. */
static __always_inline int quoted_l4_checksum(struct __sk_buff *skb, const struct packet *p, const struct quoted *q,
					      __s64 diff)
{
	int offset = l4_checksum_offset(q->p.protocol);
	__u16 old, new;
	__u32 sum;

	if (offset < 0 || bpf_skb_load_bytes(skb, q->p.l4 + offset, &old, 2))
		return 0;
	if (!old && q->p.protocol == IPPROTO_UDP)
		return 0;
	sum = (__u16)~old + ((__u32)diff & 0xffff) + ((__u32)diff >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	new = ~sum;
	if (!new && q->p.protocol == IPPROTO_UDP)
		new = 0xffff;
	return quoted_store(skb, p, q->p.l4 + offset, &old, &new, 2);
}

/* Gives the quoted packet the tuple `to`, and the error itself its new ends. */
static __always_inline int translate_error(struct __sk_buff *skb, struct packet *p, const struct quoted *q,
					   const struct tuple *to, const struct tuple *outer)
{
	struct l4_ports from_ports = { q->p.source_port, q->p.destination_port };
	struct l4_ports to_ports = { to->source_port, to->destination_port };
	__s64 addresses = bpf_csum_diff((__be32 *)&q->p.source, 32, (__be32 *)&to->source, 32, 0), all = addresses;

	if (p->is_v4) {
		__be32 from[2] = { const_words(&q->p.source)[3], const_words(&q->p.destination)[3] };
		__be32 into[2] = { const_words(&to->source)[3], const_words(&to->destination)[3] };
		__u16 old, new;
		__u32 sum;

		if (quoted_store(skb, p, q->p.l3 + 12, from, into, 8))
			return REASON_REWRITE_FAILED;
		if (bpf_skb_load_bytes(skb, q->p.l3 + 10, &old, 2))
			return REASON_TRUNCATED;
		sum = (__u16)~old + ((__u32)addresses & 0xffff) + ((__u32)addresses >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		new = ~sum;
		if (quoted_store(skb, p, q->p.l3 + 10, &old, &new, 2))
			return REASON_REWRITE_FAILED;
	} else if (quoted_store(skb, p, q->p.l3 + 8, (void *)&q->p.source, (void *)&to->source, 32)) {
		return REASON_REWRITE_FAILED;
	}
	if (q->p.protocol == IPPROTO_TCP || q->p.protocol == IPPROTO_UDP || q->p.protocol == IPPROTO_SCTP) {
		if (quoted_store(skb, p, q->p.l4, &from_ports, &to_ports, 4))
			return REASON_REWRITE_FAILED;
		if (q->p.protocol != IPPROTO_SCTP) {
			all = bpf_csum_diff((__be32 *)&from_ports, 4, (__be32 *)&to_ports, 4, addresses);
			if (quoted_l4_checksum(skb, p, q, all))
				return REASON_REWRITE_FAILED;
		}
	} else if ((q->p.protocol == IPPROTO_ICMP || q->p.protocol == IPPROTO_ICMPV6) &&
		   from_ports.source != to_ports.source) {
		__be32 from = from_ports.source, into = to_ports.source;

		if (quoted_store(skb, p, q->p.l4 + 4, &from_ports.source, &to_ports.source, 2))
			return REASON_REWRITE_FAILED;
		all = bpf_csum_diff(&from, 4, &into, 4, q->p.protocol == IPPROTO_ICMPV6 ? addresses : 0);
		{
			__u16 old, new;
			__u32 sum;

			if (!bpf_skb_load_bytes(skb, q->p.l4 + 2, &old, 2)) {
				sum = (__u16)~old + ((__u32)all & 0xffff) + ((__u32)all >> 16);
				sum = (sum & 0xffff) + (sum >> 16);
				sum = (sum & 0xffff) + (sum >> 16);
				new = ~sum;
				if (quoted_store(skb, p, q->p.l4 + 2, &old, &new, 2))
					return REASON_REWRITE_FAILED;
			}
		}
	}
	return translate(skb, p, outer);
}

/* Finds the flow that an error is about, and judges who speaks. `room->key` and `room->quoted` tell. */
NOT_INLINED int icmp_error_find(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct conntrack *ct;
	bool source_is_b;
	__u32 speaker;
	int reason;

	if (!p || !c || !room)
		return REASON_ICMP_UNRELATED;
	reason = quoted_parse(skb, p, &room->quoted);
	if (reason)
		return reason;
	/* The error goes to whom the quoted packet came from. */
	if (!address_equal(&p->destination, &room->quoted.p.source))
		return REASON_ICMP_UNRELATED;
	source_is_b = conntrack_key_of_packet(&room->key, &room->quoted.p);
	ct = bpf_map_lookup_elem(&conntrack, &room->key);
	if (!ct || conntrack_expired(ct, c, room->quoted.p.protocol, bpf_ktime_get_ns()))
		return REASON_ICMP_UNRELATED;
	/* Direction of the quoted packet. On a wire of a translated flow it was written by us. */
	room->quoted.reply = source_is_b != !!(ct->flags & CONNTRACK_ORIGIN_B);
	/* An endpoint speaks of what it received, and is no router. Nobody else speaks for an endpoint, and from
	 * outside nobody for the host. */
	if (p->hook == HOOK_FROM_ENDPOINT) {
		/* Of the other wire of a translated flow it receives what we wrote there, and no answers. */
		if ((ct->flags & CONNTRACK_REPLY_HALF) && room->quoted.reply)
			return REASON_ICMP_UNRELATED;
		return address_equal(&p->source, &room->quoted.p.destination) ? REASON_NONE : REASON_ICMP_UNRELATED;
	}
	speaker = room->quoted.reply ? ct->source_party : ct->destination_party;
	if (p->hook == HOOK_FROM_OVERLAY || p->hook == HOOK_FROM_WIREGUARD) {
		/* By way of another host, of what that has taken in. */
		if (!p->source_number)
			return speaker == PARTY_NODE && !(ct->flags & CONNTRACK_REPLY_HALF) &&
					       ct->to_source.ifindex == room->to_source.ifindex ?
				       REASON_NONE : REASON_ICMP_UNRELATED;
		/* Of another host an endpoint speaks, too: the tunnel's program has seen that it is there. */
		return speaker == PARTY_REMOTE && address_equal(&p->source, &room->quoted.p.destination) ?
			       REASON_NONE : REASON_ICMP_UNRELATED;
	}
	if (speaker == PARTY_WORLD || (speaker == PARTY_HOST && p->hook == HOOK_FROM_HOST && !skb->ingress_ifindex))
		return REASON_NONE;
	return REASON_ICMP_UNRELATED;
}

/* Gives the error that icmp_error_find found a flow for the look that it has on the other wire. */
NOT_INLINED int icmp_error_translate(struct __sk_buff *skb, struct packet *p)
{
	struct room *room = room_get();
	struct conntrack *ct;

	if (!p || !room)
		return REASON_ICMP_UNRELATED;
	ct = bpf_map_lookup_elem(&conntrack, &room->key);
	if (!ct)
		return REASON_ICMP_UNRELATED;
	tuple_of_other(&room->quoted_to, ct, room->quoted.reply);
	/* The speaker's own address is translated where it is an end of the flow; a router's is kept. */
	room->outer_to.source = address_equal(&p->source, &room->quoted.p.destination) ? room->quoted_to.destination : p->source;
	room->outer_to.destination = room->quoted_to.source;
	room->outer_to.source_port = p->source_port;
	room->outer_to.destination_port = p->destination_port;
	return translate_error(skb, p, &room->quoted, &room->quoted_to, &room->outer_to);
}

/* An error that came off this wire. On return with 0 `p` is the packet as the other side shall see it,
 * and `party` and `network` say which side that is. */
static __always_inline int icmp_error_relate(struct __sk_buff *skb, struct packet *p, __u32 *network, __u32 *party)
{
	struct room *room = room_get();
	struct conntrack *ct;
	int reason;

	if (!room)
		return REASON_CONFIG_MISSING;
	reason = icmp_error_find(skb, p);
	if (reason)
		return reason;
	ct = bpf_map_lookup_elem(&conntrack, &room->key);
	if (!ct)
		return REASON_ICMP_UNRELATED;
	if (ct->generation != p->generation) {
		reason = judge_again(&room->key, p->generation);
		if (reason)
			return reason;
	}
	*party = room->quoted.reply ? ct->destination_party : ct->source_party;
	/* What left by the stack stays with it. */
	if (*party == PARTY_WORLD && (ct->flags & CONNTRACK_STACK))
		*party = PARTY_HOST;
	if (*party == PARTY_NODE && conntrack_is_straight(ct))
		*party = PARTY_WORLD;
	*network = ct->flags & CONNTRACK_TRANSLATED ? ct->other_network : room->key.network;
	if (!conntrack_delivery(room, ct, &room->key, !room->quoted.reply))
		return REASON_ICMP_UNRELATED;
	p->source_port = room->quoted.p.source_port;
	p->destination_port = room->quoted.p.destination_port;
	return ct->flags & CONNTRACK_TRANSLATED ? icmp_error_translate(skb, p) : REASON_NONE;
}
