// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xdp_uplink: XDP on each uplink, before a socket buffer exists. Attached only while there is something to deny, or to send on
 * to hosts that answer clients straight. */
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "lib/xdp_straight.h"

static __always_inline void count_drop(__u32 bytes)
{
	__u32 key = REASON_DENY_LIST;
	struct drop_count *total = bpf_map_lookup_elem(&drops, &key);

	if (total && !tracing) {
		total->packets += 1;
		total->bytes += bytes;
	}
}

/* The event shows what the frame's first headers do: enough to say who was turned away. */
NOT_INLINED int emit_denied(struct xdp_md *xdp, const struct address *source)
{
	struct flow_event *event;

	if (!source)
		return 0;
	event = bpf_ringbuf_reserve(&flow_events, sizeof(*event), 0);
	if (!event) {
		count(COUNTER_EVENTS_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time = bpf_ktime_get_ns();
	event->source = *source;
	event->source_identity = IDENTITY_WORLD;
	event->ifindex = xdp->ingress_ifindex;
	event->length = xdp->data_end - xdp->data;
	event->reason = REASON_DENY_LIST;
	event->verdict = VERDICT_DROPPED;
	event->hook = HOOK_XDP_UPLINK;
	event->ethertype = address_is_v4(source) ? ETH_P_IP : ETH_P_IPV6;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* The number of the bit that speaks for an address. */
static __always_inline __u32 deny_head(const struct address *a)
{
	const __u32 *w = const_words(a);

	if (address_is_v4(a))
		return bpf_ntohl(w[3]) >> 8;
	return (bpf_ntohl(w[0]) * 0x9e3779b1u + a->bytes[4] * 0x85ebca6bu) >> (32 - DENY_HEAD_BITS);
}

/* Spares nearly all packets the walk through the prefixes. Of IPv6 only 2000::/3 is told apart. */
static __always_inline bool is_unlisted(const struct address *a)
{
	__u32 head = deny_head(a);
	__u32 index = (head >> DENY_BLOCK_BITS) + (address_is_v4(a) ? 0 : DENY_BLOCKS);
	struct deny_block *block = bpf_map_lookup_elem(&deny_unlisted, &index);

	if (!address_is_v4(a) && a->bytes[0] >> 5 != 1)
		return false;
	return block && block->unlisted[(head >> 6) % (sizeof(*block) / 8)] >> (head & 63) & 1;
}

SEC("xdp")
int xdp_uplink(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct prefix_key key = { .prefixlen = 128 };
	const struct config *c;
	struct ethhdr *eth = data;
	struct deny *denied;
	__be16 type;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	data = eth + 1;
	type = eth->h_proto;
	/* A tag in front must not hide the source. */
#pragma unroll
	for (int i = 0; i < 2; i++) {
		__be16 *tag = data;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 2) > end)
			return XDP_PASS;
		type = tag[1];
		data = tag + 2;
	}
	if (type == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end)
			return XDP_PASS;
		address_from_v4(&key.addr, ip->saddr);
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = data;

		if ((void *)(ip + 1) > end)
			return XDP_PASS;
		key.addr = *(struct address *)&ip->saddr;
	} else {
		return XDP_PASS;
	}
	c = config_get();
	denied = is_unlisted(&key.addr) ? NULL : bpf_map_lookup_elem(&deny_list, &key);
	if (!denied)
		return c && (c->flags & CONFIG_STRAIGHT_BY_XDP) && eth->h_proto == bpf_htons(ETH_P_IP) ?
			       send_straight(xdp, c) : XDP_PASS;
	trace(STEP_DROPPED, REASON_DENY_LIST);
	if (tracing)
		return XDP_DROP;
	__sync_fetch_and_add(&denied->packets, 1);
	__sync_fetch_and_add(&denied->bytes, end - (void *)eth);
	count_drop(end - (void *)eth);
	if (c && (c->flags & CONFIG_EVENTS_DROPPED))
		emit_denied(xdp, &key.addr);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
