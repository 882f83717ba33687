/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The responder: a container asks who has an address of its network, and is told the real MAC. Nothing
 * that it announces is believed, since nobody needs it to. */
#pragma once

#include "flood.h"
#include "service.h"

struct arp_packet {
	struct ethhdr eth;
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__be32 sender;
	__u8 target_mac[6];
	__be32 target;
} __attribute__((packed, aligned(2)));

/* The MAC of an address on the sender's network; false: nobody has it. */
static __always_inline bool neighbour_mac(const struct config *c, const struct interface *in,
					  const struct address *target, struct mac *mac)
{
	struct network *n = network_at(in->network);
	struct endpoint *e;

	if (!n)
		return false;
	if (address_equal(target, &n->gateway4) || address_equal(target, &n->gateway6)) {
		*mac = c->host_mac;
		return true;
	}
	e = endpoint_at(in->network, target);
	if (!e && service_has(in->network, target)) {
		*mac = c->host_mac;
		return true;
	}
	if (e && e->number == in->number)
		return false;
	if (in->flags & INTERFACE_LAN)
		return lan_neighbour_mac(c, n, e, target, mac);
	if (!e)
		return false;
	*mac = e->mac;
	return true;
}

/* A question or an announcement that is the sender's to make. `p->destination` is the address that it is about. */
NOT_INLINED int neighbour_to_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct network *n;

	if (!p || !in)
		return TC_ACT_SHOT;
	n = network_at(in->network);
	if (!c || !n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	if ((n->flags & NETWORK_HOST_OFF) && host_addr_at(&p->destination))
		return drop(skb, p, REASON_HOST_ACCESS_OFF);
	if ((p->flags & PACKET_LINK_MULTICAST) && !flood_allowed(c, in->number))
		return drop(skb, p, REASON_FLOOD_LIMITED);
	return to_lan(skb, p, in);
}

NOT_INLINED int answer_arp(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct arp_packet arp;
	struct address sender, target;
	struct mac mac;

	if (!p || !in || !c)
		return TC_ACT_SHOT;
	if (bpf_skb_load_bytes(skb, 0, &arp, sizeof(arp)))
		return drop(skb, p, REASON_TRUNCATED);
	if (arp.hardware != bpf_htons(ARPHRD_ETHER) || arp.protocol != bpf_htons(ETH_P_IP) ||
	    arp.hardware_length != 6 || arp.protocol_length != 4)
		return drop(skb, p, REASON_MALFORMED);
	address_from_v4(&sender, arp.sender);
	address_from_v4(&target, arp.target);
	p->source = sender;
	p->destination = target;
	if (__builtin_memcmp(arp.sender_mac, in->mac.bytes, 6) || (arp.sender && !address_equal(&sender, &in->v4)))
		return drop(skb, p, REASON_ARP_FORGED);
	if (arp.operation != bpf_htons(ARPOP_REQUEST) || arp.sender == arp.target ||
	    !neighbour_mac(c, in, &target, &mac))
		return in->flags & INTERFACE_LAN ? neighbour_to_lan(skb, p, in) : drop(skb, p, REASON_ARP_UNANSWERED);
	__builtin_memcpy(arp.eth.h_dest, arp.eth.h_source, 6);
	__builtin_memcpy(arp.eth.h_source, mac.bytes, 6);
	__builtin_memcpy(arp.target_mac, arp.sender_mac, 6);
	__builtin_memcpy(arp.sender_mac, mac.bytes, 6);
	arp.operation = bpf_htons(ARPOP_REPLY);
	arp.target = arp.sender;
	arp.sender = const_words(&target)[3];
	if (bpf_skb_store_bytes(skb, 0, &arp, sizeof(arp), 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	count(COUNTER_ANSWERED);
	trace(STEP_ANSWERED, 0);
	return bpf_redirect(skb->ifindex, 0);
}

struct nd_packet {
	struct ethhdr eth;
	struct ipv6hdr ip;
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 flags;
	struct address target;
	__u8 option;
	__u8 option_length;
	__u8 option_mac[6];
} __attribute__((packed, aligned(2)));

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nd_packet);
} scratch_nd SEC(".maps") WRITER_DATAPATH;

