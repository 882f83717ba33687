/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ways out of a program: into a container, to this host, to the world. */
#pragma once

#include "conntrack.h"
#include "icmp_reply.h"
#include "lookup.h"
#include "rate.h"
#include "translate.h"

struct frame_macs {
	struct mac destination;
	struct mac source;
};

static __always_inline int set_macs(struct __sk_buff *skb, const struct mac *destination, const struct mac *source)
{
	struct frame_macs macs = { *destination, *source };

	return bpf_skb_store_bytes(skb, 0, &macs, sizeof(macs), 0);
}

static __always_inline struct endpoint *endpoint_at(__u32 network, const struct address *addr)
{
	struct endpoint_key key = { .network = network, .addr = *addr };

	return bpf_map_lookup_elem(&endpoints, &key);
}

/* Who has an address and lives on this host, so that `ifindex` is a device's. NULL: nobody. */
static __always_inline struct endpoint *local_endpoint_at(__u32 network, const struct address *addr)
{
	struct endpoint *e = endpoint_at(network, addr);

	return e && !(e->flags & ENDPOINT_REMOTE) ? e : NULL;
}

static __always_inline struct interface *interface_at(__u32 ifindex)
{
	__u32 slot = ifindex % INTERFACE_SLOTS;
	struct interface *in = bpf_map_lookup_elem(&interface_slots, &slot);

	return in && in->ifindex == ifindex ? in : bpf_map_lookup_elem(&interfaces, &ifindex);
}

static __always_inline struct subnet *subnet_of(const struct address *addr)
{
	struct prefix_key key = { .prefixlen = 128, .addr = *addr };

	return bpf_map_lookup_elem(&subnets, &key);
}

static __always_inline struct host_addr *host_addr_at(const struct address *addr)
{
	struct address key = *addr;

	return bpf_map_lookup_elem(&host_addrs, &key);
}

/* A router's hop. What runs out is answered. */
static __always_inline int take_hop(struct __sk_buff *skb, struct packet *p)
{
	if (p->flags & PACKET_HOP_TAKEN)
		return REASON_NONE;
	if (p->ttl <= 1)
		return REASON_TTL_EXCEEDED;
	if (p->is_v4) {
		__be16 old = bpf_htons(p->ttl << 8), new = bpf_htons((p->ttl - 1) << 8);
		__u8 ttl = p->ttl - 1;

		if (bpf_l3_csum_replace(skb, p->l3 + 10, old, new, 2) ||
		    bpf_skb_store_bytes(skb, p->l3 + 8, &ttl, 1, 0))
			return REASON_REWRITE_FAILED;
	} else {
		__u8 ttl = p->ttl - 1;

		if (bpf_skb_store_bytes(skb, p->l3 + 7, &ttl, 1, BPF_F_RECOMPUTE_CSUM))
			return REASON_REWRITE_FAILED;
	}
	p->ttl--;
	return REASON_NONE;
}

/* The larger packets of a GSO train are cut to gso_size before they leave. */
static __always_inline bool too_big(const struct __sk_buff *skb, const struct packet *p, __u32 mtu)
{
	if (!mtu)
		return false;
	if (skb->gso_size) {
		__u32 header = sizeof(struct udp_start);
		__u8 offset;

		if (p->protocol == IPPROTO_TCP)
			header = bpf_skb_load_bytes(skb, p->l4 + 12, &offset, 1) ? 20 : (offset >> 4) * 4;
		return skb->gso_size + (p->l4 - p->l3) + header > mtu;
	}
	return skb->len - p->l3 > mtu;
}

static __always_inline void delivery_set(struct delivery *to, __u32 ifindex, const struct mac *mac)
{
	to->ifindex = ifindex;
	to->mac = *mac;
}

