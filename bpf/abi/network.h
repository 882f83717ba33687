/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

enum network_flag {
	NETWORK_PRESENT = 1,
	NETWORK_INTERNAL = 2, /* no way out, no way in */
	NETWORK_ICC_OFF = 4, /* endpoints may not reach each other */
	NETWORK_MASQUERADE4 = 8,
	NETWORK_MASQUERADE6 = 16,
	NETWORK_UNPROTECTED4 = 32, /* every port of a container is reached at its own address from outside */
	NETWORK_UNPROTECTED6 = 64,
	NETWORK_STACK = 128, /* vetch.forwarding=stack: to the world through the host's own forwarding */
	NETWORK_ROUTED4 = 256, /* published ports and ICMP are reached at the container's own address */
	NETWORK_ROUTED6 = 512,
	NETWORK_LAN = 1024, /* addresses that no endpoint here has are on the LAN behind the parent device */
	NETWORK_VEPA = 2048, /* endpoints reach each other by the switch outside */
	NETWORK_HOST_OFF = 4096, /* endpoints and their own host do not reach each other */
	NETWORK_OVERLAY = 8192, /* spans hosts; its number is its VNI */
	NETWORK_ENCRYPTED = 16384, /* and between them goes by WireGuard alone */
};

/* Index of the array `networks` is the network's number; 0 stands for the host's own wire. */
struct network {
	__u32 flags; /* enum network_flag */
	__u32 mtu;
	__u32 members; /* slots in `members` */
	__u32 pad;
	struct address gateway4; /* all zero: has none */
	struct address gateway6;
	struct address broadcast4; /* the subnet's; all zero: has none */
	struct address masquerade4; /* what its packets leave under; all zero: the uplink's own */
	struct address masquerade6;
};
ABI_SIZE(struct network, 96);

/* Longest-prefix keys: IPv4 prefixes are 96 longer than written. */
struct prefix_key {
	__u32 prefixlen;
	struct address addr;
};
ABI_SIZE(struct prefix_key, 20);

/* Value of `subnets`: whose an address is. */
struct subnet {
	__u32 network;
	__u32 flags; /* reserved, 0 */
};
ABI_SIZE(struct subnet, 8);

/* Key of `trusted`: a device by which the published ports of a network's containers are reached at their
 * own addresses. The value is 1. */
struct trusted_key {
	__u32 network;
	__u32 ifindex;
};
ABI_SIZE(struct trusted_key, 8);

/* Value of `deny_list`. The control plane writes the keys, the program counts. */
struct deny {
	__u64 packets;
	__u64 bytes;
};
ABI_SIZE(struct deny, 16);

/* Which sources are surely not in `deny_list`, one bit for each head of an address: its first 24 bits in IPv4, its first
 * 40 in 2000::/3, of which several share a bit (deny_head in xdp.bpf.c, and src/reconcile/desired/deny-heads.ts). 0: look.
 * The array `deny_unlisted` has IPv4's blocks first, then IPv6's. */
#define DENY_HEAD_BITS 24
#define DENY_BLOCK_BITS 12
#define DENY_BLOCKS (1 << (DENY_HEAD_BITS - DENY_BLOCK_BITS)) /* of one family */
struct deny_block {
	__u64 unlisted[(1 << DENY_BLOCK_BITS) / 64];
};
ABI_SIZE(struct deny_block, 512);

enum uplink_flag {
	UPLINK_NONE = 0,
	UPLINK_NO_ETHERNET = 1, /* tun, WireGuard: packets begin with the IP header */
	UPLINK_XDP_TRANSMITS = 2, /* its driver sends what an XDP program redirects into it */
};

/* Value of `uplinks`, keyed by ifindex. */
struct uplink {
	__u32 flags;
	__u32 mtu;
	struct address masquerade4; /* all zero: has none */
	struct address masquerade6;
};
ABI_SIZE(struct uplink, 40);

/* Value of `lan_parents`, by the ifindex of a parent whose MAC endpoints share: they are told apart by their addresses. In
 * `endpoints` their addresses stand under the network ENDPOINT_WIRE_LAN + ifindex, too. */
struct lan_parent {
	struct mac mac;
	__u16 network;
};
ABI_SIZE(struct lan_parent, 8);

/* Value of `host_addrs`: the host's own addresses, never loopback ones. */
struct host_addr {
	__u32 ifindex;
	__u32 network; /* whose gateway it is; 0: of the host itself */
};
ABI_SIZE(struct host_addr, 8);
