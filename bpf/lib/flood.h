/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Broadcast and multicast reach every other member of the sender's network, at a bounded rate. */
#pragma once

#include "lan.h"
#include "wireguard.h"

/* To all of a network, or to a group. */
static __always_inline bool is_group(const struct packet *p)
{
	struct network *n;

	if (address_is_multicast(&p->destination))
		return true;
	if (!p->is_v4 || !(p->flags & PACKET_LINK_MULTICAST))
		return false;
	n = network_at(p->network);
	return n && address_equal(&p->destination, &n->broadcast4);
}

struct flood {
	struct __sk_buff *skb;
	/* What grows shares no 8 bytes with what is compared: the verifier would follow each value of it. */
	__u32 refused; /* members that policy keeps it from */
	__u32 decision; /* that refused one of them, or that would if it were not under audit */
	__u32 bytes; /* as limits count them; 0: no endpoint has one */
	__u32 network;
	__u32 sender; /* ifindex; 0: not on this host */
	__u32 generation;
	__u32 node_reason; /* why no other host gets a copy: policy, or its size */
	__u32 encrypted; /* other hosts get theirs after all others, by flood_encrypted */
};

/* What `room->judged` says of the frame holds for each receiver. */
static __always_inline bool flood_admits(struct flood *f, __u32 ifindex)
{
	struct interface *to = interface_at(ifindex);
	struct room *room = room_get();

	if (!to || !room)
		return false;
	flow_end_set(&room->judged.destination, address_is_v4(&room->judged.source.addr) ? &to->v4 : &to->v6, to->number,
		     PARTY_ENDPOINT);
	/* A member without an address of the family has the standing of the one that it has. */
	if (address_is_zero(&room->judged.destination.addr))
		room->judged.destination.addr = address_is_zero(&to->v4) ? to->v6 : to->v4;
	if (policy_judge(f->generation)) {
		f->decision = room->judged.decision;
		return false;
	}
	if (!f->decision && decision_kind(room->judged.decision) == DECISION_AUDIT)
		f->decision = room->judged.decision;
	return true;
}

/* A copy to a node. */
NOT_INLINED int copy_to_node(struct __sk_buff *skb, __u32 network, __u32 number)
{
	const struct config *c = config_get();
	struct room *room = room_get();

	if (c && room && c->overlay_ifindex && tunnel_set(skb, room, network, number))
		bpf_clone_redirect(skb, c->overlay_ifindex, 0);
	else
		count_dropped(skb, REASON_NO_NODE, 1);
	return 0;
}

/* One copy for all the members that another host has. */
static __always_inline void flood_to_node(struct flood *f, __u32 node)
{
	/* What came from one goes to no other: each was sent its own. */
	if (!f->sender)
		return;
	if (f->node_reason == REASON_POLICY_DENIED)
		f->refused++;
	else if (f->node_reason)
		count_dropped(f->skb, REASON_TOO_BIG, 1);
	else if (!f->encrypted)
		copy_to_node(f->skb, f->network, node);
}

static long flood_to(__u32 slot, struct flood *f)
{
	struct member_key key = { .network = f->network, .slot = slot };
	__u32 *ifindex = bpf_map_lookup_elem(&members, &key);

	if (!ifindex || *ifindex == f->sender)
		return 0;
	if (*ifindex & MEMBER_NODE)
		flood_to_node(f, *ifindex & ~MEMBER_NODE);
	else if (!flood_admits(f, *ifindex))
		f->refused++;
	else if (f->bytes && rate_into(f->bytes, *ifindex) == RATE_EXCEEDED)
		count_dropped(f->skb, REASON_RATE_LIMITED, 1);
	else
		bpf_clone_redirect(f->skb, *ifindex, 0);
	return 0;
}

/* A token bucket: `flood_rate` frames a second, as many at once. */
static __always_inline bool flood_allowed(const struct config *c, __u32 number)
{
	struct quota *q = bpf_map_lookup_elem(&quotas, &number);
	__u64 now, gained;

	if (!q || tracing)
		return true;
	now = now_ns();
	gained = elapsed_ns(now, q->flood_refilled) / 1000000 * c->flood_rate / 1000;
	if (gained) {
		q->flood_tokens = gained + q->flood_tokens > c->flood_rate ? c->flood_rate :
									     gained + q->flood_tokens;
		q->flood_refilled = now;
	}
	if (!q->flood_tokens)
		return false;
	q->flood_tokens--;
	return true;
}

