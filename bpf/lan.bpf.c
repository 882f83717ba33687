// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the LAN behind a parent device sends to containers. from_lan: TC ingress on an endpoint's own device there; all
 * that enters is judged and handed into the container, or dropped; nothing reaches the host's stack. from_parent: TC
 * ingress on a parent whose MAC endpoints share; what is not for one of them passes untouched. */
#include "lib/icmp_error.h"
#include "lib/neighbour.h"

/* What the endpoint's own limit says of a packet to it; enum rate_verdict. */
static __always_inline int rate_of(struct __sk_buff *skb, const struct packet *p, const struct interface *in)
{
	return in->flags & INTERFACE_INGRESS_LIMITED ? rate_judge(2 * in->number + RATE_INGRESS, rate_bytes(skb, p)) :
						       RATE_PASSES;
}

/* Under the MAC that it has. */
static __always_inline int into_container(struct __sk_buff *skb, const struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	int rate = rate_of(skb, p, in);

	trace(STEP_TO_ENDPOINT, in->ifindex);
	if (rate == RATE_EXCEEDED)
		return drop(skb, p, REASON_RATE_LIMITED);
	if ((in->flags & INTERFACE_SHARED) && bpf_skb_store_bytes(skb, 0, &in->mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	if (rate == RATE_WAITS && c)
		return rate_wait(skb, c, RATE_TO_ENDPOINT | in->ifindex);
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(in->ifindex, 0);
}

/* To a group, or about who has an address: the far end of the veth tells by the MAC what it is. */
static __always_inline int into_segment(const struct interface *in)
{
	trace(STEP_TO_ENDPOINT, in->ifindex);
	return bpf_redirect(in->ifindex, 0);
}

/* Nobody on the LAN has such an address; those of endpoints here come by it in VEPA mode alone. */
static __always_inline bool source_is_of_this_host(const struct packet *p)
{
	return host_addr_at(&p->source) || subnet_of(&p->source);
}

static __always_inline bool is_own(const struct packet *p, const struct interface *in)
{
	if (address_is_zero(&p->destination))
		return false;
	return address_equal(&p->destination, &in->v4) || address_equal(&p->destination, &in->v6) ||
	       address_equal(&p->destination, &in->link_local);
}

/* To all, or to a group. */
NOT_INLINED int group_from_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	struct endpoint *speaker;
	__u32 party = PARTY_WORLD;
	struct network *n;
	int reason;

	if (!p || !in)
		return TC_ACT_SHOT;
	n = network_at(in->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	if (!address_is_multicast(&p->destination) && !address_equal(&p->destination, &n->broadcast4))
		return drop(skb, p, REASON_UNICAST_IN_BROADCAST);
	if (!(p->flags & PACKET_LINK_MULTICAST))
		return drop(skb, p, REASON_MALFORMED);
	speaker = endpoint_at(in->network, &p->source);
	if (speaker && (speaker->number == in->number || !(in->flags & INTERFACE_VEPA)))
		return drop(skb, p, REASON_SPOOFED);
	if (speaker) {
		party = PARTY_ENDPOINT;
		p->source_number = speaker->number;
	} else if (source_is_of_this_host(p)) {
		return drop(skb, p, REASON_SPOOFED);
	}
	reason = policy_admit(p, party, &p->destination, p->destination_port, in->number, PARTY_ENDPOINT);
	if (reason)
		return drop(skb, p, reason);
	if (decision_kind(p->decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	if (rate_of(skb, p, in) == RATE_EXCEEDED)
		return drop(skb, p, REASON_RATE_LIMITED);
	return into_segment(in);
}

/* Neighbour discovery, and the routers of the LAN: IPv6 does not work without. */
static __always_inline int neighbour_from_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	if (p->is_v4 || p->icmp_type == 137 || address_is_zero(&in->v6)) /* a redirect */
		return drop(skb, p, REASON_ROUTER_ADVERTISEMENT);
	return into_segment(in);
}

/* The first packet of a flow. Answers a drop reason. */
NOT_INLINED int begin_from_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	struct new_flow flow = { .source_party = PARTY_WORLD, .destination_party = PARTY_ENDPOINT };
	struct room *room = room_get();
	int reason;

	if (!p || !in || !room)
		return REASON_CONFIG_MISSING;
	trace(STEP_CONNTRACK_MISS, 0);
	if (source_is_of_this_host(p) || endpoint_at(in->network, &p->source))
		return REASON_SPOOFED;
	if (address_is_martian(&p->source) || address_is_multicast(&p->source))
		return REASON_MARTIAN;
	flow.owner = in->number;
	delivery_set(&room->to_destination, in->ifindex, &in->mac);
	reason = policy_admit(p, PARTY_WORLD, &p->destination, p->destination_port, in->number, PARTY_ENDPOINT);
	if (reason)
		return reason;
	trace(STEP_ALLOWED, 0);
	return conntrack_create(skb, p, &flow);
}

/* An error about a packet that the container sent. Answers a drop reason. */
NOT_INLINED int relate(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	struct room *room = room_get();
	__u32 network = 0, party = 0;
	int reason;

	if (!p || !in || !room)
		return REASON_CONFIG_MISSING;
	if (source_is_of_this_host(p))
		return REASON_SPOOFED;
	reason = icmp_error_relate(skb, p, &network, &party);
	return !reason && (party != PARTY_ENDPOINT || network != p->network) ? REASON_ICMP_UNRELATED : reason;
}

/* To an address of the endpoint's own. */
static __always_inline int packet_from_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct conntrack *ct;
	bool reply = false;
	__u32 speaker;
	int reason;

	if (!c || !room)
		return drop(skb, p, REASON_CONFIG_MISSING);
	if (p->flags & PACKET_ICMP_ERROR) {
		reason = relate(skb, p, in);
		return reason ? drop(skb, p, reason) : into_container(skb, p, in);
	}
	if (packet_is_fragment(p)) {
		reason = fragment_ports(p);
		if (reason)
			return drop(skb, p, reason);
	}
	/* The LAN speaks for itself; for an endpoint of this host by the switch outside, and for the host never. */
	speaker = in->flags & INTERFACE_VEPA && endpoint_at(in->network, &p->source) ? PARTY_ENDPOINT : PARTY_WORLD;
	ct = conntrack_lookup_by(skb, p, c, &room->of_packet, &reply, speaker);
	if (!ct) {
		reason = begin_from_lan(skb, p, in);
		return reason ? drop(skb, p, reason) : into_container(skb, p, in);
	}
	trace(STEP_CONNTRACK_HIT, ct->state);
	if ((reply ? ct->destination_party : ct->source_party) != speaker)
		return drop(skb, p, REASON_SPOOFED);
	if (ct->flags & CONNTRACK_TRANSLATED)
		return drop(skb, p, REASON_CONNTRACK_INVALID);
	reason = judge_known(skb, p, ct, reply);
	if (!reason && !conntrack_delivery(room, ct, &room->of_packet, reply))
		reason = REASON_CONNTRACK_INVALID;
	return reason ? drop(skb, p, reason) : into_container(skb, p, in);
}

/* Whose device it is; NULL: nobody's. */
static __always_inline struct interface *lan_interface_at(__u32 ifindex)
{
	__u32 *veth = bpf_map_lookup_elem(&lan_devices, &ifindex);
	struct interface *in = veth ? interface_at(*veth) : NULL;

	return in && in->lan_ifindex == ifindex ? in : NULL;
}

SEC("tc")
int from_lan(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_LAN };
	const struct config *c = config_get();
	struct interface *in;
	struct ethhdr *eth;
	int reason;

	in = lan_interface_at(skb->ifindex);
	if (!in)
		return drop(skb, &p, REASON_UNKNOWN_INTERFACE);
	if (!c || !c->host_ifindex)
		return drop(skb, &p, REASON_CONFIG_MISSING);
	p.network = in->network;
	p.generation = c->generation;
	packet_pull(skb, ETH_HLEN);
	eth = (void *)(long)skb->data;
	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return drop(skb, &p, REASON_TRUNCATED);
	p.ethertype = bpf_ntohs(eth->h_proto);
	if (skb->vlan_present || p.ethertype == ETH_P_8021Q || p.ethertype == ETH_P_8021AD)
		return drop(skb, &p, REASON_VLAN_TAGGED);
	if (eth->h_dest[0] & 1)
		p.flags |= PACKET_LINK_MULTICAST;
	if (p.ethertype == ETH_P_ARP)
		return into_segment(in);
	reason = packet_parse(skb, &p, ETH_HLEN);
	if (reason)
		return drop(skb, &p, reason);
	trace(STEP_PARSED, 0);
	if (p.flags & PACKET_NEIGHBOUR)
		return neighbour_from_lan(skb, &p, in);
	if ((p.flags & PACKET_LINK_MULTICAST) || address_is_multicast(&p.destination))
		return group_from_lan(skb, &p, in);
	if (!is_own(&p, in))
		return drop(skb, &p, REASON_NO_ENDPOINT);
	return packet_from_lan(skb, &p, in);
}