#define ND_SOLICITATION_SIZE 78 /* without an option */
#define ND_ROUTER_SOLICITATION 133
#define ND_ROUTER_ADVERTISEMENT 134
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_REDIRECT 137
#define MLD_REPORT 131
#define MLD_DONE 132
#define MLD2_REPORT 143

/* What tells others of a MAC names the sender's own, and in one option at the most: a second could lie.
 * @at: where its options begin; @kind: of the option that names a MAC */
static __always_inline bool nd_option_is_own(struct __sk_buff *skb, const struct interface *in, __u32 at, __u8 kind)
{
	__u8 option[8];

	if (skb->len <= at)
		return true;
	if (skb->len != at + 8 || bpf_skb_load_bytes(skb, at, option, 8) || option[1] != 1)
		return false;
	return option[0] == kind ? !__builtin_memcmp(option + 2, in->mac.bytes, 6) : option[0] == 14; /* a nonce */
}

/* The option that names the sender's MAC names the parent's instead, where they share it. */
static __always_inline int nd_option_share(struct __sk_buff *skb, const struct packet *p, const struct interface *in,
					   __u32 at)
{
	__u32 ifindex = in->lan_ifindex;
	struct lan_parent *parent;
	__u8 from[8], into[8];

	if (!(in->flags & INTERFACE_SHARED) || skb->len <= at)
		return 0;
	parent = bpf_map_lookup_elem(&lan_parents, &ifindex);
	if (!parent || bpf_skb_load_bytes(skb, at, from, 8))
		return -1;
	if (from[0] > 2) /* a nonce */
		return 0;
	__builtin_memcpy(into, from, 2);
	__builtin_memcpy(into + 2, parent->mac.bytes, 6);
	if (bpf_l4_csum_replace(skb, p->l4 + 2, 0, bpf_csum_diff((__be32 *)from, 8, (__be32 *)into, 8, 0), 0))
		return -1;
	return bpf_skb_store_bytes(skb, at, into, 8, 0);
}

/* Of neighbour discovery, what the LAN has to hear: questions, announcements of the sender's own addresses, which
 * routers and groups there are. Answers a drop reason. */
NOT_INLINED int nd_to_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	struct address target = {};
	__u32 option = ND_SOLICITATION_SIZE;
	bool own = false;

	if (!p || !in)
		return REASON_CONFIG_MISSING;
	switch (p->icmp_type) {
	case MLD_REPORT:
	case MLD_DONE:
	case MLD2_REPORT:
		own = true;
		option = 0xffff; /* none */
		break;
	case ND_ROUTER_SOLICITATION:
		option = p->l4 + 8;
		own = p->l4 == ETH_HLEN + IPV6_HEADER && nd_option_is_own(skb, in, p->l4 + 8, 1);
		break;
	case ND_SOLICITATION:
		own = nd_option_is_own(skb, in, ND_SOLICITATION_SIZE, 1);
		if (!bpf_skb_load_bytes(skb, ETH_HLEN + IPV6_HEADER + 8, &target, sizeof(target)))
			p->destination = target;
		break;
	case ND_ADVERTISEMENT:
		own = p->l4 == ETH_HLEN + IPV6_HEADER && nd_option_is_own(skb, in, ND_SOLICITATION_SIZE, 2) &&
		      !bpf_skb_load_bytes(skb, ETH_HLEN + IPV6_HEADER + 8, &target, sizeof(target)) &&
		      (address_equal(&target, &in->v6) || address_equal(&target, &in->link_local));
		break;
	default:
		return REASON_ND_UNANSWERED;
	}
	if (!own)
		return REASON_ND_FORGED;
	return nd_option_share(skb, p, in, option) ? REASON_REWRITE_FAILED : REASON_NONE;
}

