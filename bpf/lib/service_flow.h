/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A flow to the virtual address of a service: to one of its backends, by a pair of conntrack entries. */
#pragma once

#include "judge.h"
#include "service.h"

#define SERVICE_TRIES 4

/* The same for all packets of a flow, and spread well over neighbouring ports and addresses. */
static __always_inline __u32 service_hash(const struct packet *p)
{
	const __u32 *a = const_words(&p->source), *b = const_words(&p->destination);
	__u32 hash = ((__u32)p->source_port << 16 | p->destination_port) + p->protocol;

	for (int i = 0; i < 4; i++) {
		hash = (hash ^ a[i]) * 0x85ebca6bu;
		hash = (hash ^ hash >> 15 ^ b[i]) * 0xc2b2ae35u;
	}
	hash ^= hash >> 16;
	hash *= 0x85ebca6bu;
	return hash ^ hash >> 13;
}

/* What the backend will see has to be no other flow's: the client may talk to the backend by another service too, or
 * directly, and use its port again. Then the flow has another source port there. */
static __always_inline int service_pair(struct __sk_buff *skb, struct packet *p, struct tuple *other,
					const struct new_flow *flow)
{
	int reason = REASON_NONE;

	for (int i = 0; i < SERVICE_TRIES; i++) {
		reason = conntrack_create_pair(skb, p, other, flow);
		if (reason != REASON_CONNTRACK_INVALID)
			return reason;
		other->source_port = bpf_htons(1024 + bpf_get_prandom_u32() % (65536 - 1024));
	}
	return reason;
}

/* What the flow's chosen backend will see, into `room->other`. Answers a drop reason. */
NOT_INLINED int service_resolve(const struct packet *p)
{
	struct room *room = room_get();
	const struct address *backend;
	struct service *s;
	__u32 number;
	__be16 port;

	if (!p || !room)
		return REASON_CONFIG_MISSING;
	s = service_at(p->network, &p->destination, p->destination_port, p->protocol);
	if (!s)
		return service_has(p->network, &p->destination) ? REASON_SERVICE_PORT : REASON_NO_ENDPOINT;
	/* What chance has given to a backend is not found again by chance. */
	if ((p->flags & PACKET_CANNOT_BEGIN) || ((s->flags & SERVICE_RANDOM) && p->protocol == IPPROTO_TCP &&
						!(p->tcp_flags & TCP_SYN) && !(p->flags & PACKET_LATER_FRAGMENT)))
		return REASON_CONNTRACK_INVALID;
	number = service_choose(s, &p->source, s->flags & SERVICE_RANDOM ? bpf_get_prandom_u32() : service_hash(p));
	port = *(const volatile __be16 *)&s->port;
	backend = number ? backend_address(number, p->network, p->is_v4) : NULL;
	if (!backend || !service_is(s, p->network, &p->destination, p->destination_port, p->protocol))
		return REASON_NO_BACKEND;
	trace(STEP_SERVICE, number);
	tuple_of_packet(&room->other, p);
	room->other.destination = *backend;
	room->other.destination_port = port;
	return REASON_NONE;
}

NOT_INLINED int begin_to_service(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct new_flow flow = { .source_party = PARTY_ENDPOINT, .destination_party = PARTY_ENDPOINT };
	struct room *room = room_get();
	struct endpoint *target;
	struct tuple *other;
	struct network *n;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	if (address_is_link_local6(&p->source)) /* of its own segment alone */
		return drop(skb, p, REASON_MARTIAN);
	reason = service_resolve(p);
	if (reason)
		return drop(skb, p, reason);
	other = &room->other;
	n = network_at(p->network);
	target = local_endpoint_at(p->network, &other->destination);
	if (!n || !target)
		return drop(skb, p, REASON_NO_BACKEND);
	/* A container that reaches itself must not see its own address come in: the gateway speaks. */
	if (address_equal(&other->destination, &p->source))
		other->source = *(p->is_v4 ? &n->gateway4 : &n->gateway6);
	if (address_is_zero(&other->source)) /* the gateway is the LAN's */
		return drop(skb, p, REASON_NO_BACKEND);
	flow.owner = p->source_number;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	reason = judge_local(n, false);
	if (!reason)
		reason = policy_admit(p, PARTY_ENDPOINT, &other->destination, other->destination_port, target->number,
				      PARTY_ENDPOINT);
	if (!reason)
		reason = service_pair(skb, p, other, &flow);
	if (!reason)
		reason = translate(skb, p, other);
	if (reason)
		return drop(skb, p, reason);
	return to_endpoint(skb, p, c, &room->to_destination, false);
}
