/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the policy documents say about a flow: its sender's egress rules, then its receiver's ingress rules. The
 * compiler has weighed tiers, priorities and rules against each other: here each direction is one answer. */
#pragma once

#include "scratch.h"

static __always_inline __u32 decision_kind(__u32 decision)
{
	return decision >> DECISION_KIND_SHIFT;
}

/* What a pair's entry says. One that is replaced again and again while it is read denies: a packet is lost. */
static __always_inline __u32 decision_of(const struct policy_key *key, __u32 parity)
{
	__u32 check = POLICY_CHECK(key->subject, key->peer, key->direction);
	struct policy_value *value;
	__u64 half; /* one load: both words are of one entry */

	for (int i = 0; i < 3; i++) {
		value = bpf_map_lookup_elem(&policy, key);
		if (!value)
			return DECISION_ABSENT;
		half = *(const volatile __u64 *)&value->half[parity];
		if (half >> 32 == check)
			return (__u32)half;
	}
	return (__u32)DECISION_DENY << DECISION_KIND_SHIFT;
}

/* Fails closed: what should be there and is not, denies. */
static __always_inline __u32 decide(struct room *room, __u32 subject, __u32 peer, enum policy_direction direction,
				    __u32 parity)
{
	struct policy_key key = { .subject = subject, .peer = peer, .direction = direction };
	struct policy_port_key *ports = &room->port_key;
	__u32 decision = decision_of(&key, parity);
	__u32 *at;

	if (decision == DECISION_ABSENT) {
		key.peer = 0;
		decision = decision_of(&key, parity);
	}
	if (decision_kind(decision) != DECISION_PORTS)
		return decision;
	ports->prefixlen = 64;
	ports->set = decision;
	ports->protocol = room->judged.protocol;
	ports->pad = 0;
	ports->port = room->judged.port;
	at = bpf_map_lookup_elem(&policy_ports, ports);
	return at && decision_kind(*at) != DECISION_PORTS ? *at : (__u32)DECISION_DENY << DECISION_KIND_SHIFT;
}

/* An endpoint's standing by its number and family; all zero for number 0, which no endpoint has. */
static __always_inline struct standing standing_of(__u32 number, const struct address *addr, __u32 parity)
{
	__u32 index = 2 * number + !address_is_v4(addr);
	struct identity_slot *slot = bpf_map_lookup_elem(&identities, &index);
	struct standing none = {};

	return slot ? slot->standing[parity] : none;
}

/* Who an address of the host or the world is. Keys lie in the room: a chain of calls has no more stack. @length: of the
 * longest prefix that counts, with the family's 32 bits */
static __always_inline __u32 identity_of_block(struct block_key *key, const struct address *addr, __u32 length,
					       __u32 parity, __u32 otherwise)
{
	struct block_identity *block;

	key->prefixlen = length;
	key->family = address_is_v4(addr) ? 4 : 6;
	key->addr = *addr;
	block = bpf_map_lookup_elem(&address_blocks, key);
	return block && block->identity[parity] ? block->identity[parity] : otherwise;
}

static __always_inline struct standing standing_at(struct block_key *key, const struct flow_end *end, __u32 parity)
{
	struct standing outsider = {};
	__u32 length = 160;

	if (party_is_endpoint(end->party))
		return standing_of(end->number, &end->addr, parity);
	/* What comes by way of another host is not known to be this one, whose addresses anybody can claim there: it is judged
	 * as what is around it. */
	if (end->party == PARTY_NODE && bpf_map_lookup_elem(&host_addrs, &end->addr))
		length = 159;
	outsider.identity = identity_of_block(key, &end->addr, length, parity,
					      end->party == PARTY_HOST ? IDENTITY_HOST : IDENTITY_WORLD);
	return outsider;
}

static __always_inline __u32 learned_check(const struct learned_key *key)
{
	const __u32 *words = const_words(&key->addr);
	__u32 check = key->endpoint;

	for (int i = 0; i < 4; i++)
		check = (check ^ words[i]) * 0x9e3779b1u;
	return check & ~LEARNED_EXPIRED;
}