/* What the limit of the endpoint behind a device says of so many bytes more; enum rate_verdict. */
static __always_inline int rate_into(__u64 bytes, __u32 ifindex)
{
	struct interface *to = interface_at(ifindex);

	if (!to || !(to->flags & INTERFACE_INGRESS_LIMITED))
		return RATE_PASSES;
	return rate_judge(2 * to->number + RATE_INGRESS, bytes);
}

NOT_INLINED int rate_of_receiver(struct __sk_buff *skb, const struct packet *p, __u32 ifindex)
{
	return p ? rate_into(rate_bytes(skb, p), ifindex) : RATE_PASSES;
}

/* Into a container from an ingress hook: its own ingress is decided already. The sender's MAC stays
 * where both are on one segment; what came through the host shows the gateway's. */
static __always_inline int to_endpoint(struct __sk_buff *skb, const struct packet *p, const struct config *c,
				       const struct delivery *to, bool same_segment)
{
	int rate = RATE_PASSES;

	trace(STEP_TO_ENDPOINT, to->ifindex);
	if (c->flags & CONFIG_INGRESS_LIMITS)
		rate = rate_of_receiver(skb, p, to->ifindex);
	if (rate == RATE_EXCEEDED)
		return drop(skb, p, REASON_RATE_LIMITED);
	if (same_segment) {
		void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
		const __u16 *have = data, *want = (const __u16 *)to->mac.bytes;

		if (data + 6 > end || have[0] != want[0] || have[1] != want[1] || have[2] != want[2])
			if (bpf_skb_store_bytes(skb, 0, &to->mac, 6, 0))
				return drop(skb, p, REASON_REWRITE_FAILED);
	} else if (set_macs(skb, &to->mac, &c->host_mac)) {
		return drop(skb, p, REASON_REWRITE_FAILED);
	}
	if (rate == RATE_WAITS)
		return rate_wait(skb, c, RATE_TO_ENDPOINT | to->ifindex);
	/* A neighbour's MAC is not that of the host's end of the veth, and Linux 6.1 keeps what it made of that. */
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(to->ifindex, 0);
}

/* Up this host's stack, as if it had come from the host device. */
static __always_inline int to_host(struct __sk_buff *skb, const struct packet *p, const struct config *c,
				   enum step step)
{
	trace(step, c->host_ifindex);
	if (bpf_skb_store_bytes(skb, 0, &c->host_mac, 6, 0))
		return drop(skb, p, REASON_REWRITE_FAILED);
	return bpf_redirect(c->host_ifindex, BPF_F_INGRESS);
}

enum route {
	ROUTE_UPLINK = 0,
	ROUTE_STACK = 1, /* not one of our uplinks: the host's own affair */
	ROUTE_NONE = 2,
	ROUTE_LOCAL = 3, /* an address of the host's own, or a broadcast that it takes */
};

static __always_inline struct way *way_slot(struct room *room, const struct way_key *key)
{
	__u32 hash = const_words(&key->source)[3] ^ const_words(&key->destination)[3] ^ *(__u32 *)&key->source_port;

	return &room->ways[hash * 0x9e3779b1u >> (32 - WAY_SLOT_BITS)];
}

static __always_inline bool way_key_equal(const struct way_key *a, const struct way_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] && x[4] == y[4];
}

/* Asks the host's routes for the way of `room->asked`, into `room->fib`: the same question once in a tick of the clock, which is
 * 1 to 10 ms. Their neighbours are the kernel's to find, for each packet. */
