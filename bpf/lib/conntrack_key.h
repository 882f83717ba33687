/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a flow is found in the table, and how a program sees that an entry is still the flow's: the kernel may give its
 * memory to another while it is read. */
#pragma once

#include "scratch.h"

/* Answers whether the packet's source is end b. */
static __always_inline bool conntrack_key_of(struct conntrack_key *key, const struct address *source,
					     const struct address *destination, __be16 source_port,
					     __be16 destination_port, __u16 network, __u8 protocol)
{
	int order = address_compare(source, destination);
	bool source_is_b;

	if (!order)
		source_is_b = bpf_ntohs(source_port) > bpf_ntohs(destination_port);
	else
		source_is_b = order > 0;
	key->addr_a = source_is_b ? *destination : *source;
	key->addr_b = source_is_b ? *source : *destination;
	key->port_a = source_is_b ? destination_port : source_port;
	key->port_b = source_is_b ? source_port : destination_port;
	key->network = network;
	key->protocol = protocol;
	key->pad = 0;
	return source_is_b;
}

static __always_inline bool conntrack_key_of_packet(struct conntrack_key *key, const struct packet *p)
{
	return conntrack_key_of(key, &p->source, &p->destination, p->source_port, p->destination_port, p->network,
				p->protocol);
}

/* The key of the other half of a translated flow. */
static __always_inline void conntrack_key_of_other(struct conntrack_key *key, const struct conntrack *ct,
						   __u8 protocol)
{
	conntrack_key_of(key, &ct->other_source, &ct->other_destination, ct->other_source_port,
			 ct->other_destination_port, ct->other_network, protocol);
}

/* Who came in by another host, and is answered by this one's own uplink. */
static __always_inline bool conntrack_is_straight(const struct conntrack *ct)
{
	return ct->source_party == PARTY_NODE && (ct->flags & CONNTRACK_TRANSLATED);
}

/* A word that few other keys have. */
static __always_inline __u32 conntrack_check(const struct conntrack_key *key)
{
	const __u32 *a = const_words(&key->addr_a), *b = const_words(&key->addr_b);

	return a[3] * 0x9e3779b1u ^ b[3] * 0x85ebca6bu ^ ((__u32)key->port_a << 16 | key->port_b) * 0xc2b2ae35u ^
	       (a[0] + a[1] * 3 + a[2] * 5 + b[0] * 7 + b[1] * 11 + b[2] * 13) ^ ((__u32)key->network << 8 | key->protocol);
}

static __always_inline void conntrack_set_check(struct conntrack *ct, const struct conntrack_key *key)
{
	ct->to_source.check = ct->to_destination.check = conntrack_check(key);
}

/* Where a packet of a known flow goes, into `room->to_destination`, after all else has been read of the entry. False:
 * it was another flow's by then, and what was read counts for nothing. Or another flow's judgement has written into it:
 * a judgement of its own, with its next packet, puts that right. */
static __always_inline bool conntrack_delivery(struct room *room, struct conntrack *ct,
					       const struct conntrack_key *key, bool reply)
{
	const struct delivery *to = reply ? &ct->to_source : &ct->to_destination;
	__u64 word; /* one load: ifindex and check are of one entry */

	barrier();
	word = *(const volatile __u64 *)to;
	room->to_destination.ifindex = word;
	room->to_destination.mac = to->mac;
	if (word >> 32 == conntrack_check(key))
		return true;
	if (!tracing)
		ct->generation = 0;
	return false;
}
