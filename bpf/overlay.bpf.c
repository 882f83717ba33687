// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* from_overlay: TC ingress on the overlay's VXLAN device. from_wireguard: on the WireGuard device, for encrypted networks.
 * What endpoints on other hosts send to those here: the sender's host has judged their egress, and here it is seen that they
 * are where they come from, and judged what they may reach. Nothing that comes in by a tunnel goes up the host's stack, or
 * into another tunnel. */
#include "lib/flood.h"
#include "lib/from_remote.h"
#include "lib/icmp_error.h"
#include "lib/wireguard.h"

/* To all of the network, or to a group: a copy for each member here that policy lets have one. */
NOT_INLINED int group_from_overlay(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct flood f = {};
	struct network *n;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	if (!is_group(p))
		return drop(skb, p, REASON_UNICAST_IN_BROADCAST);
	if (!(p->flags & PACKET_LINK_MULTICAST))
		return drop(skb, p, REASON_MALFORMED);
	n = network_at(p->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	reason = judge_local(n, false);
	if (reason)
		return drop(skb, p, reason);
	flood_prepare(&f, skb, p, c, &room->judged, p->source_number, PARTY_REMOTE);
	trace(STEP_FLOODED, n->members);
	count(COUNTER_FLOODED);
	if (!tracing)
		flood_copies(&f, n);
	return flood_end(skb, p, &room->judged, &f);
}

/* The first packet of a flow. Answers a drop reason. */
NOT_INLINED int begin_from_overlay(struct __sk_buff *skb, struct packet *p)
{
	struct new_flow flow = { .source_party = PARTY_REMOTE, .destination_party = PARTY_ENDPOINT };
	struct room *room = room_get();
	struct endpoint *target;
	struct network *n;
	int reason;

	if (!p || !room)
		return REASON_CONFIG_MISSING;
	trace(STEP_CONNTRACK_MISS, 0);
	n = network_at(p->network);
	if (!n)
		return REASON_CONFIG_MISSING;
	target = local_endpoint_at(p->network, &p->destination);
	if (!target)
		return REASON_NO_ENDPOINT;
	flow.owner = target->number;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	reason = judge_local(n, false);
	if (!reason)
		reason = policy_admit(p, PARTY_REMOTE, &p->destination, p->destination_port, flow.owner, PARTY_ENDPOINT);
	if (reason)
		return reason;
	trace(STEP_ALLOWED, 0);
	/* An echo reply without a flow: everybody was asked, by a broadcast. */
	if ((p->flags & PACKET_CANNOT_BEGIN) && (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6)) {
		if (decision_kind(p->decision) == DECISION_AUDIT)
			emit_audited(skb, p);
		return REASON_NONE;
	}
	return conntrack_create(skb, p, &flow);
}

/* An error about a packet that an endpoint here has sent, or a client that came in here. Answers a drop reason, or
 * GO_TO_CLIENT. */
NOT_INLINED int relate(struct __sk_buff *skb, struct packet *p)
{
	__u32 network = 0, party = 0;
	int reason;

	if (!p)
		return REASON_CONFIG_MISSING;
	reason = icmp_error_relate(skb, p, &network, &party);
	if (!reason && party == PARTY_WORLD)
		return GO_TO_CLIENT;
	return !reason && (party != PARTY_ENDPOINT || network != p->network) ? REASON_ICMP_UNRELATED : reason;
}

/* Somebody outside, whom that host may have taken in: not who could be told from nobody here. */
static __always_inline bool is_outsider(const struct packet *p)
{
	return !endpoint_at(p->network, &p->source) && !subnet_of(&p->source) && !address_is_martian(&p->source) &&
	       !address_is_multicast(&p->source) && !address_is_link_local6(&p->source);
}

/* Whether the other hosts lead there. */
static __always_inline bool is_published_by_nodes(const struct packet *p)
{
	struct publish *pub = publish_exact(&p->destination, p->destination_port, p->protocol);

	return pub && (pub->flags & PUBLISH_BY_NODE) && pub->network == p->network;
}

/* The first packet of a flow from outside. Answers a drop reason. */
NOT_INLINED int begin_from_client(struct __sk_buff *skb, struct packet *p)
{
	struct new_flow flow = {
		.flags = CONNTRACK_PUBLISHED,
		.source_party = PARTY_NODE,
		.destination_party = PARTY_ENDPOINT,
	};
	struct room *room = room_get();
	struct endpoint *target;
	struct network *n;
	int reason;

	if (!p || !room)
		return REASON_CONFIG_MISSING;
	trace(STEP_CONNTRACK_MISS, 0);
	n = network_at(p->network);
	target = local_endpoint_at(p->network, &p->destination);
	if (!n || !target)
		return REASON_NO_ENDPOINT;
	flow.owner = target->number;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	reason = judge_world(n);
	if (!reason)
		reason = policy_admit(p, PARTY_NODE, &p->destination, p->destination_port, flow.owner, PARTY_ENDPOINT);
	if (reason)
		return reason;
	trace(STEP_ALLOWED, 0);
	return conntrack_create(skb, p, &flow);
}

/* A packet of a flow that is known already. Answers a drop reason. */
static __always_inline int client_goes_on(struct __sk_buff *skb, struct packet *p, struct conntrack *ct, bool reply,
					  struct room *room)
{
	__u32 node = room->to_source.ifindex;
	int reason;

	trace(STEP_CONNTRACK_HIT, ct->state);
	if (!conntrack_hears(ct, reply, PARTY_NODE))
		return REASON_CONNTRACK_INVALID;
	/* The container tells two hosts' connections with one client's port apart as little as we. What has no connections
	 * is answered by where it came from last. */
	if (ct->to_source.ifindex != node) {
		if (protocol_is_connection(p->protocol) && node_at(ct->to_source.ifindex))
			return REASON_CONNTRACK_INVALID;
		if (!tracing)
			*(volatile __u64 *)&ct->to_source = (__u64)conntrack_check(&room->of_packet) << 32 | node;
	}
	reason = judge_known(skb, p, ct, reply);
	if (!reason && !conntrack_delivery(room, ct, &room->of_packet, reply))
		reason = REASON_CONNTRACK_INVALID;
	return reason;
}

/* What no endpoint has sent: another host passes on what has come in there from outside for a port of an endpoint here
 * that is published on all hosts. Nothing else comes in so. @from: the tunnel's other end. Answers a drop reason,
 * CLIENT_ERROR or CLIENT_OF_NODE. */
NOT_INLINED int from_client(struct __sk_buff *skb, struct packet *p, const struct address *from)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	const struct node *node;
	struct mac none = {};
	struct conntrack *ct;
	bool reply = false;
	__u32 *number;

	if (!p || !from || !c || !room)
		return REASON_CONFIG_MISSING;
	room->other.source = *from; /* an argument is no map key on Linux 6.1 */
	number = bpf_map_lookup_elem(&node_numbers, &room->other.source);
	if (!number || !is_outsider(p) || (p->flags & (PACKET_NEIGHBOUR | PACKET_LINK_MULTICAST)))
		return REASON_SPOOFED_TUNNEL;
	p->source_number = 0;
	delivery_set(&room->to_source, *number, &none);
	node = node_at(room->to_source.ifindex);
	if (!node || !node_is_at(node, p, &room->other.source))
		return REASON_SPOOFED_TUNNEL;
	if (p->flags & PACKET_ICMP_ERROR)
		return CLIENT_ERROR;
	if (packet_is_fragment(p) && fragment_ports(p))
		return REASON_FRAGMENT_UNKNOWN;
	if (!is_published_by_nodes(p))
		return CLIENT_OF_NODE;
	trace(STEP_SOURCE_VERIFIED, 0);
	ct = conntrack_lookup_by(skb, p, c, &room->of_packet, &reply, PARTY_NODE);
	if (ct && conntrack_is_straight(ct) && !protocol_is_connection(p->protocol)) {
		conntrack_remove(&room->of_packet);
		ct = NULL;
	}
	return ct ? client_goes_on(skb, p, ct, reply, room) : begin_from_client(skb, p);
}

