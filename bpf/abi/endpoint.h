/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

/* What `network` of a key may be beside a network's number. */
enum endpoint_wire {
	ENDPOINT_WIRE_HOST = 0, /* an alias of each routable address: how the host finds an endpoint */
	/* Plus the ifindex of a parent, the addresses of endpoints that share its MAC: how what comes in by it finds one. */
	ENDPOINT_WIRE_LAN = 0x80000000u,
};

struct endpoint_key {
	__u32 network;
	struct address addr;
};
ABI_SIZE(struct endpoint_key, 20);

/* Who has an address, and how it is reached. */
struct endpoint {
	__u32 number; /* dense, 1 .. MAX_ENDPOINTS-1: index of `quotas`; twice it, of `identities` */
	__u32 ifindex; /* of the host's end of the veth */
	__u32 network;
	struct mac mac;
	__u16 flags; /* enum endpoint_flag */
};
ABI_SIZE(struct endpoint, 20);

enum endpoint_flag {
	ENDPOINT_NONE = 0,
	/* It lives on another host: `ifindex` is the number of its node, and `number` is the index of nothing but
	 * `identities`. */
	ENDPOINT_REMOTE = 1,
};

/* What may come out of a device: the sender's side. The map `interfaces` has all of them, by ifindex. The array
 * `interface_slots` has one of those that share an index, the ifindex modulo INTERFACE_SLOTS: with many more slots than
 * endpoints that is nearly all, and costs no hashing. */
struct interface {
	__u32 ifindex; /* of the host's end */
	__u16 number;
	__u16 network;
	struct mac mac;
	__u16 flags; /* enum interface_flag */
	struct address v4; /* all zero: has none */
	struct address v6; /* all zero: has none */
	struct address link_local; /* derived from the MAC; all zero where the network has no IPv6 */
	__u32 lan_ifindex; /* of its own device on the network's parent; 0: has none, or the parent is gone */
};
ABI_SIZE(struct interface, 68);

enum interface_flag {
	INTERFACE_NONE = 0,
	INTERFACE_LAN = 1, /* its network is a part of the LAN behind a parent device */
	INTERFACE_VEPA = 2, /* and its neighbours on this host are reached by the switch outside */
	INTERFACE_SHARED = 4, /* and it goes by the parent's MAC: lan_ifindex is the parent's own */
	INTERFACE_EGRESS_LIMITED = 8, /* `rates` has what it may send */
	INTERFACE_INGRESS_LIMITED = 16, /* likewise, receive */
};

/* Value of `host_cgroups`, by the id of the cgroup of an endpoint in the host's namespace. In one word of 64 bits: the kernel
 * may give the memory of an entry that goes to the next one while a program reads it, and `check` tells whose it is. */
struct host_cgroup {
	__u32 number;
	__u32 check; /* the id's low word */
};
ABI_SIZE(struct host_cgroup, 8);

/* Levels beneath the root of cgroup2 at which an endpoint's cgroup may lie. */
#define MAX_CGROUP_LEVEL 16

/* Another host. Index of the array `nodes` is its number, from 1 on; every host numbers the others itself.
 *
 * What goes into WireGuard has an address for each key, made of the key: WireGuard lets a packet in under such an address
 * only from whom the key is of. */
struct node {
	struct address addr; /* where its tunnel ends; all zero: no node has the number */
	struct address crypt_from; /* of this host's key that packets are sent with; all zero: none */
	struct address crypt_to; /* of its key that they are sent to; all zero: has none */
	struct address crypt_also; /* of another key of its that is accepted; all zero: none */
	__u32 crypt_ifindex; /* of the WireGuard device that has crypt_from; 0: none */
	__u32 pad;
};
ABI_SIZE(struct node, 72);

/* Value of `node_addrs`: several hosts say that they have the address. */
#define NODE_ADDR_SHARED 0xffffffffu

/* The members of a network, in slots 0 .. network.members-1, for flooding: ifindexes, and MEMBER_NODE + the number of
 * each other host that has some. */
#define MEMBER_NODE 0x80000000u
struct member_key {
	__u32 network;
	__u32 slot;
};
ABI_SIZE(struct member_key, 8);

/* Written by the datapath: what an endpoint has used of its share. */
struct quota {
	__u64 epoch; /* ktime ns: when the collector last counted, or when a window without collector began */
	__u64 flood_refilled; /* ktime ns */
	__u32 flood_tokens;
	__u32 flows;
	__u32 snat_ports;
	__u32 pad;
};
ABI_SIZE(struct quota, 32);