/* The LAN's copy, after those of the members here. @refused: of these, by policy */
static __always_inline int flood_to_lan(struct __sk_buff *skb, struct packet *p, const struct interface *in, __u32 refused)
{
	int reason;

	if (refused)
		count_dropped(skb, REASON_POLICY_DENIED, refused);
	reason = policy_admit(p, PARTY_ENDPOINT, &p->destination, p->destination_port, 0, PARTY_WORLD);
	if (reason)
		return drop(skb, p, reason);
	if (decision_kind(p->decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	return to_lan(skb, p, in);
}

/* What holds for all receivers of a frame. @number: of its sender, a @party */
static __always_inline void flood_prepare(struct flood *f, struct __sk_buff *skb, const struct packet *p,
					  const struct config *c, struct judged *j, __u32 number, __u32 party)
{
	f->skb = skb;
	f->network = p->network;
	f->generation = p->generation;
	f->bytes = c->flags & CONFIG_INGRESS_LIMITS ? rate_bytes(skb, p) : 0;
	flow_end_set(&j->source, &p->source, number, party);
	j->protocol = p->protocol;
	j->port = policy_port(p->protocol, p->destination_port);
	j->known = 0;
}

static __always_inline void flood_copies(struct flood *f, const struct network *n)
{
	bpf_loop(n->members < MAX_MEMBERS ? n->members : MAX_MEMBERS, flood_to, f, 0);
}

static long flood_wireguard(__u32 slot, struct flood *f)
{
	struct member_key key = { .network = f->network, .slot = slot };
	__u32 *member = bpf_map_lookup_elem(&members, &key);
	const struct node *node;
	__u32 ifindex;

	if (!member || !(*member & MEMBER_NODE))
		return 0;
	node = node_at(*member & ~MEMBER_NODE);
	if (!keyed_node(node)) {
		count_dropped(f->skb, node ? REASON_NO_KEY : REASON_NO_NODE, 1);
		return 0;
	}
	ifindex = node->crypt_ifindex;
	if (bpf_skb_store_bytes(f->skb, CRYPT_ADDRESSES, &node->crypt_from, 32, 0))
		count_dropped(f->skb, REASON_REWRITE_FAILED, 1);
	else
		bpf_clone_redirect(f->skb, ifindex, 0);
	return 0;
}

/* Other hosts' copies, on an encrypted network: the frame is wrapped once, and cannot be unwrapped again. */
NOT_INLINED int flood_encrypted(struct __sk_buff *skb, struct packet *p)
{
	struct room *room = room_get();
	struct flood f = { .skb = skb };
	struct network *n;
	int reason;

	if (!p || !room)
		return 0;
	f.network = p->network;
	n = network_at(p->network);
	if (!n)
		return 0;
	reason = crypt_wrap(skb, p, room, NULL);
	if (reason)
		count_dropped(skb, reason, 1);
	else
		bpf_loop(n->members < MAX_MEMBERS ? n->members : MAX_MEMBERS, flood_wireguard, &f, 0);
	return 0;
}

/* The end of the frame itself, whose copies are on their way. Each refused copy counts, and one event tells of them. */
static __always_inline int flood_end(struct __sk_buff *skb, struct packet *p, const struct judged *j,
				     const struct flood *f)
{
	p->decision = f->decision;
	if (f->refused) {
		count_dropped(skb, REASON_POLICY_DENIED, f->refused - 1);
		p->source_identity = j->source_identity;
		return drop(skb, p, REASON_POLICY_DENIED);
	}
	if (decision_kind(f->decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	return TC_ACT_SHOT;
}

/* Who of another host's members gets a copy nobody here can tell: the sender's egress rules are asked once for all of
 * them, about the group's own address, as for one of the world. Answers a drop reason. */
static __always_inline int flood_judge_nodes(struct __sk_buff *skb, const struct packet *p, const struct network *n,
					     struct judged *j, struct flood *f)
{
	if (too_big(skb, p, n->mtu))
		return REASON_TOO_BIG;
	flow_end_set(&j->destination, &p->destination, 0, PARTY_WORLD);
	if (policy_judge(p->generation)) {
		f->decision = j->decision;
		return REASON_POLICY_DENIED;
	}
	if (decision_kind(j->decision) == DECISION_AUDIT)
		f->decision = j->decision;
	return REASON_NONE;
}

NOT_INLINED int flood(struct __sk_buff *skb, struct packet *p, const struct interface *in)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct flood f = {};
	struct network *n;
	int reason;

	if (!p || !in || !c || !room)
		return TC_ACT_SHOT;
	if (!(p->flags & PACKET_LINK_MULTICAST))
		return drop(skb, p, REASON_MALFORMED);
	n = network_at(in->network);
	if (!n)
		return drop(skb, p, REASON_CONFIG_MISSING);
	reason = judge_local(n, false);
	if (reason && !(in->flags & INTERFACE_LAN))
		return drop(skb, p, reason);
	if (!flood_allowed(c, in->number))
		return drop(skb, p, REASON_FLOOD_LIMITED);
	f.sender = skb->ifindex;
	flood_prepare(&f, skb, p, c, &room->judged, in->number, PARTY_ENDPOINT);
	if (n->flags & NETWORK_OVERLAY)
		f.node_reason = flood_judge_nodes(skb, p, n, &room->judged, &f);
	f.encrypted = n->flags & NETWORK_ENCRYPTED;
	trace(STEP_FLOODED, n->members);
	count(COUNTER_FLOODED);
	/* By the switch outside it comes back to them, or never does. */
	if (!tracing && !reason && !(in->flags & INTERFACE_VEPA))
		flood_copies(&f, n);
	if (in->flags & INTERFACE_LAN)
		return flood_to_lan(skb, p, in, f.refused);
	flood_end(skb, p, &room->judged, &f);
	if (f.encrypted && !f.node_reason && !tracing)
		flood_encrypted(skb, p);
	return TC_ACT_SHOT;
}