NOT_INLINED int route_asked(struct __sk_buff *skb)
{
	const struct config *c = config_get();
	struct room *room = room_get();
	struct bpf_fib_lookup *fib;
	struct way_key *key;
	struct way *way;
	__u64 tick;
	long rc;

	if (!c || !room)
		return ROUTE_NONE;
	fib = &room->fib;
	key = &room->asked;
	way = way_slot(room, key);
	tick = bpf_jiffies64();
	if (way->tick == tick && way_key_equal(&way->key, key)) {
		fib->family = way->family;
		fib->ifindex = way->ifindex;
		*(struct address *)fib->ipv6_dst = way->next_hop;
		return ROUTE_UPLINK;
	}
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->ifindex = c->host_ifindex;
	fib->l4_protocol = key->protocol;
	fib->sport = key->source_port;
	fib->dport = key->destination_port;
	if (address_is_v4(&key->destination)) {
		fib->family = AF_INET;
		fib->ipv4_src = const_words(&key->source)[3];
		fib->ipv4_dst = const_words(&key->destination)[3];
	} else {
		fib->family = AF_INET6;
		*(struct address *)fib->ipv6_src = key->source;
		*(struct address *)fib->ipv6_dst = key->destination;
	}
	/* tot_len stays 0: with a length the lookup would judge the MTU of a GSO packet. Without one it still
	 * judges the others', but only once it knows the neighbour: what is too big has a route. */
	rc = bpf_fib_lookup(skb, fib, sizeof(*fib), 0);
	if (rc == BPF_FIB_LKUP_RET_SUCCESS || rc == BPF_FIB_LKUP_RET_NO_NEIGH || rc == BPF_FIB_LKUP_RET_FRAG_NEEDED) {
		if (!uplink_of(fib))
			return ROUTE_STACK;
		if (tracing)
			return ROUTE_UPLINK;
		way->tick = tick;
		way->key = *key;
		way->ifindex = fib->ifindex;
		way->family = fib->family;
		way->next_hop = *(struct address *)fib->ipv6_dst;
		return ROUTE_UPLINK;
	}
	if (rc == BPF_FIB_LKUP_RET_BLACKHOLE || rc == BPF_FIB_LKUP_RET_UNREACHABLE ||
	    rc == BPF_FIB_LKUP_RET_PROHIBIT || rc < 0)
		return ROUTE_NONE;
	return rc == BPF_FIB_LKUP_RET_NOT_FWDED ? ROUTE_LOCAL : ROUTE_STACK;
}

/* Where the host would send what the packet says now. */
static __always_inline int route_of(struct __sk_buff *skb, const struct packet *p, struct room *room)
{
	struct way_key *key = &room->asked;

	key->source = p->source;
	key->destination = p->destination;
	key->source_port = p->source_port;
	key->destination_port = p->destination_port;
	key->protocol = p->protocol;
	return route_asked(skb);
}

/* Out of the uplink that `room->fib` has found; the kernel finds the neighbour. */
NOT_INLINED int leave(struct __sk_buff *skb, struct packet *p)
{
	struct room *room = room_get();
	struct bpf_redir_neigh next = {};
	struct bpf_fib_lookup *fib;
	int reason;

	if (!p || !room)
		return TC_ACT_SHOT;
	fib = &room->fib;
	if (!(p->flags & PACKET_ICMP_ERROR)) {
		reason = take_hop(skb, p);
		if (reason)
			return drop(skb, p, reason);
	}
	next.nh_family = fib->family;
	if (fib->family == AF_INET)
		next.ipv4_nh = fib->ipv4_dst;
	else
		__builtin_memcpy(next.ipv6_nh, fib->ipv6_dst, 16);
	trace(STEP_TO_UPLINK, fib->ifindex);
	return bpf_redirect_neigh(fib->ifindex, &next, sizeof(next), 0);
}

/* Out of an uplink. */
NOT_INLINED int to_world(struct __sk_buff *skb, struct packet *p)
{
	const struct config *c = config_get();
	struct room *room = room_get();

	if (!p || !c || !room)
		return TC_ACT_SHOT;
	switch (route_of(skb, p, room)) {
	case ROUTE_NONE:
		return drop(skb, p, REASON_NO_ROUTE);
	case ROUTE_LOCAL:
	case ROUTE_STACK:
		return to_host(skb, p, c, STEP_TO_STACK);
	case ROUTE_UPLINK:
		break;
	}
	return leave(skb, p);
}
