// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* from_uplink: TC ingress on each uplink. Published ports from outside and replies to masqueraded
 * flows go to their containers; what is the host's own passes untouched. */
#include "lib/encapsulation.h"
#include "lib/from_remote.h"
#include "lib/icmp_error.h"
#include "lib/snat.h"
#include "lib/straight_flow.h"
#include "lib/to_remote.h"

/* A device without an Ethernet header gets one before its packet enters a veth or a tunnel. Answers a drop reason. */
static __always_inline int enter_segment(struct __sk_buff *skb, struct packet *p, bool ethernet)
{
	int reason = p->flags & PACKET_ICMP_ERROR ? REASON_NONE : take_hop(skb, p);
	__be16 type = p->is_v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);

	if (reason || ethernet)
		return reason;
	if (bpf_skb_change_head(skb, ETH_HLEN, 0) || bpf_skb_store_bytes(skb, 12, &type, 2, 0))
		return REASON_REWRITE_FAILED;
	p->l3 += ETH_HLEN;
	p->l4 += ETH_HLEN;
	return REASON_NONE;
}

static __always_inline int into_endpoint(struct __sk_buff *skb, struct packet *p, const struct config *c,
					 const struct delivery *to, bool ethernet)
{
	int reason = enter_segment(skb, p, ethernet);

	return reason ? drop(skb, p, reason) : to_endpoint(skb, p, c, to, false);
}

/* To an endpoint of `p->network` on another host, as that host is to see it. */
NOT_INLINED int by_tunnel(struct __sk_buff *skb, struct packet *p, __u32 ethernet)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	reason = enter_segment(skb, p, ethernet);
	if (!reason && set_macs(skb, &room->to_destination.mac, &c->host_mac))
		reason = REASON_REWRITE_FAILED;
	return reason ? drop(skb, p, reason) : to_remote(skb, p);
}

/* Before the packet changes, since the error quotes it as it was sent. @network: whose tunnels it is too large for */
static __always_inline bool fits_tunnel(struct __sk_buff *skb, const struct packet *p, __u32 network)
{
	const struct network *n = network_at(network);

	return n && !too_big(skb, p, n->mtu);
}

/* Tells a client how large its packets to another host's endpoint may be, under the address that it knows. */
NOT_INLINED int refuse_client(struct __sk_buff *skb, struct packet *p, __u32 network)
{
	struct room *room = room_get();
	struct network *n = network_at(network);

	if (!p || !room || !n)
		return TC_ACT_SHOT;
	return refuse_size(skb, p, room, &p->destination, n->mtu);
}

/* Nobody outside begins a flow from such an address, and no answer would find the way back. */
static __always_inline bool source_is_martian(const struct packet *p)
{
	return address_is_martian(&p->source) || address_is_multicast(&p->source) ||
	       address_is_link_local6(&p->source) || host_addr_at(&p->source);
}

/* Ports of endpoints on other hosts, which answer who asks this one. */
static __always_inline bool publish_is_straight(const struct publish *pub)
{
	return (pub->flags & (PUBLISH_REMOTE | PUBLISH_STRAIGHT)) == (PUBLISH_REMOTE | PUBLISH_STRAIGHT);
}

/* Whether that host knows whose address the client has asked, so that it can answer under it. Who comes from a host is
 * answered by way of this one all the same: a host that masquerades its own containers would not know what an answer from
 * within belongs to, and between hosts nothing of an encrypted network goes in the clear. */
static __always_inline bool answers_straight(struct room *room, const struct packet *p)
{
	const __u32 *own;

	/* An argument is no map key on Linux 6.1. */
	room->other.source = p->source;
	room->other.destination = p->destination;
	own = bpf_map_lookup_elem(&node_addrs, &room->other.destination);
	return own && !*own && !bpf_map_lookup_elem(&node_addrs, &room->other.source);
}

static __always_inline bool begins_connection(const struct packet *p)
{
	return p->protocol == IPPROTO_TCP ? p->tcp_flags & TCP_SYN : p->icmp_type == 1 /* INIT */;
}

/* The first packet of a flow to a published port, or any to one that another host answers. @remote: the endpoint is on
 * another host, which judges, too. Answers a drop reason, NOT_OURS or STRAIGHT. */
