/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One virtual address in front of many endpoints of a network. A new flow is given a backend once: its conntrack entry
 * keeps it from then on. The kernel may give the memory of an entry of `services` to another service while a program is
 * still reading it: `check` tells whose it is. An endpoint's number may be another's by then, of the client's own network:
 * policy judges it as it is. */
#pragma once

#include "types.h"

#define MAX_SERVICES 4096
#define SERVICE_BLOCK 128 /* slots of one element; a power of two */
#define SERVICE_BLOCKS 16384

/* Key of `services`. Protocol and port 0: the virtual address itself, which has no table. */
struct service_key {
	struct address addr;
	__u32 network;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, UDP */
	__u8 pad;
};
ABI_SIZE(struct service_key, 24);

enum service_flag {
	SERVICE_NONE = 0,
	SERVICE_RANDOM = 1, /* any slot; else the one that the flow's tuple names */
};

/* All ports of a service share its table, which is replaced by one elsewhere: `first` changes with the last store. */
struct service {
	__u32 check; /* of the key; written before the rest, and read after it */
	__u32 number; /* dense, 1 .. MAX_SERVICES-1 */
	__u32 first; /* element of `service_slots` in which the table begins */
	__u32 slots; /* in the table, a prime; 0: no backend can be reached */
	__u32 affinity; /* seconds for which a client keeps its backend; 0: none */
	__be16 port; /* of the backends */
	__u16 flags; /* enum service_flag */
};
ABI_SIZE(struct service, 24);

/* Element of the array `service_slots`: numbers of endpoints; 0: the slot belongs to no table. */
struct service_block {
	__u16 backend[SERVICE_BLOCK];
};
ABI_SIZE(struct service_block, 256);

/* Key of `service_members`: that a service may give new flows to an endpoint. The value is 1. */
struct service_member {
	__u32 service; /* number */
	__u32 endpoint; /* number */
};
ABI_SIZE(struct service_member, 8);

/* Element of the array `endpoint_addrs`, whose index is an endpoint's number. All zero: no endpoint has it. */
struct endpoint_addrs {
	struct address v4; /* all zero: has none */
	struct address v6; /* all zero: has none */
	__u32 network;
};
ABI_SIZE(struct endpoint_addrs, 36);

/* Key of `affinity`, which the datapath writes: a client of a service. */
struct affinity_key {
	struct address client;
	__u32 service; /* number */
};
ABI_SIZE(struct affinity_key, 20);

struct affinity {
	__u64 used; /* ktime ns, of its last new flow */
	__u32 endpoint; /* number */
	__u32 pad;
};
ABI_SIZE(struct affinity, 16);
