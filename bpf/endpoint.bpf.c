// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* from_endpoint: TC ingress on the host's end of a veth. Judges all that a container sends. */
#include "lib/flood.h"
#include "lib/icmp_error.h"
#include "lib/neighbour.h"
#include "lib/service_flow.h"
#include "lib/snat.h"
#include "lib/to_remote.h"

/* A source that an endpoint may use: its own addresses, and none where a protocol begins without one. */
static __always_inline bool source_is_own(const struct packet *p, const struct interface *in)
{
	if (p->is_v4)
		return address_equal(&p->source, &in->v4) && !address_is_zero(&in->v4);
	if (address_is_zero(&p->source)) /* duplicate address detection, multicast listener reports */
		return p->flags & PACKET_NEIGHBOUR && (p->icmp_type == ND_SOLICITATION || p->icmp_type == 143 ||
						       p->icmp_type == 131 || p->icmp_type == ND_ROUTER_SOLICITATION);
	return address_equal(&p->source, &in->v6) || address_equal(&p->source, &in->link_local);
}

/* Out, in the party's own way; `to` is that to an endpoint. */
static __always_inline int deliver(struct __sk_buff *skb, struct packet *p, const struct config *c, __u32 party,
				   const struct delivery *to, bool same_segment)
{
	if (party == PARTY_ENDPOINT)
		return to_endpoint(skb, p, c, to, same_segment);
	if (party == PARTY_REMOTE || party == PARTY_NODE)
		return to_remote(skb, p);
	if (party == PARTY_HOST)
		return to_host(skb, p, c, STEP_TO_HOST);
	return to_world(skb, p);
}

static __always_inline int masquerade(struct __sk_buff *skb, struct packet *p, struct new_flow *flow,
				      const struct network *n, const struct uplink *up, struct room *room)
{
	struct tuple *other = &room->other;
	int reason;

	tuple_of_packet(other, p);
	other->network = 0;
	other->hop = 1;
	/* A connection whose port is forgotten cannot be taken up again under another one. */
	if (p->protocol == IPPROTO_TCP && !(p->tcp_flags & TCP_SYN) && !(p->flags & PACKET_LATER_FRAGMENT))
		return drop(skb, p, REASON_CONNTRACK_INVALID);
	/* Without ports an answer is not told from the host's own traffic (its tunnels with that peer). */
	if (l4_checksum_offset(p->protocol) < 0 && p->protocol != IPPROTO_SCTP && p->protocol != IPPROTO_ICMP)
		return drop(skb, p, REASON_UNKNOWN_PROTOCOL);
	other->source = p->is_v4 ? n->masquerade4 : n->masquerade6;
	if (address_is_zero(&other->source))
		other->source = p->is_v4 ? up->masquerade4 : up->masquerade6;
	if (address_is_zero(&other->source))
		return drop(skb, p, REASON_NO_SOURCE_ADDRESS);
	reason = snat_choose(skb, p, other);
	if (reason)
		return drop(skb, p, reason);
	flow->flags |= CONNTRACK_SNAT;
	reason = conntrack_create_pair(skb, p, other, flow);
	if (!reason) {
		trace(STEP_MASQUERADED, bpf_ntohs(other->source_port));
		reason = translate(skb, p, other);
	}
	if (reason)
		return drop(skb, p, reason);
	/* An address of the network's own may have another way out than the one that was found. */
	return address_is_zero(p->is_v4 ? &n->masquerade4 : &n->masquerade6) ? leave(skb, p) : to_world(skb, p);
}

/* Drops what cannot leave, and tells its sender why: too large (and how large it may be), or out of
 * hops. */
NOT_INLINED int refuse(struct __sk_buff *skb, struct packet *p, int reason)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct icmp_error *error;
	struct uplink *up;
	struct network *n;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	drop(skb, p, reason);
	n = network_at(p->network);
	if (!n)
		return TC_ACT_SHOT;
	error = &room->error;
	error->from = p->is_v4 ? n->gateway4 : n->gateway6;
	error->code = 0;
	error->mtu = 0;
	if (reason == REASON_TTL_EXCEEDED) {
		error->type = p->is_v4 ? 11 : 3;
	} else {
		up = route_of(skb, p, room) == ROUTE_UPLINK ? uplink_of(&room->fib) : NULL;
		if (!up)
			return TC_ACT_SHOT;
		error->mtu = up->mtu;
		error->type = p->is_v4 ? 3 : 2;
		error->code = p->is_v4 ? 4 : 0;
	}
	return icmp_reply(skb, p, error) ? TC_ACT_SHOT : bpf_redirect(skb->ifindex, 0);
}

