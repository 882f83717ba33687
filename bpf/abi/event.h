/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

enum verdict {
	VERDICT_FORWARDED = 0,
	VERDICT_DROPPED = 1,
	VERDICT_AUDIT = 2, /* forwarded, though a document under audit would drop it */
};

/* One record of the ring buffer `flow_events`. */
struct flow_event {
	__u64 time; /* ktime ns */
	struct address source;
	struct address destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 network; /* or HOST_WIRE + the number of the endpoint whose cgroup saw it */
	__u32 source_identity;
	__u32 destination_identity;
	__u32 ifindex; /* the device it was seen on */
	__u32 length;
	__u16 reason; /* enum drop_reason */
	__u8 verdict; /* enum verdict */
	__u8 hook; /* enum hook */
	__u8 protocol;
	__u8 tcp_flags;
	__u16 ethertype; /* host order; what protocol 0 was */
	__u32 decision; /* of policy (abi/policy.h) */
	__u32 generation; /* of permissions, that it was judged by; 0: by none yet */
};
ABI_SIZE(struct flow_event, 80);

/* Value of the per-CPU array `drops`, indexed by enum drop_reason. */
struct drop_count {
	__u64 packets;
	__u64 bytes;
};
ABI_SIZE(struct drop_count, 16);

/* Index of the per-CPU array `counters`. */
enum counter {
	COUNTER_EVENTS_LOST = 0, /* flow events that found the ring buffer full */
	COUNTER_FLOWS_CREATED = 1,
	COUNTER_SNAT_RETRIES = 2, /* source ports that were taken when tried */
	COUNTER_PAIRS_REPAIRED = 3, /* halves of translated flows that the LRU had evicted */
	COUNTER_ANSWERED = 4, /* ARP, neighbour discovery and ICMP errors that the programs sent themselves */
	COUNTER_FLOODED = 5, /* broadcast and multicast frames whose copies went to the network's members */
	COUNTER_AUDITED = 6, /* flows let through that a document under audit would drop */
	COUNTER_STRAIGHT_BY_XDP = 7, /* packets that xdp_uplink sent on to the host that answers them */
	COUNTER_SOCKETS_JOINED = 8, /* ends of connections that may be bypassed */
	COUNTER_SOCKETS_NOT_JOINED = 9, /* likewise, for which `joined` had no room */
	COUNTER_BYPASSED = 10, /* messages that went from socket to socket */
	COUNTER_BYPASS_DECLINED = 11, /* messages of joined sockets that went by the stack */
	COUNTER_COUNT = 12,
};

/* What a traced packet went through; written only by programs loaded with tracing on. */
enum step {
	STEP_PARSED = 1,
	STEP_SOURCE_VERIFIED = 2,
	STEP_CONNTRACK_HIT = 3,
	STEP_CONNTRACK_MISS = 4,
	STEP_JUDGED_AGAIN = 5, /* a permission was taken back since the flow began */
	STEP_PUBLISHED = 6,
	STEP_ALLOWED = 7,
	STEP_TRANSLATED = 8,
	STEP_MASQUERADED = 9,
	STEP_TO_ENDPOINT = 10, /* detail: ifindex */
	STEP_TO_HOST = 11,
	STEP_TO_UPLINK = 12, /* detail: ifindex */
	STEP_TO_STACK = 13,
	STEP_ANSWERED = 14, /* by the program itself */
	STEP_FLOODED = 15, /* detail: members */
	STEP_DROPPED = 16, /* detail: enum drop_reason */
	STEP_PASSED = 17, /* not ours */
	STEP_EGRESS_DECIDED = 18, /* detail: the decision of the sender's egress policy */
	STEP_INGRESS_DECIDED = 19, /* detail: the decision of the receiver's ingress policy */
	STEP_STEERED = 20, /* to the resolver, which answers in the place of who was asked */
	STEP_TO_LAN = 21, /* detail: ifindex */
	STEP_SERVICE = 22, /* detail: the number of the endpoint that the flow is given to */
	STEP_TO_REMOTE = 23, /* detail: the number of the node */
	STEP_TO_WIREGUARD = 24, /* detail: ifindex */
};

struct trace_step {
	__u32 step; /* enum step */
	__u32 detail;
};
ABI_SIZE(struct trace_step, 8);

#define MAX_TRACE_STEPS 16
struct trace {
	__u32 count;
	__u32 pad;
	struct trace_step steps[MAX_TRACE_STEPS];
};
ABI_SIZE(struct trace, 136);