/* Who shares a parent's MAC and has an address; NULL: nobody. */
static __always_inline struct interface *shared_interface_at(__u32 ifindex, const struct address *addr)
{
	struct endpoint *e = endpoint_at(ENDPOINT_WIRE_LAN + ifindex, addr);
	struct interface *in = e ? interface_at(e->ifindex) : NULL;

	if (!in || in->lan_ifindex != ifindex)
		return NULL;
	return address_equal(addr, &in->v4) || address_equal(addr, &in->v6) || address_equal(addr, &in->link_local) ?
		       in : NULL;
}

/* Questions about an endpoint's address, and answers to its own. */
NOT_INLINED int arp_from_parent(struct __sk_buff *skb, struct packet *p)
{
	struct interface *in, *speaker;
	struct arp_packet arp;

	if (!p || bpf_skb_load_bytes(skb, 0, &arp, sizeof(arp)))
		return TC_ACT_UNSPEC;
	address_from_v4(&p->source, arp.sender);
	address_from_v4(&p->destination, arp.target);
	in = shared_interface_at(skb->ifindex, &p->destination);
	if (!in)
		return TC_ACT_UNSPEC;
	p->network = in->network;
	speaker = shared_interface_at(skb->ifindex, &p->source);
	if (speaker && (speaker->number == in->number || !(in->flags & INTERFACE_VEPA)))
		return drop(skb, p, REASON_SPOOFED);
	if (!(p->flags & PACKET_LINK_MULTICAST) && bpf_skb_store_bytes(skb, 0, &in->mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	if (arp.operation == bpf_htons(ARPOP_REPLY) && bpf_skb_store_bytes(skb, ARP_SENDER_MAC + 10, &in->mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	return into_segment(in);
}

/* Neighbour discovery about an endpoint's address, or to it. To all nodes it is for the members' and the host's ears. */
NOT_INLINED int nd_from_parent(struct __sk_buff *skb, struct packet *p)
{
	struct address target = {};
	struct interface *in;

	if (!p || p->is_v4 || p->icmp_type == ND_REDIRECT)
		return TC_ACT_UNSPEC;
	if (p->icmp_type == ND_SOLICITATION && !bpf_skb_load_bytes(skb, p->l4 + 8, &target, sizeof(target)))
		in = shared_interface_at(skb->ifindex, &target);
	else
		in = shared_interface_at(skb->ifindex, &p->destination);
	if (!in)
		return TC_ACT_UNSPEC;
	p->network = in->network;
	if (!(in->flags & INTERFACE_VEPA) && shared_interface_at(skb->ifindex, &p->source))
		return drop(skb, p, REASON_SPOOFED);
	if (!(p->flags & PACKET_LINK_MULTICAST) && bpf_skb_store_bytes(skb, 0, &in->mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	return into_segment(in);
}

static long copy_to(__u32 slot, struct flood *f)
{
	struct member_key key = { .network = f->network, .slot = slot };
	__u32 *ifindex = bpf_map_lookup_elem(&members, &key);

	if (ifindex)
		bpf_clone_redirect(f->skb, *ifindex, 0);
	return 0;
}

/* To all, or to a group: a copy for each member, as policy allows, and the frame itself for the host. */
NOT_INLINED int group_from_parent(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct flood f = {};
	struct endpoint *speaker;
	struct network *n;
	__u32 count;

	if (!p || !c || !room)
		return TC_ACT_UNSPEC;
	n = network_at(p->network);
	if (!n)
		return TC_ACT_UNSPEC;
	count = n->members < MAX_MEMBERS ? n->members : MAX_MEMBERS;
	f.skb = skb;
	f.bytes = c->flags & CONFIG_INGRESS_LIMITS ? rate_bytes(skb, p) : 0;
	f.network = p->network;
	f.generation = p->generation;
	if (tracing)
		return TC_ACT_UNSPEC;
	if (p->flags & PACKET_NEIGHBOUR) {
		if (!p->is_v4)
			bpf_loop(count, copy_to, &f, 0);
		return TC_ACT_UNSPEC;
	}
	if (!(p->flags & PACKET_LINK_MULTICAST) ||
	    (!address_is_multicast(&p->destination) && !address_equal(&p->destination, &n->broadcast4)))
		return TC_ACT_UNSPEC;
	speaker = endpoint_at(p->network, &p->source);
	if (speaker ? !(n->flags & NETWORK_VEPA) : source_is_of_this_host(p))
		return TC_ACT_UNSPEC;
	f.sender = speaker ? speaker->ifindex : 0;
	flow_end_set(&room->judged.source, &p->source, speaker ? speaker->number : 0,
		     speaker ? PARTY_ENDPOINT : PARTY_WORLD);
	room->judged.protocol = p->protocol;
	room->judged.port = policy_port(p->protocol, p->destination_port);
	room->judged.known = 0;
	bpf_loop(count, flood_to, &f, 0);
	if (f.refused)
		count_dropped(skb, REASON_POLICY_DENIED, f.refused);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int from_parent(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_LAN };
	const struct config *c = config_get();
	__u32 ifindex = skb->ifindex;
	struct lan_parent *parent = bpf_map_lookup_elem(&lan_parents, &ifindex);
	struct interface *in;
	struct ethhdr *eth;

	if (!parent || !c || !c->host_ifindex || skb->vlan_present)
		return TC_ACT_UNSPEC;
	p.network = parent->network;
	p.generation = c->generation;
	packet_pull(skb, ETH_HLEN);
	eth = (void *)(long)skb->data;
	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return TC_ACT_UNSPEC;
	p.ethertype = bpf_ntohs(eth->h_proto);
	if (eth->h_dest[0] & 1)
		p.flags |= PACKET_LINK_MULTICAST;
	else if (skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	if (p.ethertype == ETH_P_ARP)
		return arp_from_parent(skb, &p);
	/* What cannot be read is the host's to drop. */
	if ((p.ethertype != ETH_P_IP && p.ethertype != ETH_P_IPV6) || packet_parse(skb, &p, ETH_HLEN))
		return TC_ACT_UNSPEC;
	trace(STEP_PARSED, 0);
	if (p.flags & PACKET_NEIGHBOUR) {
		int action = nd_from_parent(skb, &p);

		if (action != TC_ACT_UNSPEC || !address_is_multicast(&p.destination) || p.icmp_type == ND_SOLICITATION)
			return action;
		return group_from_parent(skb, &p);
	}
	if ((p.flags & PACKET_LINK_MULTICAST) || address_is_multicast(&p.destination))
		return group_from_parent(skb, &p);
	in = shared_interface_at(ifindex, &p.destination);
	if (!in)
		return TC_ACT_UNSPEC;
	p.network = in->network;
	return packet_from_lan(skb, &p, in);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
