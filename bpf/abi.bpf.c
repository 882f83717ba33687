// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Never loaded: its BTF is what src/maps/generated is made from. */
#include "maps.h"

enum hook abi_hook;
enum identity abi_identity;
enum drop_reason abi_drop_reason;
enum endpoint_flag abi_endpoint_flag;
enum endpoint_wire abi_endpoint_wire;
enum network_flag abi_network_flag;
enum publish_flag abi_publish_flag;
enum rate_direction abi_rate_direction;
enum interface_flag abi_interface_flag;
enum service_flag abi_service_flag;
enum uplink_flag abi_uplink_flag;
struct lan_parent abi_lan_parent;
enum conntrack_state abi_conntrack_state;
enum conntrack_flag abi_conntrack_flag;
enum party abi_party;
enum config_flag abi_config_flag;
enum verdict abi_verdict;
enum counter abi_counter;
enum step abi_step;
enum decision_kind abi_decision_kind;
enum decision_layout abi_decision_layout;
enum policy_direction abi_policy_direction;
enum standing_flag abi_standing_flag;
enum learned_flag abi_learned_flag;
enum collect_mode abi_collect_mode;
enum collect_filter abi_collect_filter;
struct collect abi_collect;
struct flow_event abi_flow_event;
struct trace_step abi_trace_step;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
