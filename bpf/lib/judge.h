/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who may reach whom. The same rules judge a new flow and, after a permission was taken back, a known
 * one; always in its original direction. */
#pragma once

#include "policy.h"
#include "remote.h"

static __always_inline struct publish *publish_exact(const struct address *addr, __be16 port, __u8 protocol)
{
	struct publish_key key = { .addr = *addr, .port = port, .protocol = protocol };

	return bpf_map_lookup_elem(&published, &key);
}

/* What is published on this address of the host: exactly, or on all of them. */
static __always_inline struct publish *publish_at(const struct address *addr, __be16 port, __u8 protocol)
{
	struct publish *found;
	struct address any = {};

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return NULL;
	found = publish_exact(addr, port, protocol);
	if (found)
		return found;
	if (address_is_v4(addr))
		address_from_v4(&any, 0);
	return publish_exact(&any, port, protocol);
}

/* What is published at a container's own address, and answers without translation. */
static __always_inline struct publish *publish_direct(const struct packet *p)
{
	struct publish *pub;

	if (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP && p->protocol != IPPROTO_SCTP)
		return NULL;
	pub = publish_exact(&p->destination, p->destination_port, p->protocol);
	return pub && (pub->flags & PUBLISH_DIRECT) ? pub : NULL;
}

/* From outside, by the device `ifindex`, to a container's own address. `flow_flags` is what admits it. */
static __always_inline int judge_direct(const struct network *n, const struct packet *p, __u32 ifindex,
					__u16 *flow_flags)
{
	struct trusted_key by = { .network = p->network, .ifindex = ifindex };
	struct publish *pub;

	if (n->flags & NETWORK_INTERNAL)
		return REASON_NOT_PUBLISHED;
	if (n->flags & (p->is_v4 ? NETWORK_UNPROTECTED4 : NETWORK_UNPROTECTED6))
		return REASON_NONE;
	if ((p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) &&
	    (n->flags & (p->is_v4 ? NETWORK_ROUTED4 : NETWORK_ROUTED6)))
		return REASON_NONE;
	pub = publish_direct(p);
	if (!pub || ((pub->flags & PUBLISH_TRUSTED) && !bpf_map_lookup_elem(&trusted, &by)))
		return REASON_NOT_PUBLISHED;
	*flow_flags |= CONNTRACK_PUBLISHED;
	return REASON_NONE;
}

/* @published: a published port leads there, which opens what ICC closes. */
static __always_inline int judge_local(const struct network *n, bool published_port)
{
	if ((n->flags & NETWORK_ICC_OFF) && !published_port)
		return REASON_ICC_DISABLED;
	return REASON_NONE;
}

static __always_inline int judge_world(const struct network *n)
{
	return n->flags & NETWORK_INTERNAL ? REASON_INTERNAL_NETWORK : REASON_NONE;
}

/* Policy may know the end by another number by now, and its packets go another way: written with the check word of the
 * flow that is judged, since the entry may be another's by now, whose packets must not go there. What is no device's index
 * is never written where one is expected: an end that came to this host or left it is said to have moved. */
static __always_inline void judged_end(struct judged *j, struct flow_end *end, const struct address *addr,
				       __u32 network, __u32 party, struct delivery *to,
				       const struct conntrack_key *key)
{
	struct endpoint *e = party_is_endpoint(party) ? endpoint_at(network, addr) : NULL;

	flow_end_set(end, addr, e ? e->number : 0, party);
	if (!e)
		return;
	if ((party == PARTY_REMOTE) != !!(e->flags & ENDPOINT_REMOTE)) {
		j->moved = 1;
		return;
	}
	if (tracing)
		return;
	to->mac = e->mac;
	*(volatile __u64 *)to = (__u64)conntrack_check(key) << 32 | e->ifindex;
}

/* Policy on a known flow, whose ends may be others to it by now. */
static __always_inline int policy_judge_again(const struct conntrack_key *key, struct conntrack *ct, struct judged *j,
					      __u32 generation)
{
	bool origin_is_b = ct->flags & CONNTRACK_ORIGIN_B, translated = ct->flags & CONNTRACK_TRANSLATED;
	bool reply_half = ct->flags & CONNTRACK_REPLY_HALF;
	int reason;

	j->known = ct->state != CONNTRACK_REFUSED;
	j->moved = 0;
	if (reply_half)
		judged_end(j, &j->source, &ct->other_source, ct->other_network, ct->source_party, &ct->to_source, key);
	else
		judged_end(j, &j->source, origin_is_b ? &key->addr_b : &key->addr_a, key->network, ct->source_party,
			   &ct->to_source, key);
	j->protocol = key->protocol;
	if (ct->flags & CONNTRACK_STEERED) {
		const struct address *asked = reply_half ? &ct->other_destination :
						     origin_is_b ? &key->addr_a : &key->addr_b;

		flow_end_set(&j->destination, asked, 0, host_addr_at(asked) ? PARTY_HOST : PARTY_WORLD);
		j->port = policy_port(key->protocol, origin_is_b ? key->port_a : key->port_b);
	} else if (translated && !reply_half) {
		judged_end(j, &j->destination, &ct->other_destination, ct->other_network, ct->destination_party,
			   &ct->to_destination, key);
		j->port = policy_port(key->protocol, ct->other_destination_port);
	} else {
		judged_end(j, &j->destination, origin_is_b ? &key->addr_a : &key->addr_b, key->network,
			   ct->destination_party, &ct->to_destination, key);
		j->port = policy_port(key->protocol, origin_is_b ? key->port_a : key->port_b);
	}
	if ((party_is_endpoint(ct->source_party) && !j->source.number) ||
	    (party_is_endpoint(ct->destination_party) && !j->destination.number))
		return REASON_POLICY_DENIED;
	reason = policy_judge(generation);
	if (!tracing) {
		ct->source_identity = j->source_identity;
		ct->destination_identity = j->destination_identity;
	}
	return reason;
}

