/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table. An untranslated flow has one entry for both directions; a translated one has two,
 * one a wire, which are made, refreshed and removed together. Expiry is judged here, at lookup. */
#pragma once

#include "conntrack_key.h"
#include "fragment.h"

static __always_inline bool protocol_is_connection(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

static __always_inline __u64 conntrack_timeout(const struct conntrack *ct, const struct config *c, __u8 protocol)
{
	__u32 seconds;

	if (ct->state == CONNTRACK_REFUSED)
		seconds = protocol_is_connection(protocol) ? c->timeout_refused : c->timeout_new;
	else if (ct->state == CONNTRACK_CLOSED)
		seconds = c->timeout_closed;
	else if (ct->state == CONNTRACK_CLOSING)
		seconds = c->timeout_closing;
	else if (ct->state == CONNTRACK_NEW)
		seconds = c->timeout_new;
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		seconds = c->timeout_icmp;
	else if (!protocol_is_connection(protocol))
		seconds = c->timeout_udp;
	else
		seconds = ct->state == CONNTRACK_ESTABLISHED ? c->timeout_established : c->timeout_new;
	return seconds * SECOND;
}

static __always_inline bool conntrack_expired(const struct conntrack *ct, const struct config *c, __u8 protocol,
					      __u64 now)
{
	return elapsed_ns(now, ct->last_seen) > conntrack_timeout(ct, c, protocol);
}

/* Whether `half` is the other half of the flow that `key` is this wire's key of. */
static __always_inline bool conntrack_is_other(const struct conntrack *half, const struct conntrack_key *key,
					       bool origin_is_b)
{
	return (half->flags & CONNTRACK_TRANSLATED) && half->other_network == key->network &&
	       half->other_source_port == (origin_is_b ? key->port_b : key->port_a) &&
	       half->other_destination_port == (origin_is_b ? key->port_a : key->port_b) &&
	       address_equal(&half->other_source, origin_is_b ? &key->addr_b : &key->addr_a) &&
	       address_equal(&half->other_destination, origin_is_b ? &key->addr_a : &key->addr_b);
}

static __always_inline void quota_release(__u32 number, __u16 flags)
{
	struct quota *q;

	if (!number)
		return;
	q = bpf_map_lookup_elem(&quotas, &number);
	if (!q)
		return;
	if (q->flows)
		__sync_fetch_and_add(&q->flows, -1);
	if ((flags & CONNTRACK_SNAT) && q->snat_ports)
		__sync_fetch_and_add(&q->snat_ports, -1);
}

/* Removes an entry and its other half; one of the two pays for both. `other` is room for a key. */
static __always_inline void conntrack_remove_with(const struct conntrack_key *key, struct conntrack_key *other)
{
	struct conntrack *ct = bpf_map_lookup_elem(&conntrack, key), *half;
	__u32 owner;
	__u16 flags;

	if (!ct)
		return;
	owner = ct->owner;
	flags = ct->flags;
	if (flags & CONNTRACK_TRANSLATED) {
		conntrack_key_of_other(other, ct, key->protocol);
		half = bpf_map_lookup_elem(&conntrack, other);
		/* The LRU may have taken it, and somebody else have the tuple since. */
		if (half && conntrack_is_other(half, key, flags & CONNTRACK_ORIGIN_B))
			bpf_map_delete_elem(&conntrack, other);
	}
	if (!bpf_map_delete_elem(&conntrack, key))
		quota_release(owner, flags);
}

/* Keys are copied to the scratch room, here and below: on Linux 6.1 a global function's argument is no
 * map key, and the stack has no place. */
NOT_INLINED int conntrack_remove(const struct conntrack_key *key)
{
	struct room *room = room_get();

	if (!key || !room || tracing)
		return 0;
	room->gone = *key;
	conntrack_remove_with(&room->gone, &room->gone_other);
	return 0;
}

/* What a packet does to the state of its flow. */
static __always_inline void conntrack_step(struct conntrack *ct, const struct packet *p, bool reply)
{
	__u8 state = ct->state;
	__u16 fin = reply ? CONNTRACK_FIN_REPLY : CONNTRACK_FIN_ORIGINAL;
	bool finished = false, aborted = false;

	if (state == CONNTRACK_REFUSED)
		return; /* its packets go nowhere */
	if (p->protocol == IPPROTO_TCP) {
		finished = p->tcp_flags & TCP_FIN;
		aborted = p->tcp_flags & TCP_RST;
	} else if (p->protocol == IPPROTO_SCTP) {
		finished = p->icmp_type == 7 || p->icmp_type == 8; /* SHUTDOWN, SHUTDOWN ACK */
		aborted = p->icmp_type == 6 || p->icmp_type == 14; /* ABORT, SHUTDOWN COMPLETE */
	}
	if (aborted) {
		state = CONNTRACK_CLOSED;
	} else if (finished) {
		ct->flags |= fin;
		state = (ct->flags & CONNTRACK_FIN_ORIGINAL) && (ct->flags & CONNTRACK_FIN_REPLY) ?
				CONNTRACK_CLOSED : CONNTRACK_CLOSING;
	} else if (state == CONNTRACK_NEW && reply) {
		state = CONNTRACK_REPLIED;
	} else if (state == CONNTRACK_REPLIED && !reply) {
		state = CONNTRACK_ESTABLISHED;
	} else if (state == CONNTRACK_CLOSED && !(ct->flags & (CONNTRACK_FIN_ORIGINAL | CONNTRACK_FIN_REPLY))) {
		state = CONNTRACK_ESTABLISHED; /* the RST was not the connection's: it lives on */
	}
	ct->state = state;
}

/* Brings the other half in step; makes it anew where the LRU had taken it. Answers 1 when the flow is
 * over: somebody else has the other wire's tuple by now. */
NOT_INLINED int conntrack_sync(const struct conntrack_key *key)
{
	struct room *room = room_get();
	struct conntrack_key *other_key;
	struct conntrack *ct, *other;

	if (!key || !room)
		return 0;
	room->known = *key;
	other_key = &room->known_other;
	ct = bpf_map_lookup_elem(&conntrack, &room->known);
	if (!ct || !(ct->flags & CONNTRACK_TRANSLATED))
		return 0;
	conntrack_key_of_other(other_key, ct, key->protocol);
	other = bpf_map_lookup_elem(&conntrack, other_key);
	if (other && !conntrack_is_other(other, &room->known, ct->flags & CONNTRACK_ORIGIN_B)) {
		return 1;
	} else if (other) {
		/* Each half is refused, and permitted again, by a judgement of its own. */
		if (ct->state != CONNTRACK_REFUSED && other->state != CONNTRACK_REFUSED)
			other->state = ct->state;
		other->last_seen = ct->last_seen;
		other->flags |= ct->flags & (CONNTRACK_FIN_ORIGINAL | CONNTRACK_FIN_REPLY);
	} else {
		struct conntrack *twin;
		bool origin_is_b = ct->flags & CONNTRACK_ORIGIN_B;
		bool twin_origin_is_b;

		twin = &room->entry;
		*twin = *ct;
		twin_origin_is_b = conntrack_key_of(other_key, &ct->other_source, &ct->other_destination,
						    ct->other_source_port, ct->other_destination_port,
						    ct->other_network, key->protocol);
		twin->flags ^= CONNTRACK_REPLY_HALF;
		twin->flags &= ~CONNTRACK_ORIGIN_B;
		if (twin_origin_is_b)
			twin->flags |= CONNTRACK_ORIGIN_B;
		/* It was another flow's when it was copied. */
		if (twin->to_source.check != conntrack_check(&room->known))
			return 0;
		conntrack_set_check(twin, other_key);
		twin->packets_original = twin->bytes_original = twin->packets_reply = twin->bytes_reply = 0;
		twin->other_network = key->network;
		twin->other_source = origin_is_b ? key->addr_b : key->addr_a;
		twin->other_destination = origin_is_b ? key->addr_a : key->addr_b;
		twin->other_source_port = origin_is_b ? key->port_b : key->port_a;
		twin->other_destination_port = origin_is_b ? key->port_a : key->port_b;
		if (!bpf_map_update_elem(&conntrack, other_key, twin, BPF_NOEXIST))
			count(COUNTER_PAIRS_REPAIRED);
	}
	return 0;
}

#define PARTY_ANY 0xff /* whoever speaks */

/* Whether a party may speak in a flow as the sender of this direction; whoever comes from without sees no translation. */
static __always_inline bool conntrack_hears(const struct conntrack *ct, bool reply, __u32 speaker)
{
	return (reply ? ct->destination_party : ct->source_party) == speaker && !(ct->flags & CONNTRACK_TRANSLATED);
}

/* Looks the packet's flow up and accounts for it. NULL: none, or it has @ended and is to be removed. @speaker: who sends
 * the packet, where that is known; a flow that does not hear it is as it was before, and the caller's to refuse */
static __always_inline struct conntrack *conntrack_find(struct __sk_buff *skb, const struct packet *p,
							const struct config *c, struct conntrack_key *key, bool *reply,
							__u32 speaker, bool *ended)
{
	bool source_is_b = conntrack_key_of_packet(key, p);
	struct conntrack *ct = bpf_map_lookup_elem(&conntrack, key);
	__u32 beat_now = beat();
	bool changed = false, stranger;
	__u64 now, packets;

	if (!ct)
		return NULL;
	*reply = source_is_b != !!(ct->flags & CONNTRACK_ORIGIN_B);
	stranger = speaker != PARTY_ANY && !conntrack_hears(ct, *reply, speaker);
	if (ct->beat != beat_now) {
		now = now_ns();
		if (conntrack_expired(ct, c, p->protocol, now)) {
			*ended = true;
			return NULL;
		}
		/* Of what was refused, only connections are kept known by their packets: the other end's datagrams may begin
		 * a flow of their own before long. */
		changed = elapsed_ns(now, ct->last_seen) > SECOND &&
			  (ct->state != CONNTRACK_REFUSED || protocol_is_connection(p->protocol));
		if (!tracing && !stranger)
			ct->beat = beat_now;
	}
	if (stranger)
		return ct;
	/* Who was refused does not begin anew by the same tuple: a permission lets the flow go on. */
	if (ct->state >= CONNTRACK_CLOSING && (ct->state != CONNTRACK_REFUSED || *reply) &&
	    p->protocol == IPPROTO_TCP && (p->tcp_flags & TCP_SYN) && !(p->tcp_flags & TCP_ACK)) {
		*ended = true; /* the tuple is used again */
		return NULL;
	}
	if (tracing)
		return ct;
	if (ct->state != CONNTRACK_ESTABLISHED ||
	    (p->protocol == IPPROTO_TCP ? p->tcp_flags & (TCP_FIN | TCP_RST) : p->protocol == IPPROTO_SCTP)) {
		__u8 before = ct->state;

		conntrack_step(ct, p, *reply);
		changed |= ct->state != before;
	}
	packets = skb->gso_segs ? skb->gso_segs : 1;
	if (*reply) {
		ct->packets_reply += packets;
		ct->bytes_reply += skb->len;
	} else {
		ct->packets_original += packets;
		ct->bytes_original += skb->len;
	}
	if (changed) {
		ct->last_seen = now_ns();
		if ((ct->flags & CONNTRACK_TRANSLATED) && conntrack_sync(key)) {
			*ended = true;
			return NULL;
		}
	}
	return ct;
}

static __always_inline struct conntrack *conntrack_lookup_by(struct __sk_buff *skb, const struct packet *p,
							     const struct config *c, struct conntrack_key *key,
							     bool *reply, __u32 speaker)
{
	bool ended = false;
	struct conntrack *ct = conntrack_find(skb, p, c, key, reply, speaker, &ended);

	if (ended)
		conntrack_remove(key);
	return ct;
}

static __always_inline struct conntrack *conntrack_lookup(struct __sk_buff *skb, const struct packet *p,
							  const struct config *c, struct conntrack_key *key,
							  bool *reply)
{
	return conntrack_lookup_by(skb, p, c, key, reply, PARTY_ANY);
}

/* Charges the endpoint for a flow. Without a collector (nobody counts any more) the count starts anew
 * after each window, so that the quota stays a limit and never becomes a wall. */
static __always_inline int quota_take(const struct config *c, __u32 number, bool snat)
{
	struct quota *q;
	__u64 now;

	if (!number || tracing)
		return REASON_NONE;
	q = bpf_map_lookup_elem(&quotas, &number);
	if (!q)
		return REASON_NONE;
	if (q->flows >= c->flow_quota || (snat && q->snat_ports >= c->snat_quota)) {
		now = now_ns();
		if (elapsed_ns(now, q->epoch) < c->quota_window * SECOND)
			return q->flows >= c->flow_quota ? REASON_FLOW_QUOTA : REASON_SNAT_QUOTA;
		q->epoch = now;
		q->flows = 0;
		q->snat_ports = 0;
	}
	__sync_fetch_and_add(&q->flows, 1);
	if (snat)
		__sync_fetch_and_add(&q->snat_ports, 1);
	return REASON_NONE;
}

static __always_inline void quota_give_back(const struct config *c UNUSED, __u32 number, bool snat)
{
	if (!tracing)
		quota_release(number, snat ? CONNTRACK_SNAT : 0);
}

static __always_inline void tuple_of_packet(struct tuple *t, const struct packet *p)
{
	t->source = p->source;
	t->destination = p->destination;
	t->source_port = p->source_port;
	t->destination_port = p->destination_port;
	t->network = p->network;
	t->protocol = p->protocol;
	t->hop = 0;
}

struct new_flow {
	__u32 owner; /* endpoint number whose quota pays; 0: nobody's */
	__u16 flags;
	__u8 source_party;
	__u8 destination_party;
};

static __always_inline void conntrack_fill(struct room *room, const struct new_flow *flow, const struct packet *p)
{
	struct conntrack *ct = &room->entry;

	__builtin_memset(ct, 0, sizeof(*ct));
	ct->created = ct->last_seen = now_ns();
	ct->beat = beat();
	ct->generation = p->generation;
	ct->source_identity = p->source_identity;
	ct->destination_identity = p->destination_identity;
	ct->owner = flow->owner;
	ct->flags = flow->flags;
	ct->source_party = flow->source_party;
	ct->destination_party = flow->destination_party;
	if (party_has_delivery(flow->source_party))
		ct->to_source = room->to_source;
	if (party_is_endpoint(flow->destination_party))
		ct->to_destination = room->to_destination;
}

/* Makes the entry of an untranslated flow. The packet that begins it is its first. */
static __always_inline int conntrack_create_in(struct room *room, struct __sk_buff *skb, const struct config *c,
					       const struct packet *p, const struct new_flow *flow)
{
	struct conntrack *ct = &room->entry;
	int reason;

	if (p->flags & PACKET_CANNOT_BEGIN)
		return REASON_CONNTRACK_INVALID;
	reason = quota_take(c, flow->owner, false);
	if (reason)
		return reason;
	conntrack_fill(room, flow, p);
	ct->packets_original = 1;
	ct->bytes_original = skb->len;
	if (conntrack_key_of_packet(&room->key, p))
		ct->flags |= CONNTRACK_ORIGIN_B;
	conntrack_set_check(ct, &room->key);
	if (!tracing && bpf_map_update_elem(&conntrack, &room->key, ct, BPF_ANY)) {
		quota_give_back(c, flow->owner, false);
		return REASON_CONNTRACK_FULL;
	}
	emit_new_flow(skb, p, c);
	return REASON_NONE;
}

NOT_INLINED int conntrack_create(struct __sk_buff *skb, const struct packet *p, const struct new_flow *flow)
{
	const struct config *c = config_get();
	struct room *room = room_get();

	if (!p || !flow || !c || !room)
		return REASON_CONFIG_MISSING;
	return conntrack_create_in(room, skb, c, p, flow);
}

/* Makes both halves of a translated flow: `p` is what this wire shows, `other` what the next one will.
 * The reply half goes first and must be new: nobody else's tuple is ever taken over. */
NOT_INLINED int conntrack_create_pair(struct __sk_buff *skb, const struct packet *p, const struct tuple *other,
				      const struct new_flow *flow)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct conntrack *ct;
	bool snat, origin_b, other_origin_b;
	int reason, error;

	if (!p || !other || !flow || !c || !room)
		return REASON_CONFIG_MISSING;
	ct = &room->entry;
	if (p->flags & PACKET_CANNOT_BEGIN)
		return REASON_CONNTRACK_INVALID;
	snat = flow->flags & CONNTRACK_SNAT;
	reason = quota_take(c, flow->owner, snat);
	if (reason)
		return reason;
	origin_b = conntrack_key_of_packet(&room->key, p);
	other_origin_b = conntrack_key_of(&room->other_key, &other->source, &other->destination, other->source_port,
					  other->destination_port, other->network, other->protocol);
	conntrack_fill(room, flow, p);
	conntrack_set_check(ct, &room->other_key);
	ct->flags |= CONNTRACK_TRANSLATED | CONNTRACK_REPLY_HALF | (other_origin_b ? CONNTRACK_ORIGIN_B : 0);
	ct->other_network = p->network;
	ct->other_source = p->source;
	ct->other_destination = p->destination;
	ct->other_source_port = p->source_port;
	ct->other_destination_port = p->destination_port;
	if (!tracing) {
		error = bpf_map_update_elem(&conntrack, &room->other_key, ct, BPF_NOEXIST);
		if (error == -17 /* EEXIST */) {
			struct conntrack *old = bpf_map_lookup_elem(&conntrack, &room->other_key);

			/* This very flow's, whose half here the LRU had taken, is no obstacle either. */
			if (old && (conntrack_expired(old, c, other->protocol, ct->created) ||
				    old->state >= CONNTRACK_CLOSING || conntrack_is_other(old, &room->key, origin_b)))
				conntrack_remove(&room->other_key);
			error = bpf_map_update_elem(&conntrack, &room->other_key, ct, BPF_NOEXIST);
		}
		if (error) {
			quota_give_back(c, flow->owner, snat);
			return error == -17 ? REASON_CONNTRACK_INVALID : REASON_CONNTRACK_FULL;
		}
	}
	ct->flags = flow->flags | CONNTRACK_TRANSLATED | (origin_b ? CONNTRACK_ORIGIN_B : 0);
	conntrack_set_check(ct, &room->key);
	ct->packets_original = 1;
	ct->bytes_original = skb->len;
	ct->other_network = other->network;
	ct->other_source = other->source;
	ct->other_destination = other->destination;
	ct->other_source_port = other->source_port;
	ct->other_destination_port = other->destination_port;
	if (!tracing && bpf_map_update_elem(&conntrack, &room->key, ct, BPF_ANY)) {
		bpf_map_delete_elem(&conntrack, &room->other_key);
		quota_give_back(c, flow->owner, snat);
		return REASON_CONNTRACK_FULL;
	}
	emit_new_flow(skb, p, c);
	return REASON_NONE;
}