/* No uplink takes less than IPv6's minimum: only larger packets pay for a look at the route. */
static __always_inline bool may_be_too_big(const struct __sk_buff *skb, const struct packet *p)
{
	return skb->gso_size ? skb->gso_size > 1280 - 40 - 60 : skb->len - p->l3 > 1280;
}

NOT_INLINED int fits(struct __sk_buff *skb, struct packet *p)
{
	struct room *room = room_get();
	struct uplink *up;

	if (!p || !room || route_of(skb, p, room) != ROUTE_UPLINK)
		return 1;
	up = uplink_of(&room->fib);
	return !up || !too_big(skb, p, up->mtu);
}

static __always_inline const struct address *gateway_of(const struct network *n, const struct packet *p)
{
	return p->is_v4 ? &n->gateway4 : &n->gateway6;
}

/* Whether a permitted flow asks for names, of whose answers this host has to learn. */
static __always_inline bool is_steered(const struct packet *p, const struct network *n)
{
	if (p->destination_port != bpf_htons(53) || (p->protocol != IPPROTO_UDP && p->protocol != IPPROTO_TCP))
		return false;
	return (standing_of(p->source_number, &p->source, p->generation & 1).flags & STANDING_NAMES) &&
	       !address_is_zero(gateway_of(n, p));
}