static __always_inline int admit_published(struct __sk_buff *skb, struct packet *p, struct room *room, bool *remote)
{
	struct tuple *other = &room->other;
	struct new_flow flow = {
		.flags = CONNTRACK_PUBLISHED,
		.source_party = PARTY_WORLD,
		.destination_party = PARTY_ENDPOINT,
	};
	struct publish *pub = publish_at(&p->destination, p->destination_port, p->protocol);
	struct endpoint *target;
	struct network *n;
	int reason;

	if (!pub || ((p->flags & PACKET_CANNOT_BEGIN) && !publish_is_straight(pub)))
		return NOT_OURS;
	/* A publish never steals what a process of the host already holds. */
	if (host_socket_takes(skb, &p->source, p->source_port, &p->destination, p->destination_port, p->protocol,
			      p->is_v4, true))
		return NOT_OURS;
	trace(STEP_PUBLISHED, bpf_ntohs(pub->port));
	n = network_at(pub->network);
	target = endpoint_at(pub->network, &pub->addr);
	/* As the port was declared: on its way from host to host an endpoint may be known before its ports are. */
	if (!n || !target || !(target->flags & ENDPOINT_REMOTE) != !(pub->flags & PUBLISH_REMOTE))
		return REASON_NO_ENDPOINT;
	*remote = target->flags & ENDPOINT_REMOTE;
	if (n->flags & NETWORK_INTERNAL)
		return REASON_INTERNAL_NETWORK;
	if (source_is_martian(p))
		return REASON_MARTIAN;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	if (publish_is_straight(pub)) {
		other->network = pub->network;
		if (answers_straight(room, p))
			return STRAIGHT;
		if (p->flags & PACKET_CANNOT_BEGIN)
			return NOT_OURS;
		/* What is under way the other host may know, by an address that was this host's alone until now. */
		if (protocol_is_connection(p->protocol) && !begins_connection(p))
			return REASON_CONNTRACK_INVALID;
	}
	tuple_of_packet(other, p);
	other->network = pub->network;
	other->hop = 1;
	other->destination = pub->addr;
	other->destination_port = pub->port;
	flow.owner = target->number;
	if (*remote) {
		flow.owner = MAX_ENDPOINTS + target->number % REMOTE_SHARES;
		flow.destination_party = PARTY_REMOTE;
	}
	reason = policy_admit(p, PARTY_WORLD, &pub->addr, pub->port, target->number, flow.destination_party);
	if (reason)
		return reason;
	trace(STEP_ALLOWED, 0);
	return conntrack_create_pair(skb, p, other, &flow);
}

/* To a container's own address: what its network lets outside reach there, or an answer to a flow of the
 * container's that left untranslated. */
static __always_inline int admit_routed(struct __sk_buff *skb, struct packet *p, const struct config *c,
					__u32 network)
{
	struct new_flow flow = {
		.source_party = PARTY_WORLD,
		.destination_party = PARTY_ENDPOINT,
	};
	struct network *n = network_at(network);
	struct room *room = room_get();
	struct endpoint *target;
	struct conntrack *ct;
	bool reply = false;
	int reason;

	if (!n || !room)
		return REASON_CONFIG_MISSING;
	p->network = network;
	ct = conntrack_lookup_by(skb, p, c, &room->of_packet, &reply, PARTY_WORLD);
	/* Who comes from outside speaks for no other party. */
	if (ct && ((ct->flags & CONNTRACK_TRANSLATED) || (reply ? ct->destination_party : ct->source_party) != PARTY_WORLD))
		return REASON_NOT_PUBLISHED;
	/* What came in by a trusted device may only go on there: no device is remembered. */
	if (!ct || !(reply || ((ct->flags & CONNTRACK_PUBLISHED) &&
			       (n->flags & (p->is_v4 ? NETWORK_ROUTED4 : NETWORK_ROUTED6))))) {
		reason = judge_direct(n, p, skb->ifindex, &flow.flags);
		if (reason)
			return reason;
	}
	if (ct) {
		bool by_stack = ct->flags & CONNTRACK_STACK;

		reason = judge_known(skb, p, ct, reply);
		if (!reason && !conntrack_delivery(room, ct, &room->of_packet, reply))
			reason = REASON_CONNTRACK_INVALID;
		return !reason && by_stack ? NOT_OURS : reason;
	}
	target = local_endpoint_at(network, &p->destination);
	if (!target)
		return REASON_NO_ENDPOINT;
	if (source_is_martian(p))
		return REASON_MARTIAN;
	flow.owner = target->number;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	reason = policy_admit(p, PARTY_WORLD, &p->destination, p->destination_port, target->number, PARTY_ENDPOINT);
	return reason ? reason : conntrack_create(skb, p, &flow);
}

