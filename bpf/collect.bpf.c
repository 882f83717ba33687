// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* conntrack_collect: walks the flow table inside the kernel, where reading and deleting are one step: a
 * flow that is refreshed meanwhile is never lost. Run by BPF_PROG_TEST_RUN. */
#include "lib/conntrack.h"

static __always_inline bool end_matches(const struct collect *what, const struct address *addr, __be16 port)
{
	if ((what->filter & COLLECT_BY_ADDRESS) && !address_equal(addr, &what->addr))
		return false;
	return !(what->filter & COLLECT_BY_PORT) || port == what->port;
}

static __always_inline bool matches(const struct collect *what, const struct conntrack_key *key,
				    const struct conntrack *ct)
{
	bool translated = ct->flags & CONNTRACK_TRANSLATED;

	if ((what->filter & COLLECT_BY_PROTOCOL) && key->protocol != what->protocol)
		return false;
	if ((what->filter & COLLECT_BY_NETWORK) && key->network != what->network &&
	    !(translated && ct->other_network == what->network))
		return false;
	if (end_matches(what, &key->addr_a, key->port_a) || end_matches(what, &key->addr_b, key->port_b))
		return true;
	return translated && (end_matches(what, &ct->other_source, ct->other_source_port) ||
			      end_matches(what, &ct->other_destination, ct->other_destination_port));
}

struct bpf_map;

/* A flow that an endpoint has begun with the world: the address that it may have learned is in use. */
static __always_inline void note_learned(const struct conntrack_key *key, const struct conntrack *ct, __u32 parity, __u64 now)
{
	bool origin_is_b = ct->flags & CONNTRACK_ORIGIN_B;
	struct learned_key learned_key = { .endpoint = ct->owner };
	struct learned *known;

	if (ct->destination_party != PARTY_WORLD || (ct->flags & CONNTRACK_REPLY_HALF))
		return;
	learned_key.addr = origin_is_b ? key->addr_a : key->addr_b;
	known = bpf_map_lookup_elem(&learned, &learned_key);
	if (known && (known->half[parity].flags & LEARNED_EXPIRED))
		bpf_map_update_elem(&learned_in_use, &learned_key, &now, BPF_ANY);
}

struct walk {
	struct collect what; /* a copy: a callback may not write to the context */
	const struct config *config;
	__u64 now;
};

static long visit(struct bpf_map *map UNUSED, struct conntrack_key *key, struct conntrack *ct, struct walk *walk)
{
	struct quota_count *tally;
	struct conntrack_key copy, other;
	__u32 owner = ct->owner;
	bool remove;

	walk->what.visited++;
	if (walk->what.mode == COLLECT_MATCHING)
		remove = matches(&walk->what, key, ct);
	else
		remove = conntrack_expired(ct, walk->config, key->protocol, walk->now);
	if (remove) {
		copy = *key;
		/* On the stack: a packet may come in between and use the scratch room. */
		conntrack_remove_with(&copy, &other);
		walk->what.deleted++;
		return 0;
	}
	if (walk->what.mode == COLLECT_EXPIRED && (walk->what.filter & COLLECT_LEARNED) && owner)
		note_learned(key, ct, walk->config->generation & 1, walk->now);
	if (walk->what.mode == COLLECT_EXPIRED && owner && !(ct->flags & CONNTRACK_REPLY_HALF)) {
		tally = bpf_map_lookup_elem(&quota_counts, &owner);
		if (tally) {
			tally->flows++;
			if (ct->flags & CONNTRACK_SNAT)
				tally->snat_ports++;
		}
	}
	return 0;
}

static long settle(__u32 number, struct walk *walk)
{
	struct quota_count *tally = bpf_map_lookup_elem(&quota_counts, &number);
	struct quota *quota = bpf_map_lookup_elem(&quotas, &number);

	if (!tally || !quota)
		return 0;
	quota->flows = tally->flows;
	quota->snat_ports = tally->snat_ports;
	quota->epoch = walk->now;
	tally->flows = 0;
	tally->snat_ports = 0;
	return 0;
}

SEC("syscall")
int conntrack_collect(struct collect *what)
{
	struct walk walk = { .what = *what, .config = config_get(), .now = bpf_ktime_get_ns() };

	if (!walk.config)
		return -1;
	bpf_for_each_map_elem(&conntrack, visit, &walk, 0);
	if (what->mode == COLLECT_EXPIRED)
		bpf_loop(MAX_ENDPOINTS + REMOTE_SHARES, settle, &walk, 0);
	what->visited = walk.what.visited;
	what->deleted = walk.what.deleted;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
