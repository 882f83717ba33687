/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The next packets of a client's flow to a port that another host answers for: into the tunnel and out of an uplink, before a
 * socket buffer exists. All rules about such flows are from_uplink's, which has let an earlier packet pass; whatever is
 * not as simple goes on to it. */
#pragma once

#include "lookup.h"
#include "scratch.h"
#include "straight_flow.h"
#include "tunnel_headers.h"

/* Finds the way to a node, and the neighbour there, once in a tick of the clock. */
static __always_inline struct xdp_way *xdp_way_to(struct xdp_md *xdp, const struct config *c, struct room *room, __u32 number,
						  __be32 from, __be32 to)
{
	struct xdp_way *way = &room->xdp_ways[number % XDP_WAYS];
	struct bpf_fib_lookup *fib = &room->fib;
	__u64 tick = bpf_jiffies64();
	struct uplink *up;

	if (way->tick == tick && way->to == to)
		return way;
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = AF_INET;
	fib->ifindex = c->host_ifindex;
	fib->l4_protocol = IPPROTO_UDP;
	fib->dport = bpf_htons(c->tunnel_port);
	fib->ipv4_src = from;
	fib->ipv4_dst = to;
	/* A neighbour that is not known yet is the stack's to find. */
	if (bpf_fib_lookup(xdp, fib, sizeof(*fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return NULL;
	up = uplink_of(fib);
	if (!up || (up->flags & (UPLINK_NO_ETHERNET | UPLINK_XDP_TRANSMITS)) != UPLINK_XDP_TRANSMITS)
		return NULL;
	way->tick = tick;
	way->to = to;
	way->ifindex = fib->ifindex;
	way->mtu = up->mtu;
	__builtin_memcpy(&way->destination, fib->dmac, 6);
	__builtin_memcpy(&way->source, fib->smac, 6);
	return way;
}

/* The flow that a frame of IPv4 is of. False: it is not of the simple kind. */
static __always_inline bool straight_key_get(struct straight_key *key, const struct iphdr *ip, const void *end)
{
	const struct l4_ports *ports = (void *)(ip + 1);
	__u32 length = bpf_ntohs(ip->tot_len);

	if ((void *)(ports + 1) > end || ip->version != 4 || ip->ihl != 5 || (ip->frag_off & ~bpf_htons(0x4000)) ||
	    ip->ttl <= 1 || (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) ||
	    length > end - (const void *)ip || length < sizeof(*ip) + sizeof(struct udp_start))
		return false;
	key->source = ip->saddr;
	key->destination = ip->daddr;
	key->source_port = ports->source;
	key->destination_port = ports->destination;
	key->protocol = ip->protocol;
	return true;
}

static __always_inline __u32 straight_hash(const struct straight_key *key)
{
	__u32 hash = key->source * 0x9e3779b1u ^ key->destination ^
		     ((__u32)key->source_port << 16 | key->destination_port) * 0x85ebca6bu;

	return (hash ^ hash >> 15) * 0xc2b2ae35u;
}

/* The frame lies in @xdp as the client has sent it, untagged and of IPv4. */
static __always_inline int send_straight(struct xdp_md *xdp, const struct config *c)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	struct straight_flow *known, flow;
	struct straight_key key = {};
	const struct node *own, *to;
	struct network *n;
	struct xdp_way *way;
	struct room *room = room_get();
	__be32 from, node_addr;
	__u32 length, sum;
	struct ethhdr *eth = data;

	if (!room || (void *)(ip + 1) > end || !straight_key_get(&key, ip, end))
		return XDP_PASS;
	known = bpf_map_lookup_elem(&straight_flows, &key);
	if (!known)
		return XDP_PASS;
	flow = *known;
	barrier();
	if (flow.generation != c->generation || flow.check != straight_check(&key, &flow) ||
	    __builtin_memcmp(eth->h_dest, &flow.host, 6))
		return XDP_PASS;
	length = bpf_ntohs(ip->tot_len);
	n = network_at(flow.network);
	own = node_at(0);
	to = node_at(flow.node);
	if (!n || !own || !to || !address_is_v4(&own->addr) || !address_is_v4(&to->addr) || length > n->mtu)
		return XDP_PASS;
	from = const_words(&own->addr)[3];
	node_addr = const_words(&to->addr)[3];
	way = xdp_way_to(xdp, c, room, flow.node, from, node_addr);
	length += TUNNEL_HEADERS;
	if (!way || length > way->mtu)
		return XDP_PASS;
	if (bpf_xdp_adjust_head(xdp, -TUNNEL_HEADERS))
		return XDP_PASS;
	data = (void *)(long)xdp->data;
	end = (void *)(long)xdp->data_end;
	eth = data;
	ip = data + ETH_HLEN + TUNNEL_HEADERS;
	if ((void *)(ip + 1) > end)
		return XDP_DROP; /* it was there */
	ip->ttl--;
	sum = ip->check + bpf_htons(0x100);
	ip->check = sum + (sum >> 16);
	__builtin_memcpy(eth->h_dest, &way->destination, 6);
	__builtin_memcpy(eth->h_source, &way->source, 6);
	eth->h_proto = bpf_htons(ETH_P_IP);
	tunnel_headers_write(eth + 1, from, node_addr, length, tunnel_ecn(ip->tos), straight_hash(&key), ++room->tunnel_number,
			     c->tunnel_port, flow.network);
	eth = (void *)ip - ETH_HLEN;
	__builtin_memcpy(eth->h_dest, &flow.endpoint, 6);
	__builtin_memcpy(eth->h_source, &c->host_mac, 6);
	eth->h_proto = bpf_htons(ETH_P_IP);
	trace(STEP_TO_UPLINK, way->ifindex);
	count(COUNTER_STRAIGHT_BY_XDP);
	/* Also where it came from: XDP_TX asks more of some drivers than what they say to do. */
	return bpf_redirect(way->ifindex, 0);
}