/* What is refused stays known, and under no generation: forgotten, an answer would begin it anew from the other end. It
 * is charged to nobody any more. */
static __always_inline void conntrack_refuse(const struct conntrack_key *key, struct conntrack *ct,
					     struct conntrack_key *other_key)
{
	struct conntrack *other;

	if (tracing)
		return;
	if (ct->owner)
		quota_release(ct->owner, ct->flags);
	ct->owner = 0;
	ct->state = CONNTRACK_REFUSED;
	ct->generation = 0;
	if (!(ct->flags & CONNTRACK_TRANSLATED))
		return;
	conntrack_key_of_other(other_key, ct, key->protocol);
	other = bpf_map_lookup_elem(&conntrack, other_key);
	if (other && conntrack_is_other(other, key, ct->flags & CONNTRACK_ORIGIN_B))
		other->owner = 0;
}

/* A known flow, admitted under an earlier generation of permissions. */
NOT_INLINED int judge_again(const struct conntrack_key *of, __u32 generation)
{
	struct room *room = room_get();
	struct conntrack_key *key;
	const struct address *destination;
	struct conntrack *ct;
	struct network *n;
	__u32 network;
	__be16 port;
	int reason = REASON_NONE;

	if (!of || !room)
		return REASON_POLICY_DENIED;
	room->judged.decision = DECISION_ABSENT;
	room->judged.source_identity = room->judged.destination_identity = IDENTITY_UNKNOWN;
	key = &room->known;
	*key = *of;
	ct = bpf_map_lookup_elem(&conntrack, key);
	if (!ct)
		return REASON_POLICY_DENIED;
	trace(STEP_JUDGED_AGAIN, generation);
	/* What this wire shows in the original direction; of a reply half, what the other one shows. */
	destination = ct->flags & CONNTRACK_ORIGIN_B ? &key->addr_a : &key->addr_b;
	port = ct->flags & CONNTRACK_ORIGIN_B ? key->port_a : key->port_b;
	network = key->network;
	if (ct->flags & CONNTRACK_PUBLISHED) {
		struct publish *pub;
		bool reply_half = ct->flags & CONNTRACK_REPLY_HALF;
		/* This wire shows what the container sees: its half, or a flow that was never translated. */
		bool inner = reply_half || !(ct->flags & CONNTRACK_TRANSLATED);

		if (reply_half)
			pub = publish_at(&ct->other_destination, ct->other_destination_port, key->protocol);
		else if (inner)
			pub = publish_exact(destination, port, key->protocol);
		else
			pub = publish_at(destination, port, key->protocol);
		if (pub && !reply_half && inner &&
		    !(pub->flags & (ct->source_party == PARTY_NODE ? PUBLISH_BY_NODE : PUBLISH_DIRECT)))
			pub = NULL;
		if (pub && conntrack_is_straight(ct) && !(pub->flags & PUBLISH_STRAIGHT))
			pub = NULL;
		if (!pub || !address_equal(&pub->addr, inner ? destination : &ct->other_destination) ||
		    pub->port != (inner ? port : ct->other_destination_port))
			reason = REASON_POLICY_DENIED;
		network = inner ? network : ct->other_network;
	} else if (ct->flags & CONNTRACK_REPLY_HALF) {
		network = ct->other_network;
	}
	n = network_at(network);
	if (!n || !(n->flags & NETWORK_PRESENT))
		reason = REASON_POLICY_DENIED;
	else if (!reason && party_is_endpoint(ct->source_party) && party_is_endpoint(ct->destination_party))
		reason = judge_local(n, ct->flags & CONNTRACK_PUBLISHED);
	else if (!reason && (ct->source_party == PARTY_WORLD || ct->destination_party == PARTY_WORLD))
		reason = judge_world(n);
	else if (!reason && ct->source_party == PARTY_NODE)
		reason = conntrack_is_straight(ct) || node_at(ct->to_source.ifindex) ? judge_world(n) : REASON_POLICY_DENIED;
	/* A translation that leads nowhere any more ends; its answers find no way out. */
	if (reason && (ct->flags & CONNTRACK_TRANSLATED)) {
		conntrack_remove(key);
		return reason;
	}
	if (!reason)
		reason = policy_judge_again(key, ct, &room->judged, generation);
	if (reason) {
		conntrack_refuse(key, ct, &room->known_other);
		return reason;
	}
	/* It begins anew, to where its end is now. What is refused is not forgotten so. */
	if (room->judged.moved) {
		conntrack_remove(key);
		return REASON_CONNTRACK_INVALID;
	}
	if (ct->state == CONNTRACK_REFUSED && !tracing)
		ct->state = CONNTRACK_REPLIED; /* permitted again: it goes on */
	if (!tracing)
		ct->generation = generation;
	return REASON_NONE;
}

/* Judges the flow of a packet again if permissions have changed since; what decided is told with the packet. */
static __always_inline int judge_known(struct __sk_buff *skb, struct packet *p, const struct conntrack *ct, bool reply)
{
	struct room *room = room_get();
	struct judged *j;
	int reason;

	if (!room)
		return REASON_CONFIG_MISSING;
	if (ct->generation == p->generation)
		return REASON_NONE;
	reason = judge_again(&room->of_packet, p->generation);
	j = &room->judged;
	p->source_identity = reply ? j->destination_identity : j->source_identity;
	p->destination_identity = reply ? j->source_identity : j->destination_identity;
	p->decision = j->decision;
	if (!reason && decision_kind(j->decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	return reason;
}