/* What this host answers straight, whichever is asked. */
static __always_inline struct publish *published_straight(const struct packet *p)
{
	struct publish *pub = publish_at(&p->destination, p->destination_port, p->protocol);

	return pub && (pub->flags & (PUBLISH_REMOTE | PUBLISH_STRAIGHT)) == PUBLISH_STRAIGHT &&
			       pub->network == p->network ?
		       pub : NULL;
}

/* The first packet of a flow that another host leaves to this one to answer. Answers a drop reason. */
NOT_INLINED int begin_straight(struct __sk_buff *skb, struct packet *p)
{
	struct new_flow flow = {
		.flags = CONNTRACK_PUBLISHED,
		.source_party = PARTY_NODE,
		.destination_party = PARTY_ENDPOINT,
	};
	struct room *room = room_get();
	struct endpoint *target;
	struct conntrack *taken;
	struct publish *pub;
	struct tuple *other;
	struct network *n;
	int reason;

	if (!p || !room)
		return REASON_CONFIG_MISSING;
	trace(STEP_CONNTRACK_MISS, 0);
	pub = published_straight(p);
	if (!pub)
		return REASON_SPOOFED_TUNNEL;
	n = network_at(p->network);
	target = local_endpoint_at(p->network, &pub->addr);
	if (!n || !target)
		return REASON_NO_ENDPOINT;
	other = &room->other;
	tuple_of_packet(other, p);
	/* Who comes from a host is answered by way of the one that was asked. */
	if (host_addr_at(&p->source) || bpf_map_lookup_elem(&node_addrs, &other->source))
		return REASON_SPOOFED_TUNNEL;
	other->destination = pub->addr;
	other->destination_port = pub->port;
	flow.owner = target->number;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	reason = judge_world(n);
	if (!reason)
		reason = policy_admit(p, PARTY_NODE, &pub->addr, pub->port, flow.owner, PARTY_ENDPOINT);
	if (reason)
		return reason;
	trace(STEP_ALLOWED, 0);
	reason = conntrack_create_pair(skb, p, other, &flow);
	/* The container tells two hosts' flows with one client's port apart as little as we. What has no connections is
	 * answered by where it came from last. */
	if (reason == REASON_CONNTRACK_INVALID && !protocol_is_connection(p->protocol)) {
		taken = bpf_map_lookup_elem(&conntrack, &room->other_key);
		if (!taken || taken->source_party != PARTY_NODE)
			return reason;
		conntrack_remove(&room->other_key);
		reason = conntrack_create_pair(skb, p, other, &flow);
	}
	return reason ? reason : translate(skb, p, other);
}

