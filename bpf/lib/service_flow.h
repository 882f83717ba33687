/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A flow to the virtual address of a service: to one of its backends, by a pair of conntrack entries. */
#pragma once

#include "judge.h"
#include "service.h"

#define SERVICE_TRIES 4

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

NOT_INLINED int begin_to_service(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct new_flow flow = { .source_party = PARTY_ENDPOINT, .destination_party = PARTY_ENDPOINT };
	const struct address *backend;
	struct room *room = room_get();
	struct endpoint *target;
	struct tuple *other;
	struct service *s;
	struct network *n;
	__u32 number;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	s = service_at(p->network, &p->destination, p->destination_port, p->protocol);
	if (!s)
		return drop(skb, p, service_has(p->network, &p->destination) ? REASON_SERVICE_PORT : REASON_NO_ENDPOINT);
	if (address_is_link_local6(&p->source)) /* of its own segment alone */
		return drop(skb, p, REASON_MARTIAN);
	/* What chance has given to a backend is not found again by chance. */
	if ((p->flags & PACKET_CANNOT_BEGIN) || ((s->flags & SERVICE_RANDOM) && p->protocol == IPPROTO_TCP &&
						!(p->tcp_flags & TCP_SYN) && !(p->flags & PACKET_LATER_FRAGMENT)))
		return drop(skb, p, REASON_CONNTRACK_INVALID);
	n = network_at(p->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	number = service_choose(s, p);
	backend = number ? backend_address(number, p->network, p->is_v4) : NULL;
	if (!backend)
		return drop(skb, p, REASON_NO_BACKEND);
	trace(STEP_SERVICE, number);
	other = &room->other;
	tuple_of_packet(other, p);
	other->destination = *backend;
	other->destination_port = s->port;
	target = endpoint_at(p->network, &other->destination);
	if (!target)
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
