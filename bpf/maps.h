/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map of the datapath, once. The tag names its one writer: reconcile repairs what the control
 * plane writes and leaves the datapath's alone. The sizes are defaults; the loader may change them. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/accelerate.h"
#include "abi/collect.h"
#include "abi/config.h"
#include "abi/conntrack.h"
#include "abi/drop_reason.h"
#include "abi/endpoint.h"
#include "abi/event.h"
#include "abi/network.h"
#include "abi/policy.h"
#include "abi/publish.h"
#include "abi/rate.h"
#include "abi/service.h"

#define WRITER_CONTROL __attribute__((btf_decl_tag("writer:control")))
#define WRITER_DATAPATH __attribute__((btf_decl_tag("writer:datapath")))

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config);
} config SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct endpoint_key);
	__type(value, struct endpoint);
} endpoints SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct interface);
} interfaces SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, INTERFACE_SLOTS);
	__type(key, __u32);
	__type(value, struct interface);
} interface_slots SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct lan_parent);
} lan_parents SEC(".maps") WRITER_CONTROL;

/* Whose device on a parent it is: the key and the value are ifindexes, the value that of the endpoint's veth. An entry that
 * is read while it is another's leads to an interface that says another lan_ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} lan_devices SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_NETWORKS);
	__type(key, __u32);
	__type(value, struct network);
} networks SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_NODES);
	__type(key, __u32);
	__type(value, struct node);
} nodes SEC(".maps") WRITER_CONTROL;

/* Which node a tunnel comes from. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * MAX_NODES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address);
	__type(value, __u32);
} node_numbers SEC(".maps") WRITER_CONTROL;

/* Which node has an address that clients may ask: 0 is this one, NODE_ADDR_SHARED several. Tunnels are told by node_numbers
 * alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16 * MAX_NODES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address);
	__type(value, __u32);
} node_addrs SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct member_key);
	__type(value, __u32);
} members SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2 * MAX_NETWORKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, struct subnet);
} subnets SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address);
	__type(value, struct host_addr);
} host_addrs SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct uplink);
} uplinks SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct publish_key);
	__type(value, struct publish);
} published SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct publish_key);
	__type(value, struct publish);
} published_lo SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * MAX_NETWORKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct trusted_key);
	__type(value, __u32);
} trusted SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct host_cgroup);
} host_cgroups SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct endpoint_addrs);
} endpoint_addrs SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * MAX_SERVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct service_key);
	__type(value, struct service);
} services SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SERVICE_BLOCKS);
	__type(key, __u32);
	__type(value, struct service_block);
} service_slots SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct service_member);
	__type(value, __u32);
} service_members SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct affinity_key);
	__type(value, struct affinity);
} affinity SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bound_port_key);
	__type(value, struct bound_port);
} bound_ports SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, struct deny);
} deny_list SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * DENY_BLOCKS);
	__type(key, __u32);
	__type(value, struct deny_block);
} deny_unlisted SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * (MAX_ENDPOINTS + MAX_REMOTES));
	__type(key, __u32);
	__type(value, struct identity_slot);
} identities SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct block_key);
	__type(value, struct block_identity);
} address_blocks SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct learned_key);
	__type(value, struct learned);
} learned SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_key);
	__type(value, struct policy_value);
} policy SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_port_key);
	__type(value, __u32); /* decision */
} policy_ports SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, struct conntrack_key);
	__type(value, struct conntrack);
} conntrack SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct straight_key);
	__type(value, struct straight_flow);
} straight_flows SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct fragment_key);
	__type(value, struct fragment);
} fragments SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct sock_reverse_key);
	__type(value, struct sock_reverse);
} sock_reverse SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_ENDPOINTS + REMOTE_SHARES);
	__type(key, __u32);
	__type(value, struct quota);
} quotas SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_ENDPOINTS + REMOTE_SHARES);
	__type(key, __u32);
	__type(value, struct quota_count);
} quota_counts SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct rate);
} rates SEC(".maps") WRITER_CONTROL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct rate_clock);
} rate_clocks SEC(".maps") WRITER_DATAPATH;

/* By an endpoint's number: 1 where its connections to others on this host may go from socket to socket. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, __u32);
} accelerated SEC(".maps") WRITER_CONTROL;

/* Sockets that what is written to another one may be put into, by their cookie. The kernel removes them when they close. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} joined SEC(".maps") WRITER_DATAPATH;

/* Sockets in `joined` that the other end has not looked for yet. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct meeting_key);
	__type(value, struct meeting);
} meetings SEC(".maps") WRITER_DATAPATH;

/* Expired entries of `learned` that the collector has seen a flow of. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct learned_key);
	__type(value, __u64); /* ktime ns */
} learned_in_use SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_COUNT);
	__type(key, __u32);
	__type(value, struct drop_count);
} drops SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024); /* bytes */
} flow_events SEC(".maps") WRITER_DATAPATH;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace);
} trace_steps SEC(".maps") WRITER_DATAPATH;