/* What a client has asked of an address of the host that brings it, as it has asked it: it is translated here as at a port
 * of this host, and answered by this host's own uplink. Nobody else's address may be spoken under. Answers a drop reason, or
 * CLIENT_BEGINS. */
NOT_INLINED int client_of_node(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct publish *pub;
	struct conntrack *ct;
	bool reply = false;
	__u32 *number, node;
	int reason;

	if (!p || !c || !room)
		return REASON_CONFIG_MISSING;
	node = room->to_source.ifindex;
	room->other.destination = p->destination;
	number = bpf_map_lookup_elem(&node_addrs, &room->other.destination);
	if (!number || *number != node)
		return REASON_SPOOFED_TUNNEL;
	pub = published_straight(p);
	if (!pub)
		return REASON_SPOOFED_TUNNEL;
	trace(STEP_SOURCE_VERIFIED, 0);
	trace(STEP_PUBLISHED, bpf_ntohs(pub->port));
	ct = conntrack_lookup(skb, p, c, &room->of_packet, &reply);
	if (!ct)
		return CLIENT_BEGINS;
	trace(STEP_CONNTRACK_HIT, ct->state);
	if (reply || !conntrack_is_straight(ct) || (ct->flags & CONNTRACK_REPLY_HALF))
		return REASON_CONNTRACK_INVALID;
	/* The address has moved to another host, of which errors come from now on. */
	if (ct->to_source.ifindex != node && !tracing)
		*(volatile __u64 *)&ct->to_source = (__u64)conntrack_check(&room->of_packet) << 32 | node;
	reason = judge_known(skb, p, ct, reply);
	if (reason)
		return reason;
	tuple_of_other(&room->other, ct, reply);
	if (!conntrack_delivery(room, ct, &room->of_packet, reply))
		return REASON_CONNTRACK_INVALID;
	return translate(skb, p, &room->other);
}

/* What a frame may be at all. `p` is told. Answers a drop reason. */
static __always_inline int frame_admit(struct packet *p, const struct ethhdr *eth, bool tagged)
{
	p->ethertype = bpf_ntohs(eth->h_proto);
	if (tagged || p->ethertype == ETH_P_8021Q || p->ethertype == ETH_P_8021AD)
		return REASON_VLAN_TAGGED;
	if (eth->h_dest[0] & 1)
		p->flags |= PACKET_LINK_MULTICAST;
	/* Who has an address is answered where it is asked. */
	if (p->ethertype == ETH_P_ARP)
		return REASON_ARP_UNANSWERED;
	return p->ethertype == ETH_P_IP || p->ethertype == ETH_P_IPV6 ? REASON_NONE : REASON_UNKNOWN_PROTOCOL;
}