NOT_INLINED int answer_nd(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct nd_packet *nd;
	__u32 zero = 0;
	struct address target;
	struct mac mac;
	bool probe;
	__s64 sum;

	nd = bpf_map_lookup_elem(&scratch_nd, &zero);
	if (!p || !in || !c || !nd)
		return TC_ACT_SHOT;
	if (p->is_v4 || p->icmp_type == ND_ROUTER_ADVERTISEMENT || p->icmp_type == ND_REDIRECT)
		return drop(skb, p, REASON_ROUTER_ADVERTISEMENT);
	if (p->ttl != 255 && (p->icmp_type == ND_SOLICITATION || p->icmp_type == ND_ADVERTISEMENT))
		return drop(skb, p, REASON_MALFORMED);
	if (p->icmp_type != ND_SOLICITATION && (in->flags & INTERFACE_LAN))
		return NEIGHBOUR_TO_LAN;
	if (p->icmp_type != ND_SOLICITATION)
		return drop(skb, p, p->icmp_type == ND_ADVERTISEMENT ? REASON_ND_FORGED : REASON_ND_UNANSWERED);
	if (p->l4 != ETH_HLEN + IPV6_HEADER)
		return drop(skb, p, REASON_MALFORMED);
	if (bpf_skb_load_bytes(skb, 0, nd, ND_SOLICITATION_SIZE))
		return drop(skb, p, REASON_TRUNCATED);
	target = nd->target;
	probe = address_is_zero(&p->source);
	/* A source link-layer option that lies would poison a stack; ours reads the table instead, so it
	 * only tells of an attempt. */
	if (!probe && skb->len >= sizeof(*nd)) {
		__u8 option[8];

		if (!bpf_skb_load_bytes(skb, ND_SOLICITATION_SIZE, option, 8) && option[0] == 1 &&
		    __builtin_memcmp(option + 2, in->mac.bytes, 6))
			return drop(skb, p, REASON_ND_FORGED);
	}
	if (!neighbour_mac(c, in, &target, &mac))
		return in->flags & INTERFACE_LAN ? NEIGHBOUR_TO_LAN : drop(skb, p, REASON_ND_UNANSWERED);
	if (skb->len != sizeof(*nd) && bpf_skb_change_tail(skb, sizeof(*nd), 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	__builtin_memcpy(nd->eth.h_dest, in->mac.bytes, 6);
	__builtin_memcpy(nd->eth.h_source, mac.bytes, 6);
	__builtin_memcpy(&nd->ip.saddr, &target, 16);
	if (probe) {
		/* Somebody has it: all nodes are told, and the asker hears it. */
		__builtin_memset(&nd->ip.daddr, 0, 16);
		nd->ip.daddr.in6_u.u6_addr8[0] = 0xff;
		nd->ip.daddr.in6_u.u6_addr8[1] = 0x02;
		nd->ip.daddr.in6_u.u6_addr8[15] = 0x01;
	} else {
		__builtin_memcpy(&nd->ip.daddr, &p->source, 16);
	}
	nd->ip.payload_len = bpf_htons(32);
	nd->ip.hop_limit = 255;
	nd->type = ND_ADVERTISEMENT;
	nd->code = 0;
	nd->checksum = 0;
	nd->flags = probe ? bpf_htonl(0x20000000) : bpf_htonl(0x60000000); /* override; solicited */
	nd->option = 2; /* target link-layer address */
	nd->option_length = 1;
	__builtin_memcpy(nd->option_mac, mac.bytes, 6);
	{
		__be32 pseudo[2] = { bpf_htonl(32), bpf_htonl(IPPROTO_ICMPV6) };

		sum = bpf_csum_diff(0, 0, pseudo, 8, 0);
		sum = bpf_csum_diff(0, 0, (__be32 *)((void *)nd + offsetof(struct nd_packet, ip.saddr)), 64, sum);
	}
	nd->checksum = checksum_fold(sum);
	if (bpf_skb_store_bytes(skb, 0, nd, sizeof(*nd), 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	count(COUNTER_ANSWERED);
	trace(STEP_ANSWERED, 0);
	return bpf_redirect(skb->ifindex, 0);
}