/* Who an address of the world is to an endpoint that documents let reach domain names. */
static __always_inline __u32 identity_of_learned(struct room *room, __u32 parity, __u32 otherwise)
{
	struct learned_key *key = &room->learned_key;
	struct learned *known;
	__u64 half;
	__u32 flags;

	key->endpoint = room->judged.source.number;
	key->addr = room->judged.destination.addr;
	known = bpf_map_lookup_elem(&learned, key);
	if (!known)
		return otherwise;
	half = *(const volatile __u64 *)&known->half[parity];
	flags = half >> 32;
	/* Another key's is none, as if the address had not been learned. */
	if (!(__u32)half || (flags & ~LEARNED_EXPIRED) != learned_check(key))
		return otherwise;
	return (flags & LEARNED_EXPIRED) && !room->judged.known ? otherwise : (__u32)half;
}

/* Judges what `room->judged` holds. Answers a drop reason; the identities and the decision stay there. */
static __always_inline int policy_judge_in(struct room *room, __u32 generation)
{
	__u32 parity = generation & 1, decision;
	struct standing source, destination;
	struct judged *j = &room->judged;

	source = standing_at(&room->block_key, &j->source, parity);
	destination = standing_at(&room->block_key, &j->destination, parity);
	if ((source.flags & STANDING_NAMES) && j->destination.party == PARTY_WORLD)
		destination.identity = identity_of_learned(room, parity, destination.identity);
	j->source_identity = source.identity;
	j->destination_identity = destination.identity;
	j->decision = DECISION_ABSENT;
	/* An endpoint reaches itself. */
	if (j->source.number && j->source.number == j->destination.number)
		return REASON_NONE;
	if (source.flags & STANDING_EGRESS) {
		decision = decide(room, source.identity, destination.identity, POLICY_EGRESS, parity);
		j->decision = decision;
		trace(STEP_EGRESS_DECIDED, decision);
		if (decision_kind(decision) != DECISION_ALLOW && decision_kind(decision) != DECISION_AUDIT)
			return REASON_POLICY_DENIED;
	}
	if (destination.flags & STANDING_INGRESS) {
		decision = decide(room, destination.identity, source.identity, POLICY_INGRESS, parity);
		/* What one direction would deny is told before what the other allows. */
		if (decision_kind(j->decision) != DECISION_AUDIT || decision_kind(decision) == DECISION_DENY)
			j->decision = decision;
		trace(STEP_INGRESS_DECIDED, decision);
		if (decision_kind(decision) != DECISION_ALLOW && decision_kind(decision) != DECISION_AUDIT)
			return REASON_POLICY_DENIED;
	}
	return REASON_NONE;
}

NOT_INLINED int policy_judge(__u32 generation)
{
	struct room *room = room_get();

	return room ? policy_judge_in(room, generation) : REASON_CONFIG_MISSING;
}

/* Only these have ports: of ICMP the cursor keeps an identifier in their place. */
static __always_inline __be16 policy_port(__u8 protocol, __be16 port)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ? port : 0;
}

static __always_inline void flow_end_set(struct flow_end *end, const struct address *addr, __u32 number, __u32 party)
{
	end->addr = *addr;
	end->number = number;
	end->party = party;
}

/* Judges a new flow: @destination and @port as after translation, the packet's source as before it. The packet
 * learns who its ends are and what decided. */
static __always_inline int policy_admit(struct packet *p, __u32 source_party, const struct address *destination,
					__be16 port, __u32 destination_number, __u32 destination_party)
{
	struct room *room = room_get();
	struct judged *j;
	int reason;

	if (!room)
		return REASON_CONFIG_MISSING;
	j = &room->judged;
	flow_end_set(&j->source, &p->source, p->source_number, source_party);
	flow_end_set(&j->destination, destination, destination_number, destination_party);
	j->protocol = p->protocol;
	j->port = policy_port(p->protocol, port);
	j->known = 0;
	reason = policy_judge(p->generation);
	p->source_identity = j->source_identity;
	p->destination_identity = j->destination_identity;
	p->decision = j->decision;
	return reason;
}
