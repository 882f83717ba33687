/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

#define MAX_NETWORKS 4096
#define MAX_ENDPOINTS 16384
#define INTERFACE_SLOTS (2 * MAX_ENDPOINTS) /* a power of two */
#define MAX_MEMBERS 1024 /* of one network, that a flooded frame reaches */
#define MAX_REMOTES 114688 /* endpoints on other hosts; their numbers are MAX_ENDPOINTS .. MAX_ENDPOINTS+MAX_REMOTES-1 */
#define MAX_NODES 1024
/* What comes in from outside for an endpoint on another host is charged there to the endpoint, and here to a share that few
 * others have: their quotas follow those of the endpoints here. */
#define REMOTE_SHARES 1024
#define FIRST_CLUSTER_NETWORK 2048 /* numbers of networks that span hosts, on all of them: their VNIs */

enum config_flag {
	CONFIG_EVENTS_DROPPED = 1,
	CONFIG_EVENTS_FORWARDED = 2, /* one event a flow, when it begins */
	CONFIG_INGRESS_LIMITS = 4, /* some endpoint may not receive all that is sent to it */
	CONFIG_TUNNELS_BY_DEVICE = 8, /* the host has IPsec policies, which the stack alone keeps */
	CONFIG_STRAIGHT_BY_XDP = 16, /* what goes to who answers straight may leave before the stack, by uplinks that say so */
};

/* The single entry of `config`. Times are seconds. */
struct config {
	__u64 host_netns; /* cookie of the host's network namespace */
	__u32 generation; /* of permissions: goes up by 2 with each change that takes one away, by 1 with each of policy (abi/policy.h) */
	__u32 flags; /* enum config_flag */
	__u32 host_ifindex; /* the host device */
	struct mac host_mac; /* of the host device; every gateway answers with it */
	__u16 snat_port_min;
	__u16 snat_port_max;
	__u16 tunnel_port; /* UDP, of our nodes; 0: none */
	__u32 flow_quota; /* flows an endpoint may have */
	__u32 snat_quota; /* masqueraded flows an endpoint may have */
	__u32 flood_rate; /* broadcast and multicast frames a second an endpoint may send; burst is the same */
	__u32 timeout_new; /* any protocol, seen in one direction */
	__u32 timeout_udp;
	__u32 timeout_icmp;
	__u32 timeout_established; /* TCP, SCTP */
	__u32 timeout_closing;
	__u32 timeout_closed;
	__u32 timeout_refused; /* TCP, SCTP; more than twice the longest time between two retransmissions */
	__u32 quota_window; /* without a collector the quotas start anew after this */
	__u32 shaper_ifindex; /* where packets wait that a limit delays; 0: nowhere, limits drop */
	__u32 overlay_ifindex; /* the collect-metadata VXLAN device; 0: none */
	__u32 pad;
};
ABI_SIZE(struct config, 88);
