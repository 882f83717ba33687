// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* from_host: TC egress on the host device, which carries the routes to all containers. What gets here
 * was sent by a process of this host, or is forwarded by its stack. */
#include "lib/icmp_error.h"

/* From an egress hook only the host's end can be the target: the veth itself carries it over. */
static __always_inline int hand_over(struct __sk_buff *skb, const struct packet *p, const struct config *c,
				     const struct endpoint *e)
{
	int rate = RATE_PASSES;

	trace(STEP_TO_ENDPOINT, e->ifindex);
	if (c->flags & CONFIG_INGRESS_LIMITS)
		rate = rate_of_receiver(skb, p, e->ifindex);
	if (rate == RATE_EXCEEDED)
		return drop(skb, p, REASON_RATE_LIMITED);
	if (set_macs(skb, &e->mac, &c->host_mac))
		return drop(skb, p, REASON_REWRITE_FAILED);
	if (rate == RATE_WAITS)
		return rate_wait(skb, c, RATE_TO_ENDPOINT | e->ifindex);
	return bpf_redirect(e->ifindex, 0);
}

SEC("tc")
int from_host(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_HOST };
	const struct config *c = config_get();
	bool forwarded = skb->ingress_ifindex, reply = false;
	struct new_flow flow = { .destination_party = PARTY_ENDPOINT };
	struct room *room = room_get();
	struct endpoint *e;
	struct conntrack *ct;
	struct network *n;
	int reason;

	if (!c || !c->host_ifindex || !room)
		return drop(skb, &p, REASON_CONFIG_MISSING);
	p.generation = c->generation;
	packet_pull(skb, ETH_HLEN);
	p.ethertype = bpf_ntohs(skb->protocol);
	reason = packet_parse(skb, &p, ETH_HLEN);
	if (reason)
		return drop(skb, &p, reason);
	trace(STEP_PARSED, 0);
	if (address_is_multicast(&p.destination) || (p.flags & PACKET_NEIGHBOUR))
		return drop(skb, &p, REASON_MULTICAST_FROM_HOST);
	e = local_endpoint_at(0, &p.destination);
	if (!e)
		return drop(skb, &p, REASON_NO_ENDPOINT);
	p.network = e->network;
	n = network_at(e->network);
	if (!n)
		return drop(skb, &p, REASON_CONFIG_MISSING);
	if (p.flags & PACKET_ICMP_ERROR) {
		__u32 network = 0, party = 0;

		reason = icmp_error_relate(skb, &p, &network, &party);
		if (reason)
			return drop(skb, &p, reason);
		if (party != PARTY_ENDPOINT)
			return drop(skb, &p, REASON_ICMP_UNRELATED);
		e = local_endpoint_at(network, &p.destination);
		return e ? hand_over(skb, &p, c, e) : drop(skb, &p, REASON_NO_ENDPOINT);
	}
	if (packet_is_fragment(&p)) {
		reason = fragment_ports(&p);
		if (reason)
			return drop(skb, &p, reason);
	}
	ct = conntrack_lookup(skb, &p, c, &room->of_packet, &reply);
	if (ct) {
		trace(STEP_CONNTRACK_HIT, ct->state);
		/* A tuple that a translated flow has is not the stack's to use, but for the resolver's answers. */
		if ((ct->flags & CONNTRACK_TRANSLATED) &&
		    !(reply && !forwarded && (ct->flags & CONNTRACK_STEERED) && (ct->flags & CONNTRACK_REPLY_HALF)))
			return drop(skb, &p, REASON_CONNTRACK_INVALID);
		/* Who speaks by way of another host does not speak by this one. */
		if ((reply ? ct->destination_party : ct->source_party) == PARTY_NODE)
			return drop(skb, &p, REASON_CONNTRACK_INVALID);
		/* A forwarded packet may only belong to what left by the stack, or came in routed; or answer
		 * what an endpoint asked of the host, which another tool's rules may hand on to elsewhere. */
		if (forwarded && (reply ? ct->destination_party : ct->source_party) != PARTY_WORLD &&
		    !(reply && ct->destination_party == PARTY_HOST))
			return drop(skb, &p, REASON_FORWARDED_BY_HOST);
		reason = judge_known(skb, &p, ct, reply);
		if (!reason && (ct->flags & CONNTRACK_TRANSLATED)) {
			tuple_of_other(&room->other, ct, reply);
			reason = conntrack_delivery(room, ct, &room->of_packet, reply) ?
					 translate(skb, &p, &room->other) : REASON_CONNTRACK_INVALID;
		}
		if (reason)
			return drop(skb, &p, reason);
		return hand_over(skb, &p, c, e);
	}
	trace(STEP_CONNTRACK_MISS, 0);
	if (forwarded) {
		if (judge_direct(n, &p, skb->ingress_ifindex, &flow.flags))
			return drop(skb, &p, REASON_FORWARDED_BY_HOST);
		if (subnet_of(&p.source))
			return drop(skb, &p, REASON_SPOOFED);
		flow.source_party = PARTY_WORLD;
		flow.owner = e->number;
	} else {
		flow.source_party = PARTY_HOST;
	}
	delivery_set(&room->to_destination, e->ifindex, &e->mac);
	reason = policy_admit(&p, flow.source_party, &p.destination, p.destination_port, e->number, PARTY_ENDPOINT);
	if (reason)
		return drop(skb, &p, reason);
	trace(STEP_ALLOWED, 0);
	reason = conntrack_create(skb, &p, &flow);
	if (reason)
		return drop(skb, &p, reason);
	return hand_over(skb, &p, c, e);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
