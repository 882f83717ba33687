/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room for what a packet needs rarely and the stack has no place for: a chain of calls has 512 bytes.
 * Programs run with soft interrupts off, so a CPU uses it for one packet at a time. */
#pragma once

#include "emit.h"
#include "tunnel_headers.h"
#include "unsettled.h"

/* A wire's tuple, in the original direction. */
struct tuple {
	struct address source __attribute__((aligned(8)));
	struct address destination __attribute__((aligned(8)));
	__be16 source_port;
	__be16 destination_port;
	__u16 network;
	__u8 protocol;
	__u8 hop; /* 1: a router's hop is taken along with the translation */
};

struct quoted {
	struct packet p; /* the packet that an ICMP error quotes, as this wire saw it; offsets are this skb's */
	__u32 reply; /* its direction in its flow */
	__u32 pad;
};

/* Whether it is somebody whom `endpoints` knows, here or on another host. */
static __always_inline bool party_is_endpoint(__u32 party)
{
	return party == PARTY_ENDPOINT || party == PARTY_REMOTE;
}

/* Whether a flow's entry says how it is reached. */
static __always_inline bool party_has_delivery(__u32 party)
{
	return party_is_endpoint(party) || party == PARTY_NODE;
}

/* One end of a flow, for policy. */
struct flow_end {
	struct address addr;
	__u32 number; /* of an endpoint; else 0 */
	__u32 party; /* enum party */
};

/* A flow in its original direction, as policy sees it: its source before any translation, its destination after it. */
struct judged {
	struct flow_end source;
	struct flow_end destination;
	__u8 protocol;
	__u8 pad;
	__be16 port; /* 0 where the protocol has none */
	__u32 known; /* it passes already */
	__u32 moved; /* of a known flow: an end came to this host, or left it */
	__u32 source_identity; /* out */
	__u32 destination_identity; /* out */
	__u32 decision; /* out: what allowed or denied it; DECISION_ABSENT: no document governs it */
};

struct icmp_error {
	struct address from; /* who speaks: the gateway */
	__u8 type;
	__u8 code;
	__u16 mtu; /* host order; 0 where the error has none */
};

/* What the host's routes are asked by. */
struct way_key {
	struct address source __attribute__((aligned(8)));
	struct address destination __attribute__((aligned(8)));
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
};

/* What they have answered at a tick of the clock. */
struct way {
	struct way_key key;
	__u64 tick;
	struct address next_hop __attribute__((aligned(8)));
	__u32 ifindex;
	__u32 family; /* of the next hop: a route of IPv4 may have one of IPv6 */
};
#define WAY_SLOT_BITS 6

/* Of what leaves before the stack: the neighbour, too. */
struct xdp_way {
	__u64 tick;
	__be32 to; /* a node */
	__u32 ifindex;
	struct mac destination;
	struct mac source;
	__u32 mtu;
	__u32 pad;
};
#define XDP_WAYS 16

/* Likewise, of one that goes into WireGuard. */
struct crypt_headers {
	struct ipv6hdr ip;
	struct udp_start udp;
	__be32 flags;
	__be32 vni;
	struct ethhdr inner;
} __attribute__((packed, aligned(4)));
#define CRYPT_HEADERS (40 + 8 + 8 + 14)
#define CRYPT_ADDRESSES (14 + 8) /* where the two are, behind the Ethernet header that is left out */

struct room {
	struct conntrack entry; /* in the making */
	struct delivery to_source; /* of a flow in the making, where that end is an endpoint, here or elsewhere */
	struct delivery to_destination;
	struct conntrack_key key;
	struct conntrack_key other_key;
	struct conntrack_key of_packet; /* what the packet at hand was looked up by */
	struct conntrack_key known; /* looked up again by a function that was told which */
	struct conntrack_key known_other;
	struct conntrack_key gone; /* being removed */
	struct conntrack_key gone_other;
	struct tuple other; /* of a flow in the making */
	struct bpf_fib_lookup fib;
	struct icmp_error error; /* to be sent */
	struct quoted quoted;
	struct tuple quoted_to;
	struct tuple outer_to;
	struct judged judged;
	struct block_key block_key;
	struct learned_key learned_key;
	struct policy_port_key port_key;
	struct bpf_tunnel_key tunnel; /* that a packet came by, or goes by */
	struct tunnel_headers headers; /* likewise, without the overlay's device */
	struct way_key asked; /* of the host's routes; the answer is in `fib` */
	struct way ways[1 << WAY_SLOT_BITS];
	struct xdp_way xdp_ways[XDP_WAYS]; /* each in the place of its node's number */
	struct crypt_headers crypt; /* likewise, by WireGuard's */
	__u32 tunnel_number; /* of the last packet whose tunnel was made without the overlay's device */
	__u32 pad;
	__u64 departure; /* of a packet that has to wait; ktime ns */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct room);
} scratch SEC(".maps") WRITER_DATAPATH;

static __always_inline struct room *room_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}
