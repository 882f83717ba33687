// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* from_lan: TC ingress on an endpoint's own device on its network's parent. What the LAN sends to the container: all
 * that enters here is judged and handed into the container, or dropped; nothing reaches the host's stack. */
#include "lib/icmp_error.h"
#include "lib/lan.h"

/* The frame is the container's own, with the MAC that it has. */
static __always_inline int into_container(struct __sk_buff *skb, const struct interface *in)
{
	trace(STEP_TO_ENDPOINT, in->ifindex);
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
	return into_segment(in);
}

/* Neighbour discovery, and the routers of the LAN: IPv6 does not work without. */
static __always_inline int neighbour_from_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	if (p->is_v4 || p->icmp_type == 137 || address_is_zero(&in->v6)) /* a redirect */
		return drop(skb, p, REASON_ROUTER_ADVERTISEMENT);
	return into_segment(in);
}

/* The first packet of a flow. */
NOT_INLINED int begin_from_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	struct new_flow flow = { .source_party = PARTY_WORLD, .destination_party = PARTY_ENDPOINT };
	struct room *room = room_get();
	int reason;

	if (!p || !in || !room)
		return TC_ACT_SHOT;
	trace(STEP_CONNTRACK_MISS, 0);
	if (source_is_of_this_host(p) || endpoint_at(in->network, &p->source))
		return drop(skb, p, REASON_SPOOFED);
	if (address_is_martian(&p->source) || address_is_multicast(&p->source))
		return drop(skb, p, REASON_MARTIAN);
	flow.owner = in->number;
	delivery_set(&room->to_destination, in->ifindex, &in->mac);
	reason = policy_admit(p, PARTY_WORLD, &p->destination, p->destination_port, in->number, PARTY_ENDPOINT);
	if (!reason) {
		trace(STEP_ALLOWED, 0);
		reason = conntrack_create(skb, p, &flow);
	}
	return reason ? drop(skb, p, reason) : into_container(skb, in);
}

/* An error about a packet that the container sent. */
NOT_INLINED int relate(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	struct room *room = room_get();
	__u32 network = 0, party = 0;
	int reason;

	if (!p || !in || !room)
		return TC_ACT_SHOT;
	if (source_is_of_this_host(p))
		return drop(skb, p, REASON_SPOOFED);
	reason = icmp_error_relate(skb, p, &network, &party);
	if (!reason && (party != PARTY_ENDPOINT || network != p->network))
		reason = REASON_ICMP_UNRELATED;
	return reason ? drop(skb, p, reason) : into_container(skb, in);
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
	struct room *room = room_get();
	struct interface *in;
	struct conntrack *ct;
	struct ethhdr *eth;
	bool reply = false;
	int reason;

	in = lan_interface_at(skb->ifindex);
	if (!in)
		return drop(skb, &p, REASON_UNKNOWN_INTERFACE);
	if (!c || !c->host_ifindex || !room)
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
	if (p.flags & PACKET_ICMP_ERROR)
		return relate(skb, &p, in);
	if (packet_is_fragment(&p)) {
		reason = fragment_ports(&p);
		if (reason)
			return drop(skb, &p, reason);
	}
	ct = conntrack_lookup(skb, &p, c, &room->of_packet, &reply);
	if (!ct)
		return begin_from_lan(skb, &p, in);
	trace(STEP_CONNTRACK_HIT, ct->state);
	/* The LAN speaks for itself; for an endpoint of this host by the switch outside, and for the host never. */
	if ((reply ? ct->destination_party : ct->source_party) !=
	    (in->flags & INTERFACE_VEPA && endpoint_at(in->network, &p.source) ? PARTY_ENDPOINT : PARTY_WORLD))
		return drop(skb, &p, REASON_SPOOFED);
	if (ct->flags & CONNTRACK_TRANSLATED)
		return drop(skb, &p, REASON_CONNTRACK_INVALID);
	reason = judge_known(skb, &p, ct, reply);
	if (!reason && !conntrack_delivery(room, ct, &room->of_packet, reply))
		reason = REASON_CONNTRACK_INVALID;
	return reason ? drop(skb, &p, reason) : into_container(skb, in);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
