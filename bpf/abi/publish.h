/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

/* Key of `published` (any address of the host but loopback ones, or the endpoint's own) and `published_lo` (127.0.0.0/8 and ::1).
 * The wildcards are ::ffff:0.0.0.0 and ::. */
struct publish_key {
	struct address addr;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, UDP, SCTP */
	__u8 pad;
};
ABI_SIZE(struct publish_key, 20);

struct publish {
	struct address addr; /* the endpoint's, of either family */
	__u32 network;
	__be16 port;
	__u16 flags; /* enum publish_flag */
};
ABI_SIZE(struct publish, 24);

enum publish_flag {
	PUBLISH_NONE = 0,
	PUBLISH_DIRECT = 1, /* the key is the endpoint's own address and port: nothing is translated */
	PUBLISH_TRUSTED = 2, /* direct, and only by the devices in `trusted` */
	PUBLISH_REMOTE = 4, /* the endpoint is on another host: leads there from outside, and from nowhere else */
	PUBLISH_BY_NODE = 8, /* the key is the endpoint's own address and port: the other hosts lead there from outside */
	PUBLISH_STRAIGHT = 16, /* of every host: who asks another one is answered straight from the endpoint's */
};

/* Key of `bound_ports`: lets a bind to a wildcard see that some address of the port is published. */
struct bound_port_key {
	__be16 port;
	__u8 protocol;
	__u8 family; /* 4 or 6 */
};
ABI_SIZE(struct bound_port_key, 4);

struct bound_port {
	__u32 publishes; /* how many publishes share the key; never 0 */
};
ABI_SIZE(struct bound_port, 4);

/* Key of `sock_reverse`: what a translated socket believes to talk to. */
struct sock_reverse_key {
	__u64 cookie;
	struct address addr; /* the endpoint's */
	__be16 port;
	__u8 protocol;
	__u8 pad[5];
};
ABI_SIZE(struct sock_reverse_key, 32);

struct sock_reverse {
	struct address addr; /* what the process asked for */
	__be16 port;
	__u8 pad[6];
};
ABI_SIZE(struct sock_reverse, 24);

/* Key of `straight_flows`: a client's flow over IPv4 to a port of PUBLISH_STRAIGHT of another host. */
struct straight_key {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 pad[3];
};
ABI_SIZE(struct straight_key, 16);

/* Where from_uplink has sent its last packet, for xdp_uplink to send the next ones. The kernel may give the memory of an
 * entry that it evicts to another while a program still reads it. */
struct straight_flow {
	__u32 generation; /* of permissions, as of then */
	__u32 network;
	__u32 node;
	struct mac endpoint;
	struct mac host; /* this one's, as the client's frames have it */
	__u32 check; /* straight_check of the key and of all this */
};
ABI_SIZE(struct straight_flow, 28);
