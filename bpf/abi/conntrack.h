/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

/* One key for both directions: `a` is the smaller end of the flow as bytes compare (address, then
 * port). ICMP echo: both ports hold the identifier. */
struct conntrack_key {
	struct address addr_a;
	struct address addr_b;
	__be16 port_a;
	__be16 port_b;
	__u16 network; /* 0: the host's own wire; HOST_WIRE + an endpoint's number: what that endpoint hears and says there */
	__u8 protocol;
	__u8 pad;
};
ABI_SIZE(struct conntrack_key, 40);

/* Endpoints in the host's namespace share its addresses: what two of them say to each other is a flow of each. */
#define HOST_WIRE 0x8000u

enum conntrack_state {
	CONNTRACK_NEW = 0, /* seen in one direction */
	CONNTRACK_REPLIED = 1, /* seen in both; TCP: not established yet */
	CONNTRACK_ESTABLISHED = 2,
	CONNTRACK_CLOSING = 3, /* TCP: one FIN, SCTP: SHUTDOWN */
	CONNTRACK_CLOSED = 4, /* TCP: both FINs or a RST, SCTP: ABORT */
	CONNTRACK_REFUSED = 5, /* policy took its permission back */
};

enum conntrack_flag {
	CONNTRACK_ORIGIN_B = 1, /* the flow was begun by end b */
	CONNTRACK_TRANSLATED = 2, /* `other_*` is the tuple on the other wire */
	CONNTRACK_REPLY_HALF = 4, /* of a translated flow: keyed by the tuple that the destination sees */
	CONNTRACK_FIN_ORIGINAL = 8,
	CONNTRACK_FIN_REPLY = 16,
	CONNTRACK_SNAT = 32, /* holds a masquerading port */
	CONNTRACK_PUBLISHED = 64, /* admitted by a published port */
	CONNTRACK_STACK = 128, /* to the world through the host's own forwarding */
	CONNTRACK_STEERED = 256, /* a question for names, which the resolver answers in the place of who was asked */
};

/* What stands at an end of a flow. */
enum party {
	PARTY_ENDPOINT = 0,
	PARTY_HOST = 1,
	PARTY_WORLD = 2,
	PARTY_REMOTE = 3, /* an endpoint on another host: `delivery.ifindex` is the number of its node */
	/* The world, by way of another host, which has taken it in: likewise. In a translated flow what is answered leaves by
	 * this host's own uplink, under the other's address. */
	PARTY_NODE = 4,
};

/* How an endpoint is reached: what `endpoints` says of it. The kernel may give the memory of an entry that it evicts to
 * another flow while a program is still reading it: `check` tells whose it is, and is read together with `ifindex`. */
struct delivery {
	__u32 ifindex; /* of the host's end of the veth */
	__u32 check; /* conntrack_check of the key */
	struct mac mac;
	__u16 pad;
};
ABI_SIZE(struct delivery, 16);

/* Written by the datapath alone. What each packet needs comes first, so that it shares cache lines with the key. */
struct conntrack {
	__u32 generation; /* of permissions, that admitted it; 0, which none has: each packet is judged again */
	__u32 beat; /* of the tick, in which the clock was last looked at; no time */
	__u16 flags; /* enum conntrack_flag */
	__u8 state; /* enum conntrack_state */
	__u8 source_party; /* enum party, of the original direction */
	__u8 destination_party;
	__u8 pad;
	__u16 other_network; /* translated: network of the other wire */
	/* Of the ends that are endpoints, as of `generation`; the check words are those of all flows. They come before the
	 * other wire's tuple, and are read after it. */
	struct delivery to_source;
	struct delivery to_destination;
	__u64 packets_original;
	__u64 bytes_original;
	__u64 packets_reply;
	__u64 bytes_reply;
	__u64 last_seen; /* ktime ns, refreshed at most once a second */
	__u64 created; /* ktime ns */
	__u32 source_identity; /* of the original direction */
	__u32 destination_identity;
	__u32 owner; /* index of `quotas`, charged for it: an endpoint's number, or a share of what leads to other hosts; 0: nobody */
	/* Translated: the other wire's tuple, in the original direction. */
	__be16 other_source_port;
	__be16 other_destination_port;
	struct address other_source;
	struct address other_destination;
};
ABI_SIZE(struct conntrack, 144);

/* Fragments after the first have no ports: the first leaves them here. */
struct fragment_key {
	struct address source;
	struct address destination;
	__be32 id;
	__u16 network;
	__u8 protocol;
	__u8 pad;
};
ABI_SIZE(struct fragment_key, 40);

struct fragment {
	__u64 seen; /* ktime ns */
	__be16 source_port;
	__be16 destination_port;
	__u32 pad;
};
ABI_SIZE(struct fragment, 16);
