/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Masquerading: a source port of the host that neither a flow of ours nor a socket of the host has. */
#pragma once

#include "deliver.h"

#define SNAT_ATTEMPTS 48

struct snat_search {
	struct __sk_buff *skb;
	struct tuple *other;
	__u64 now;
	__u32 base;
	__u32 range;
	__u32 start;
	__u32 found;
	__u8 is_v4;
};

/* Whether a socket of the host would take the reply. */
static __always_inline bool host_socket_takes(struct __sk_buff *skb, const struct address *remote, __be16 remote_port,
					      const struct address *local, __be16 local_port, __u8 protocol,
					      bool is_v4, bool connected_only)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk;
	__u32 size;
	bool takes;

	if (is_v4) {
		t.ipv4.saddr = const_words(remote)[3];
		t.ipv4.daddr = const_words(local)[3];
		t.ipv4.sport = remote_port;
		t.ipv4.dport = local_port;
		size = sizeof(t.ipv4);
	} else {
		*(struct address *)t.ipv6.saddr = *remote;
		*(struct address *)t.ipv6.daddr = *local;
		t.ipv6.sport = remote_port;
		t.ipv6.dport = local_port;
		size = sizeof(t.ipv6);
	}
	if (protocol == IPPROTO_TCP)
		sk = bpf_skc_lookup_tcp(skb, &t, size, BPF_F_CURRENT_NETNS, 0);
	else if (protocol == IPPROTO_UDP)
		sk = bpf_sk_lookup_udp(skb, &t, size, BPF_F_CURRENT_NETNS, 0);
	else
		return false;
	if (!sk)
		return false;
	takes = !connected_only;
	if (connected_only) {
		if (protocol == IPPROTO_TCP)
			takes = sk->state != BPF_TCP_LISTEN && sk->state != BPF_TCP_TIME_WAIT;
		else
			takes = sk->state == BPF_TCP_ESTABLISHED;
	}
	bpf_sk_release(sk);
	return takes;
}

static long snat_try(__u32 index, struct snat_search *s)
{
	struct conntrack_key key;
	struct conntrack *taken;
	const struct config *c = config_get();
	__u32 port = s->base + (s->start + index * 7919) % s->range;
	__be16 wire = bpf_htons(port);

	if (!c)
		return 1;
	conntrack_key_of(&key, &s->other->source, &s->other->destination, wire,
			 s->other->protocol == IPPROTO_ICMP || s->other->protocol == IPPROTO_ICMPV6 ?
				 wire : s->other->destination_port,
			 0, s->other->protocol);
	taken = bpf_map_lookup_elem(&conntrack, &key);
	if (taken && !conntrack_expired(taken, c, s->other->protocol, s->now) && taken->state != CONNTRACK_CLOSED) {
		count(COUNTER_SNAT_RETRIES);
		return 0;
	}
	if (host_socket_takes(s->skb, &s->other->destination, s->other->destination_port, &s->other->source, wire,
			      s->other->protocol, s->is_v4, false)) {
		count(COUNTER_SNAT_RETRIES);
		return 0;
	}
	s->found = port;
	return 1;
}

/* Chooses the source port of `other`, whose addresses are set. */
NOT_INLINED int snat_choose(struct __sk_buff *skb, const struct packet *p, struct tuple *other)
{
	const struct config *c = config_get();
	struct snat_search search = {};

	if (!p || !other || !c)
		return REASON_CONFIG_MISSING;
	/* What has no ports keeps what it has; so does ICMP that is no echo. */
	if (!p->source_port && !p->destination_port)
		return REASON_NONE;
	if (!c->snat_port_min || c->snat_port_max < c->snat_port_min)
		return REASON_SNAT_EXHAUSTED;
	search.skb = skb;
	search.other = other;
	search.now = now_ns();
	search.base = c->snat_port_min;
	search.range = c->snat_port_max - c->snat_port_min + 1;
	search.start = bpf_get_prandom_u32();
	search.is_v4 = p->is_v4;
	bpf_loop(SNAT_ATTEMPTS, snat_try, &search, 0);
	if (!search.found)
		return REASON_SNAT_EXHAUSTED;
	other->source_port = bpf_htons(search.found);
	if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6)
		other->destination_port = other->source_port;
	return REASON_NONE;
}