static __always_inline bool ends_flow(const struct packet *p)
{
	return (p->tcp_flags & TCP_RST) || (p->protocol == IPPROTO_SCTP && p->icmp_type == 6 /* ABORT */);
}

/* Has xdp_uplink send the flow's next packets: of TCP those after the handshake. Only of what has come by a device that
 * brings whole frames: for the deny list the program is at others, too. */
NOT_INLINED int remember_straight(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct straight_flow *known, flow = {};
	struct straight_key key = {};
	struct room *room = room_get();
	__u32 ifindex = skb->ifindex;
	struct uplink *up;
	struct network *n;

	if (tracing || !p || !c || !room || !(c->flags & CONFIG_STRAIGHT_BY_XDP) || (c->flags & CONFIG_TUNNELS_BY_DEVICE) ||
	    !p->is_v4 || p->l4 != p->l3 + IP_HEADER || packet_is_fragment(p))
		return 0;
	if (p->protocol == IPPROTO_TCP ? p->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN) : p->protocol != IPPROTO_UDP)
		return 0;
	up = bpf_map_lookup_elem(&uplinks, &ifindex);
	if (!up || !(up->flags & UPLINK_XDP_TRANSMITS))
		return 0;
	n = network_at(room->other.network);
	if (!n || (n->flags & NETWORK_ENCRYPTED) || bpf_skb_load_bytes(skb, 0, &flow.host, 6))
		return 0;
	key.source = const_words(&p->source)[3];
	key.destination = const_words(&p->destination)[3];
	key.source_port = p->source_port;
	key.destination_port = p->destination_port;
	key.protocol = p->protocol;
	flow.generation = p->generation;
	flow.network = room->other.network;
	flow.node = room->to_destination.ifindex;
	flow.endpoint = room->to_destination.mac;
	flow.check = straight_check(&key, &flow);
	/* Where xdp_uplink cannot send it on, each packet comes by here: an insert takes ten times as long as a look. */
	known = bpf_map_lookup_elem(&straight_flows, &key);
	if (known && known->check == flow.check)
		return 0;
	bpf_map_update_elem(&straight_flows, &key, &flow, BPF_ANY);
	return 0;
}

/* To an address of the host: a published port, or none of our business. */
NOT_INLINED int begin_to_host(struct __sk_buff *skb, struct packet *p, __u32 ethernet)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	bool remote = false;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	/* What ends a flow is for whoever knows it: here, or where it is answered. */
	if ((p->flags & PACKET_CANNOT_BEGIN) && !ends_flow(p))
		return NOT_OURS;
	reason = admit_published(skb, p, room, &remote);
	if (reason == NOT_OURS)
		return NOT_OURS;
	if ((!reason || reason == STRAIGHT) && remote && !fits_tunnel(skb, p, room->other.network))
		return refuse_client(skb, p, room->other.network);
	if (!reason)
		reason = translate(skb, p, &room->other);
	if (reason && reason != STRAIGHT)
		return drop(skb, p, reason);
	if (reason == STRAIGHT && ethernet)
		remember_straight(skb, p);
	if (remote) {
		p->network = room->other.network;
		return BY_TUNNEL;
	}
	return into_endpoint(skb, p, c, &room->to_destination, ethernet);
}

/* To an address of one of our networks. */
NOT_INLINED int begin_to_network(struct __sk_buff *skb, struct packet *p, __u32 ethernet)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct subnet *s;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	s = subnet_of(&p->destination);
	if (!s)
		return NOT_OURS;
	/* A gateway's address is the host's, for its own containers only. */
	reason = host_addr_at(&p->destination) ? REASON_NOT_PUBLISHED : admit_routed(skb, p, c, s->network);
	if (reason == NOT_OURS)
		return NOT_OURS;
	if (reason)
		return drop(skb, p, reason);
	return into_endpoint(skb, p, c, &room->to_destination, ethernet);
}