/* A frame of another host's, out of its tunnel. @from: the tunnel's other end; @mac: the frame's source */
static __always_inline int take_frame(struct __sk_buff *skb, struct packet *p, const struct config *c, struct room *room,
				      const struct network *n, const struct address *from, const struct mac *mac)
{
	struct conntrack *ct;
	bool reply = false;
	int reason = packet_parse(skb, p, ETH_HLEN);

	if (reason)
		return drop(skb, p, reason);
	trace(STEP_PARSED, 0);
	if ((n->flags & NETWORK_ENCRYPTED) && p->hook != HOOK_FROM_WIREGUARD)
		return drop(skb, p, REASON_NOT_ENCRYPTED);
	if (!source_is_there(p, room, from, mac)) {
		reason = from_client(skb, p, from);
		if (reason == CLIENT_ERROR)
			reason = relate(skb, p);
		else if (reason == CLIENT_OF_NODE)
			reason = client_of_node(skb, p);
		if (reason == CLIENT_BEGINS)
			reason = begin_straight(skb, p);
		return reason ? drop(skb, p, reason) : to_endpoint(skb, p, c, &room->to_destination, false);
	}
	trace(STEP_SOURCE_VERIFIED, p->source_number);
	if (p->flags & PACKET_NEIGHBOUR)
		return drop(skb, p, p->is_v4 ? REASON_ROUTER_ADVERTISEMENT : REASON_ND_UNANSWERED);
	if ((p->flags & PACKET_LINK_MULTICAST) || address_is_multicast(&p->destination))
		return group_from_overlay(skb, p);
	if (p->flags & PACKET_ICMP_ERROR) {
		reason = relate(skb, p);
	} else {
		if (packet_is_fragment(p)) {
			reason = fragment_ports(p);
			if (reason)
				return drop(skb, p, reason);
		}
		ct = conntrack_lookup(skb, p, c, &room->of_packet, &reply);
		reason = ct ? go_on(skb, p, ct, reply, room) : begin_from_overlay(skb, p);
	}
	if (reason == GO_TO_CLIENT)
		return to_client(skb, p);
	return reason ? drop(skb, p, reason) : to_endpoint(skb, p, c, &room->to_destination, true);
}

SEC("tc")
int from_overlay(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_OVERLAY };
	const struct config *c = config_get();
	struct room *room = room_get();
	struct address tunnel;
	struct mac mac;
	struct network *n;
	struct ethhdr *eth;
	int reason;

	if (!c || !c->host_ifindex || !room)
		return drop(skb, &p, REASON_CONFIG_MISSING);
	p.generation = c->generation;
	if (!tunnel_get(skb, room, &tunnel))
		return drop(skb, &p, REASON_UNKNOWN_TUNNEL);
	n = network_at(room->tunnel.tunnel_id);
	if (!n || !(n->flags & NETWORK_OVERLAY))
		return drop(skb, &p, REASON_UNKNOWN_TUNNEL);
	p.network = room->tunnel.tunnel_id;
	packet_pull(skb, ETH_HLEN);
	eth = (void *)(long)skb->data;
	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return drop(skb, &p, REASON_TRUNCATED);
	reason = frame_admit(&p, eth, skb->vlan_present);
	if (reason)
		return drop(skb, &p, reason);
	mac = *(struct mac *)eth->h_source;
	return take_frame(skb, &p, c, room, n, &tunnel, &mac);
}

/* Packets begin with the IP header. All that the device brings ends here. */
SEC("tc")
int from_wireguard(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_WIREGUARD };
	const struct config *c = config_get();
	struct room *room = room_get();
	struct network *n;
	__u32 vni;
	int reason;

	if (!c || !c->host_ifindex || !room)
		return drop(skb, &p, REASON_CONFIG_MISSING);
	p.generation = c->generation;
	reason = crypt_headers_get(skb, room);
	if (reason)
		return drop(skb, &p, reason);
	vni = bpf_ntohl(room->crypt.vni) >> 8;
	n = network_at(vni);
	if (!n || !(n->flags & NETWORK_ENCRYPTED))
		return drop(skb, &p, REASON_UNKNOWN_TUNNEL);
	p.network = vni;
	reason = frame_admit(&p, &room->crypt.inner, false);
	if (!reason)
		reason = crypt_unwrap(skb, room);
	if (reason)
		return drop(skb, &p, reason);
	packet_pull(skb, ETH_HLEN);
	return take_frame(skb, &p, c, room, n, (struct address *)&room->crypt.ip.saddr,
			  (struct mac *)room->crypt.inner.h_source);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