/* A question for names: the resolver at the gateway answers in the place of who was asked. */
NOT_INLINED int begin_to_resolver(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct new_flow flow = {
		.flags = CONNTRACK_STEERED,
		.source_party = PARTY_ENDPOINT,
		.destination_party = PARTY_HOST,
	};
	struct room *room = room_get();
	struct tuple *other;
	struct network *n;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	n = network_at(p->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	other = &room->other;
	tuple_of_packet(other, p);
	other->destination = *gateway_of(n, p);
	flow.owner = p->source_number;
	reason = conntrack_create_pair(skb, p, other, &flow);
	if (!reason) {
		trace(STEP_STEERED, 0);
		reason = translate(skb, p, other);
	}
	return reason ? drop(skb, p, reason) : to_host(skb, p, c, STEP_TO_HOST);
}

/* A flow to somewhere outside of this host. */
NOT_INLINED int begin_to_world(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct new_flow flow = { .source_party = PARTY_ENDPOINT, .destination_party = PARTY_WORLD };
	struct room *room = room_get();
	struct network *n;
	struct uplink *up;
	bool masquerades;
	int reason, route;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	n = network_at(p->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	flow.owner = p->source_number;
	reason = judge_world(n);
	if (reason)
		return drop(skb, p, reason);
	if (address_is_martian(&p->destination) || address_is_link_local6(&p->destination) ||
	    address_is_link_local6(&p->source))
		return drop(skb, p, REASON_MARTIAN);
	route = route_of(skb, p, room);
	if (route == ROUTE_NONE)
		return drop(skb, p, REASON_NO_ROUTE);
	/* Broadcast, and what the control plane has not heard of yet: the host's all the same. */
	if (route == ROUTE_LOCAL)
		flow.destination_party = PARTY_HOST;
	reason = policy_admit(p, PARTY_ENDPOINT, &p->destination, p->destination_port, 0, flow.destination_party);
	if (reason)
		return drop(skb, p, reason);
	if (p->ttl <= 1 && route == ROUTE_UPLINK)
		return refuse(skb, p, REASON_TTL_EXCEEDED);
	trace(STEP_ALLOWED, 0);
	if (is_steered(p, n))
		return BEGIN_TO_RESOLVER;
	if (route == ROUTE_LOCAL) {
		reason = conntrack_create(skb, p, &flow);
		return reason ? drop(skb, p, reason) : to_host(skb, p, c, STEP_TO_HOST);
	}
	up = route == ROUTE_UPLINK ? uplink_of(&room->fib) : NULL;
	if (!up || (n->flags & NETWORK_STACK)) {
		flow.flags = CONNTRACK_STACK;
		reason = conntrack_create(skb, p, &flow);
		return reason ? drop(skb, p, reason) : to_host(skb, p, c, STEP_TO_STACK);
	}
	if (too_big(skb, p, up->mtu))
		return refuse(skb, p, REASON_TOO_BIG);
	masquerades = n->flags & (p->is_v4 ? NETWORK_MASQUERADE4 : NETWORK_MASQUERADE6);
	if (masquerades)
		return masquerade(skb, p, &flow, n, up, room);
	reason = conntrack_create(skb, p, &flow);
	return reason ? drop(skb, p, reason) : leave(skb, p);
}

/* A flow to a published port, by way of the host's address. */
NOT_INLINED int begin_to_published(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct new_flow flow = {
		.flags = CONNTRACK_PUBLISHED,
		.source_party = PARTY_ENDPOINT,
		.destination_party = PARTY_ENDPOINT,
	};
	struct endpoint *target;
	struct publish *pub;
	struct room *room = room_get();
	struct tuple *other;
	struct network *n, *m;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	if (address_is_link_local6(&p->source)) /* of its own segment alone */
		return drop(skb, p, REASON_MARTIAN);
	other = &room->other;
	pub = publish_at(&p->destination, p->destination_port, p->protocol);
	if (!pub)
		return drop(skb, p, REASON_NOT_PUBLISHED);
	trace(STEP_PUBLISHED, bpf_ntohs(pub->port));
	/* What comes back by the tunnel is for a client outside. */
	if (pub->flags & PUBLISH_REMOTE)
		return drop(skb, p, REASON_PUBLISHED_ELSEWHERE);
	n = network_at(p->network);
	m = network_at(pub->network);
	target = local_endpoint_at(pub->network, &pub->addr);
	if (!n || !m || !target)
		return drop(skb, p, REASON_NO_ENDPOINT);
	if (((n->flags | m->flags) & NETWORK_INTERNAL) && pub->network != p->network)
		return drop(skb, p, REASON_INTERNAL_NETWORK);
	tuple_of_packet(other, p);
	other->network = pub->network;
	other->destination = pub->addr;
	other->destination_port = pub->port;
	/* A container that reaches itself must not see its own address come in: the gateway speaks. */
	if (address_equal(&pub->addr, &p->source))
		other->source = p->is_v4 ? n->gateway4 : n->gateway6;
	flow.owner = p->source_number;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	reason = policy_admit(p, PARTY_ENDPOINT, &pub->addr, pub->port, target->number, PARTY_ENDPOINT);
	if (!reason)
		reason = conntrack_create_pair(skb, p, other, &flow);
	if (!reason)
		reason = translate(skb, p, other);
	if (reason)
		return drop(skb, p, reason);
	return to_endpoint(skb, p, c, &room->to_destination, false);
}

/* The first packet of a flow: where to, and may it? */
NOT_INLINED int begin(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct new_flow flow = { .source_party = PARTY_ENDPOINT };
	struct room *room = room_get();
	struct host_addr *host;
	struct endpoint *peer;
	struct network *n;
	struct subnet *s;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	trace(STEP_CONNTRACK_MISS, 0);
	flow.owner = p->source_number;
	peer = endpoint_at(p->network, &p->destination);
	if (peer) {
		n = network_at(p->network);
		if (!n)
			return drop(skb, p, REASON_CONFIG_MISSING);
		flow.destination_party = peer->flags & ENDPOINT_REMOTE ? PARTY_REMOTE : PARTY_ENDPOINT;
		delivery_set(&room->to_destination, peer->ifindex, &peer->mac);
		reason = judge_local(n, false);
		if (!reason)
			reason = policy_admit(p, PARTY_ENDPOINT, &p->destination, p->destination_port, peer->number,
					      flow.destination_party);
		if (reason)
			return drop(skb, p, reason);
		trace(STEP_ALLOWED, 0);
		/* An echo reply without a flow: everybody was asked, by a broadcast. */
		if ((p->flags & PACKET_CANNOT_BEGIN) && (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6)) {
			if (decision_kind(p->decision) == DECISION_AUDIT)
				emit_audited(skb, p);
		} else {
			reason = conntrack_create(skb, p, &flow);
			if (reason)
				return drop(skb, p, reason);
		}
		return flow.destination_party == PARTY_REMOTE ? BEGIN_TO_REMOTE : to_neighbour(skb, p, c, n);
	}
	/* To any node: masqueraded it would come from one. The host has addresses, too, that are not listed
	 * (broadcast). */
	if (p->protocol == IPPROTO_UDP && c->tunnel_port && p->destination_port == bpf_htons(c->tunnel_port))
		return drop(skb, p, REASON_TUNNEL_FORGED);
	host = host_addr_at(&p->destination);
	if (host) {
		n = network_at(p->network);
		if (!n)
			return drop(skb, p, REASON_CONFIG_MISSING);
		if (n->flags & NETWORK_HOST_OFF)
			return drop(skb, p, REASON_HOST_ACCESS_OFF);
		if (publish_at(&p->destination, p->destination_port, p->protocol))
			return BEGIN_TO_PUBLISHED;
		if (host->network ? host->network != p->network : !!(n->flags & NETWORK_INTERNAL))
			return drop(skb, p, host->network ? REASON_ISOLATED : REASON_INTERNAL_NETWORK);
		flow.destination_party = PARTY_HOST;
		reason = policy_admit(p, PARTY_ENDPOINT, &p->destination, p->destination_port, 0, PARTY_HOST);
		if (reason)
			return drop(skb, p, reason);
		trace(STEP_ALLOWED, 0);
		/* The gateway's own is the resolver. */
		if (!host->network && is_steered(p, n))
			return BEGIN_TO_RESOLVER;
		reason = conntrack_create(skb, p, &flow);
		return reason ? drop(skb, p, reason) : to_host(skb, p, c, STEP_TO_HOST);
	}
	s = subnet_of(&p->destination);
	/* What a routed network publishes answers containers of other networks, too. */
	if (s && s->network != p->network) {
		struct publish *pub = publish_direct(p);

		if (pub && !(pub->flags & PUBLISH_TRUSTED))
			return BEGIN_TO_PUBLISHED;
	}
	if (s && s->network == p->network)
		return BEGIN_TO_SERVICE; /* or to nobody */
	if (s)
		return drop(skb, p, REASON_ISOLATED);
	n = network_at(p->network);
	if (n && (n->flags & NETWORK_LAN) && service_has(p->network, &p->destination))
		return BEGIN_TO_SERVICE;
	return BEGIN_TO_WORLD;
}

/* An error about a packet that this endpoint received. */
NOT_INLINED int relate(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	__u32 network = 0, party = 0;
	struct interface *in;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	reason = icmp_error_relate(skb, p, &network, &party);
	if (reason)
		return drop(skb, p, reason);
	in = interface_at(skb->ifindex);
	if (in && leaves_by_lan(in, party, network == p->network ? 0 : CONNTRACK_TRANSLATED))
		return to_lan(skb, p, in);
	return deliver(skb, p, c, party, &room->to_destination, network == p->network);
}

/* Clients take an answer from any source port. */
static __always_inline bool is_for_dhcp_client(const struct packet *p)
{
	return p->protocol == IPPROTO_UDP && !(p->flags & PACKET_LATER_FRAGMENT) &&
	       p->destination_port == (p->is_v4 ? bpf_htons(68) : bpf_htons(546));
}

/* The rare wrongs and the frames that are not flows. */
NOT_INLINED int not_a_flow(struct __sk_buff *skb, struct packet *p)
{
	struct interface *in = interface_at(skb->ifindex);

	if (!p || !in)
		return TC_ACT_SHOT;
	if (p->flags & PACKET_NEIGHBOUR) {
		int action = answer_nd(skb, p, in);

		if (action == NEIGHBOUR_TO_LAN) {
			int reason = nd_to_lan(skb, p, in);

			action = reason ? drop(skb, p, reason) : neighbour_to_lan(skb, p, in);
		}
		return action;
	}
	if (is_for_dhcp_client(p))
		return drop(skb, p, REASON_DHCP_SERVER);
	if (is_group(p))
		return flood(skb, p, in);
	return drop(skb, p, REASON_UNICAST_IN_BROADCAST);
}

SEC("tc")
int from_endpoint(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_ENDPOINT };
	const struct config *c = config_get();
	struct room *room = room_get();
	struct interface *in;
	struct conntrack *ct;
	struct ethhdr *eth;
	bool reply = false, by_lan;
	const __u16 *mac;
	__u32 party, flags;
	int reason;

	in = interface_at(skb->ifindex);
	if (!in)
		return drop(skb, &p, REASON_UNKNOWN_INTERFACE);
	if (!c || !c->host_ifindex || !room)
		return drop(skb, &p, REASON_CONFIG_MISSING);
	p.network = in->network;
	p.source_number = in->number;
	p.generation = c->generation;
	packet_pull(skb, ETH_HLEN);
	eth = (void *)(long)skb->data;
	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return drop(skb, &p, REASON_TRUNCATED);
	p.ethertype = bpf_ntohs(eth->h_proto);
	mac = (const __u16 *)eth->h_source;
	if (mac[0] != ((const __u16 *)in->mac.bytes)[0] || mac[1] != ((const __u16 *)in->mac.bytes)[1] ||
	    mac[2] != ((const __u16 *)in->mac.bytes)[2])
		return drop(skb, &p, REASON_SPOOFED);
	if (skb->vlan_present || p.ethertype == ETH_P_8021Q || p.ethertype == ETH_P_8021AD)
		return drop(skb, &p, REASON_VLAN_TAGGED);
	if (eth->h_dest[0] & 1)
		p.flags |= PACKET_LINK_MULTICAST;
	if (p.ethertype == ETH_P_ARP)
		return answer_arp(skb, &p, in);
	reason = packet_parse(skb, &p, ETH_HLEN);
	if (reason)
		return drop(skb, &p, reason);
	trace(STEP_PARSED, 0);
	/* Of a slot that another device was given meanwhile, what was read may be the other's. */
	if ((!source_is_own(&p, in) && !((in->flags & INTERFACE_LAN) && asks_for_address(&p))) ||
	    *(const volatile __u32 *)&in->ifindex != skb->ifindex)
		return drop(skb, &p, REASON_SPOOFED);
	trace(STEP_SOURCE_VERIFIED, in->number);
	if (in->flags & INTERFACE_EGRESS_LIMITED) {
		int rate = skb->mark == RATE_PAID ? RATE_PASSES :
						    rate_judge(2 * in->number + RATE_EGRESS, rate_bytes(skb, &p));

		if (rate == RATE_EXCEEDED)
			return drop(skb, &p, REASON_RATE_LIMITED);
		if (rate == RATE_WAITS)
			return rate_wait(skb, c, skb->ifindex);
		skb->mark = 0;
	}
	if ((p.flags & (PACKET_NEIGHBOUR | PACKET_LINK_MULTICAST)) || address_is_multicast(&p.destination) ||
	    is_for_dhcp_client(&p))
		return not_a_flow(skb, &p);
	if (p.flags & PACKET_ICMP_ERROR)
		return relate(skb, &p);
	if (packet_is_fragment(&p)) {
		reason = fragment_ports(&p);
		if (reason)
			return drop(skb, &p, reason);
	}
	ct = conntrack_lookup(skb, &p, c, &room->of_packet, &reply);
	if (!ct) {
		int action;

		delivery_set(&room->to_source, skb->ifindex, &in->mac);
		action = begin(skb, &p);

		if (action == BEGIN_TO_WORLD)
			action = in->flags & INTERFACE_LAN ? begin_to_lan(skb, &p) : begin_to_world(skb, &p);
		if (action == BEGIN_TO_RESOLVER)
			return begin_to_resolver(skb, &p);
		if (action == BEGIN_TO_SERVICE)
			return begin_to_service(skb, &p);
		if (action == BEGIN_TO_REMOTE)
			return to_remote(skb, &p);
		return action == BEGIN_TO_PUBLISHED ? begin_to_published(skb, &p) : action;
	}
	trace(STEP_CONNTRACK_HIT, ct->state);
	/* What we wrote to the other wire of a translated flow is answered there, and begun by nobody. */
	if ((ct->flags & CONNTRACK_REPLY_HALF) && !reply)
		return drop(skb, &p, REASON_CONNTRACK_INVALID);
	reason = judge_known(skb, &p, ct, reply);
	if (reason)
		return drop(skb, &p, reason);
	party = reply ? ct->source_party : ct->destination_party;
	flags = ct->flags;
	if (party == PARTY_NODE && (flags & CONNTRACK_TRANSLATED))
		party = PARTY_WORLD; /* straight to who has asked another host */
	by_lan = leaves_by_lan(in, party, flags);
	/* Before the packet changes, since the error quotes it as it was sent. */
	if (party == PARTY_WORLD && !(flags & CONNTRACK_STACK) && !by_lan) {
		if (p.ttl <= 1)
			return refuse(skb, &p, REASON_TTL_EXCEEDED);
		if (may_be_too_big(skb, &p) && !fits(skb, &p))
			return refuse(skb, &p, REASON_TOO_BIG);
	}
	if (flags & CONNTRACK_TRANSLATED) {
		tuple_of_other(&room->other, ct, reply);
		room->other.hop = party == PARTY_WORLD;
	}
	if (!conntrack_delivery(room, ct, &room->of_packet, reply))
		return drop(skb, &p, REASON_CONNTRACK_INVALID);
	if (by_lan)
		return to_lan(skb, &p, in);
	if (flags & CONNTRACK_TRANSLATED) {
		reason = translate(skb, &p, &room->other);
		if (reason)
			return drop(skb, &p, reason);
	} else if (flags & CONNTRACK_STACK) {
		return to_host(skb, &p, c, STEP_TO_STACK);
	}
	return deliver(skb, &p, c, party, &room->to_destination, !(flags & CONNTRACK_TRANSLATED));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