/* What no flow is known for. Answers an action, or NOT_OURS. */
static __always_inline int begin(struct __sk_buff *skb, struct packet *p, bool ethernet)
{
	struct host_addr *host;

	trace(STEP_CONNTRACK_MISS, 0);
	if (subnet_of(&p->source))
		return drop(skb, p, REASON_SPOOFED);
	host = host_addr_at(&p->destination);
	return host && !host->network ? begin_to_host(skb, p, ethernet) : begin_to_network(skb, p, ethernet);
}

/* An error about what another host has answered under this one's address: it is for that one, as it is. */
NOT_INLINED int relate_straight(struct __sk_buff *skb, struct packet *p)
{
	struct room *room = room_get();
	struct packet *quoted;
	struct endpoint *target;
	struct host_addr *host;
	struct publish *pub;

	if (!p || !room)
		return TC_ACT_SHOT;
	quoted = &room->quoted.p;
	/* A port that is published on all addresses is so on the host's, not on those that it is a router to. */
	host = host_addr_at(&p->destination);
	if (!host || host->network || !address_equal(&p->destination, &quoted->source))
		return NOT_OURS;
	pub = publish_at(&quoted->source, quoted->source_port, quoted->protocol);
	if (!pub || !publish_is_straight(pub))
		return NOT_OURS;
	if (host_socket_takes(skb, &quoted->destination, quoted->destination_port, &quoted->source, quoted->source_port,
			      quoted->protocol, p->is_v4, true))
		return NOT_OURS;
	target = endpoint_at(pub->network, &pub->addr);
	if (!target || !(target->flags & ENDPOINT_REMOTE))
		return NOT_OURS;
	delivery_set(&room->to_destination, target->ifindex, &target->mac);
	p->network = pub->network;
	return BY_TUNNEL;
}

/* An error about a packet that one of our endpoints sent. */
NOT_INLINED int relate(struct __sk_buff *skb, struct packet *p, __u32 ethernet)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	__u32 network = 0, party = 0;
	struct subnet *s;
	int reason;

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	if (subnet_of(&p->source))
		return drop(skb, p, REASON_SPOOFED);
	s = subnet_of(&p->destination);
	if (s)
		p->network = s->network;
	reason = icmp_error_relate(skb, p, &network, &party);
	if (reason && s)
		return drop(skb, p, reason);
	if (reason) /* the host's own flows have errors too */
		return reason == REASON_ICMP_UNRELATED ? relate_straight(skb, p) : NOT_OURS;
	if (party == PARTY_REMOTE) {
		p->network = network;
		return BY_TUNNEL;
	}
	if (party != PARTY_ENDPOINT)
		return NOT_OURS;
	return into_endpoint(skb, p, c, &room->to_destination, ethernet);
}

/* A train keeps the mark of a tunnel. Of UDP it is lost where it has to be cut, which sockets have the stack do; others
 * cannot be bared at all; and out to a client, network cards would take it for a tunnel. */
static __always_inline bool train_may_be_bared(const struct packet *p)
{
	return p->protocol == IPPROTO_TCP && local_endpoint_at(p->network, &p->destination);
}

/* A packet of a known flow between hosts, in a tunnel to this one. NOT_OURS: nothing was changed or counted, and the
 * overlay's device takes it. */
NOT_INLINED int from_tunnel(struct __sk_buff *skb, struct packet *outer)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct conntrack *ct;
	bool reply = false;
	struct network *n;
	struct packet *p;
	__u32 vni;
	int reason;

	if (!outer || !c || !room || !c->overlay_ifindex || (c->flags & CONFIG_TUNNELS_BY_DEVICE) ||
	    !tunnel_headers_get(skb, outer, room))
		return NOT_OURS;
	vni = bpf_ntohl(room->headers.vni) >> 8;
	n = network_at(vni);
	if (!n || (n->flags & (NETWORK_OVERLAY | NETWORK_ENCRYPTED)) != NETWORK_OVERLAY)
		return NOT_OURS;
	p = &room->quoted.p;
	__builtin_memset(p, 0, sizeof(*p));
	p->hook = HOOK_FROM_OVERLAY;
	p->network = vni;
	p->generation = outer->generation;
	p->ethertype = ETH_P_IP;
	if (packet_parse(skb, p, ETH_HLEN + TUNNEL_HEADERS) ||
	    (p->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_ICMP_ERROR | PACKET_NEIGHBOUR)) ||
	    address_is_multicast(&p->destination) ||
	    !source_is_there(p, room, &outer->source, (struct mac *)room->headers.inner.h_source) ||
	    (skb->gso_size && !train_may_be_bared(p)))
		return NOT_OURS;
	ct = conntrack_lookup(skb, p, c, &room->of_packet, &reply);
	if (!ct)
		return NOT_OURS;
	/* Flows are counted without what carries them. */
	if (!tracing && reply)
		ct->bytes_reply -= TUNNEL_HEADERS;
	else if (!tracing)
		ct->bytes_original -= TUNNEL_HEADERS;
	reason = go_on(skb, p, ct, reply, room);
	if (reason == GO_TO_CLIENT) {
		reason = decapsulate(skb, p, room);
		return reason ? drop(skb, p, reason) : to_client(skb, p);
	}
	if (!reason)
		reason = decapsulate(skb, p, room);
	return reason ? drop(skb, p, reason) : to_endpoint(skb, p, c, &room->to_destination, true);
}

static __always_inline int from_uplink_at(struct __sk_buff *skb, bool ethernet)
{
	struct packet p = { .hook = HOOK_FROM_UPLINK };
	const struct config *c = config_get();
	struct conntrack *ct;
	bool reply = false;
	struct room *room = room_get();
	int reason, action;
	__u32 party;

	if (!c || !c->host_ifindex || !room || skb->pkt_type != PACKET_HOST || skb->vlan_present)
		return TC_ACT_UNSPEC;
	p.generation = c->generation;
	p.ethertype = bpf_ntohs(skb->protocol);
	if (p.ethertype != ETH_P_IP && p.ethertype != ETH_P_IPV6)
		return TC_ACT_UNSPEC;
	packet_pull(skb, ethernet ? ETH_HLEN : 0);
	reason = packet_parse(skb, &p, ethernet ? ETH_HLEN : 0);
	/* What cannot be read is no flow of ours, and no route leads from the stack to a container. */
	if (reason || (p.flags & PACKET_NEIGHBOUR) || address_is_multicast(&p.destination))
		return TC_ACT_UNSPEC;
	trace(STEP_PARSED, 0);
	if (ethernet && p.is_v4 && p.protocol == IPPROTO_UDP && c->overlay_ifindex &&
	    p.destination_port == bpf_htons(c->tunnel_port)) {
		action = from_tunnel(skb, &p);
		if (action != NOT_OURS)
			return action;
	}
	if (p.flags & PACKET_ICMP_ERROR) {
		action = relate(skb, &p, ethernet);
		goto act;
	}
	if (packet_is_fragment(&p) && fragment_ports(&p)) {
		if (subnet_of(&p.destination))
			return drop(skb, &p, REASON_FRAGMENT_UNKNOWN);
		return TC_ACT_UNSPEC;
	}
	ct = conntrack_lookup(skb, &p, c, &room->of_packet, &reply);
	if (!ct) {
		action = begin(skb, &p, ethernet);
		goto act;
	}
	trace(STEP_CONNTRACK_HIT, ct->state);
	party = reply ? ct->source_party : ct->destination_party;
	if ((party != PARTY_ENDPOINT && party != PARTY_REMOTE) || !(ct->flags & CONNTRACK_TRANSLATED))
		return TC_ACT_UNSPEC;
	reason = judge_known(skb, &p, ct, reply);
	if (reason)
		return drop(skb, &p, reason);
	tuple_of_other(&room->other, ct, reply);
	room->other.hop = 1;
	if (!conntrack_delivery(room, ct, &room->of_packet, reply))
		return drop(skb, &p, REASON_CONNTRACK_INVALID);
	if (party == PARTY_REMOTE && !fits_tunnel(skb, &p, room->other.network))
		return refuse_client(skb, &p, room->other.network);
	reason = translate(skb, &p, &room->other);
	if (reason)
		return drop(skb, &p, reason);
	if (party == PARTY_ENDPOINT)
		return into_endpoint(skb, &p, c, &room->to_destination, ethernet);
	p.network = room->other.network;
	action = BY_TUNNEL;
act:
	if (action == BY_TUNNEL)
		return by_tunnel(skb, &p, ethernet);
	if (action != NOT_OURS)
		return action;
	trace(STEP_PASSED, 0);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	return from_uplink_at(skb, true);
}

/* For devices whose packets begin with the IP header (tun, WireGuard). */
SEC("tc")
int from_uplink_l3(struct __sk_buff *skb)
{
	return from_uplink_at(skb, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
