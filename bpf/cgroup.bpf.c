// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cgroup_egress, cgroup_ingress: at the cgroup of an endpoint that lives in the host's own network namespace. They see the
 * IP packets of its sockets, and of those of cgroups beneath it, and decide whether they pass: nothing is translated. */
#include "lib/judge.h"
#include "lib/claimed_room.h"

/* What a cgroup's hook answers; TC_ACT_SHOT would pass. */
#define PASS 1
#define REFUSE 0

/* Who an endpoint's packets are exchanged with. */
struct peer {
	__u32 number;
	__u32 party;
};

static __always_inline __u32 endpoint_of_cgroup(__u64 id)
{
	struct host_cgroup *found = bpf_map_lookup_elem(&host_cgroups, &id);
	__u64 word; /* one load: number and check are of one entry */

	if (!found)
		return 0;
	word = *(const volatile __u64 *)found;
	return word >> 32 == (__u32)id ? (__u32)word : 0;
}

/* Whose socket it is: the endpoint's whose cgroup it is in, or in whose cgroup that one lies. 0: nobody's. */
static __always_inline __u32 endpoint_of_socket(struct __sk_buff *skb)
{
	__u32 number = endpoint_of_cgroup(bpf_skb_cgroup_id(skb));

	for (int level = 1; !number && level <= MAX_CGROUP_LEVEL; level++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(skb, level);

		if (!id)
			break;
		number = endpoint_of_cgroup(id);
	}
	return number;
}

static __always_inline __u32 endpoint_of_found(struct bpf_sock *sk)
{
	__u32 number = endpoint_of_cgroup(bpf_sk_cgroup_id(sk));

	for (int level = 1; !number && level <= MAX_CGROUP_LEVEL; level++) {
		__u64 id = bpf_sk_ancestor_cgroup_id(sk, level);

		if (!id)
			break;
		number = endpoint_of_cgroup(id);
	}
	bpf_sk_release(sk);
	return number;
}

/* Which endpoint in the host's namespace has the socket that this packet comes from, or goes to. */
NOT_INLINED int endpoint_of_other_end(struct __sk_buff *skb, const struct packet *p)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	bool to_it;
	__u32 size;

	if (!p)
		return 0;
	to_it = p->hook == HOOK_CGROUP_EGRESS;
	if (p->is_v4) {
		tuple.ipv4.saddr = const_words(to_it ? &p->source : &p->destination)[3];
		tuple.ipv4.daddr = const_words(to_it ? &p->destination : &p->source)[3];
		tuple.ipv4.sport = to_it ? p->source_port : p->destination_port;
		tuple.ipv4.dport = to_it ? p->destination_port : p->source_port;
		size = sizeof(tuple.ipv4);
	} else {
		*(struct address *)tuple.ipv6.saddr = to_it ? p->source : p->destination;
		*(struct address *)tuple.ipv6.daddr = to_it ? p->destination : p->source;
		tuple.ipv6.sport = to_it ? p->source_port : p->destination_port;
		tuple.ipv6.dport = to_it ? p->destination_port : p->source_port;
		size = sizeof(tuple.ipv6);
	}
	if (p->protocol == IPPROTO_TCP)
		sk = bpf_sk_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else if (p->protocol == IPPROTO_UDP)
		sk = bpf_sk_lookup_udp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else
		return 0;
	return sk ? endpoint_of_found(sk) : 0;
}

/* Loopback too. */
static __always_inline bool is_of_host(const struct address *addr)
{
	return !address_is_multicast(addr) && (address_is_martian(addr) || host_addr_at(addr));
}

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

/* What it forges and hears itself would begin a flow with anybody as its other end, whom it may answer. */
static __always_inline bool is_forged(const struct __sk_buff *skb, const struct packet *p)
{
	return p->hook == HOOK_CGROUP_EGRESS && skb->ifindex == LOOPBACK_IFINDEX && is_of_host(&p->destination) &&
	       !is_of_host(&p->source);
}

/* An address of the host may be that of another endpoint beside this one: its socket tells. */
static __always_inline struct peer peer_of(struct __sk_buff *skb, const struct packet *p)
{
	const struct address *addr = p->hook == HOOK_CGROUP_EGRESS ? &p->destination : &p->source;
	struct peer peer = { .party = PARTY_WORLD };
	struct endpoint *e = endpoint_at(0, addr);

	if (e) {
		peer.number = e->number;
		peer.party = PARTY_ENDPOINT;
	} else if (is_of_host(addr)) {
		peer.number = endpoint_of_other_end(skb, p);
		peer.party = peer.number ? PARTY_ENDPOINT : PARTY_HOST;
	}
	return peer;
}

/* Policy on the flow of a packet, in its original direction. */
static __always_inline int judge(struct packet *p, struct room *room, __u32 number, const struct peer *peer, bool reply,
				 bool known)
{
	bool egress = p->hook == HOOK_CGROUP_EGRESS;
	struct judged *j = &room->judged;
	int reason;

	if (egress != reply) {
		flow_end_set(&j->source, egress ? &p->source : &p->destination, number, PARTY_ENDPOINT);
		flow_end_set(&j->destination, egress ? &p->destination : &p->source, peer->number, peer->party);
	} else {
		flow_end_set(&j->source, egress ? &p->destination : &p->source, peer->number, peer->party);
		flow_end_set(&j->destination, egress ? &p->source : &p->destination, number, PARTY_ENDPOINT);
	}
	j->protocol = p->protocol;
	j->port = policy_port(p->protocol, reply ? p->source_port : p->destination_port);
	j->known = known;
	reason = policy_judge_in(room, p->generation);
	p->source_identity = reply ? j->destination_identity : j->source_identity;
	p->destination_identity = reply ? j->source_identity : j->destination_identity;
	p->decision = j->decision;
	return reason;
}

/* A flow that is there, after permissions have changed. */
static __always_inline int judge_known_here(struct __sk_buff *skb, struct packet *p, struct room *room, __u32 number,
					    struct conntrack *ct, bool reply)
{
	struct peer peer;
	int reason;

	if (ct->generation == p->generation)
		return REASON_NONE;
	trace(STEP_JUDGED_AGAIN, p->generation);
	peer = peer_of(skb, p);
	reason = judge(p, room, number, &peer, reply, ct->state != CONNTRACK_REFUSED);
	if (reason) {
		conntrack_refuse(&room->of_packet, ct, &room->known_other);
		return reason;
	}
	if (decision_kind(p->decision) == DECISION_AUDIT)
		emit_audited(skb, p);
	if (tracing)
		return REASON_NONE;
	ct->source_identity = room->judged.source_identity;
	ct->destination_identity = room->judged.destination_identity;
	if (ct->state == CONNTRACK_REFUSED)
		ct->state = CONNTRACK_REPLIED; /* permitted again: it goes on */
	ct->generation = p->generation;
	return REASON_NONE;
}

/* @known: its flow, in which it is not the endpoint's turn to speak. It says nothing that policy does not let it begin. */
static __always_inline int judge_new(struct __sk_buff *skb, struct packet *p, struct room *room, __u32 number,
				     const struct config *c, bool known)
{
	struct peer peer = peer_of(skb, p);
	bool egress = p->hook == HOOK_CGROUP_EGRESS;
	struct new_flow flow = {
		.owner = number,
		.source_party = egress ? PARTY_ENDPOINT : peer.party,
		.destination_party = egress ? peer.party : PARTY_ENDPOINT,
	};
	int reason = judge(p, room, number, &peer, false, false);

	if (reason || known)
		return reason;
	trace(STEP_ALLOWED, 0);
	return conntrack_create_in(room, skb, c, p, &flow);
}

/* Of the host's kernel, not of a socket's flows: its neighbours, and what it is told of errors. */
static __always_inline bool is_the_kernels(const struct packet *p)
{
	if (p->flags & PACKET_ICMP_ERROR)
		return p->hook == HOOK_CGROUP_INGRESS;
	return (p->flags & PACKET_NEIGHBOUR) &&
	       (address_is_multicast(&p->destination) || address_is_link_local6(&p->destination));
}

/* `TCP_*` of the kernel's: the socket's holders have closed it, or will write no more. */
#define CLOSING_STATES (1 << 4 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 11)

/* Of a container that has ended: what it had written still goes, and is acknowledged. Whoever got its socket passed on can
 * neither write by it nor is told anything. */
static __always_inline bool winds_up(struct __sk_buff *skb, const struct packet *p)
{
	struct bpf_sock *sk = skb->sk;
	__u8 offset = 0;

	if (!sk || p->protocol != IPPROTO_TCP || packet_is_fragment(p) || !(CLOSING_STATES >> (sk->state & 31) & 1))
		return false;
	if (p->hook == HOOK_CGROUP_EGRESS)
		return true;
	return !bpf_skb_load_bytes(skb, p->l4 + 12, &offset, 1) && skb->len <= p->l4 + (offset >> 4) * 4;
}

/* The room is this packet's alone. */
NOT_INLINED int judge_in_room(struct __sk_buff *skb, struct packet *p, __u32 index)
{
	const struct config *c = config_get();
	struct room *room = room_claimed(index);
	bool reply = false, ended = false;
	__u32 number, speaker;
	struct conntrack *ct;

	if (!p || !c || !room)
		return REASON_CONFIG_MISSING;
	number = p->network & ~HOST_WIRE;
	/* Whom it hears tells its address; what it says may be forged. */
	speaker = p->hook == HOOK_CGROUP_EGRESS ? PARTY_ENDPOINT : PARTY_ANY;
	ct = conntrack_find(skb, p, c, &room->of_packet, &reply, speaker, &ended);
	if (ended && !tracing)
		conntrack_remove_with(&room->of_packet, &room->gone_other);
	if (ct && (speaker == PARTY_ANY || conntrack_hears(ct, reply, speaker))) {
		trace(STEP_CONNTRACK_HIT, ct->state);
		return judge_known_here(skb, p, room, number, ct, reply);
	}
	trace(STEP_CONNTRACK_MISS, 0);
	return judge_new(skb, p, room, number, c, ct);
}

static __always_inline int refuse(struct __sk_buff *skb, const struct packet *p, int reason)
{
	drop(skb, p, reason);
	return REFUSE;
}

static __always_inline int judge_packet(struct __sk_buff *skb, enum hook hook)
{
	const struct config *c = config_get();
	struct packet p = { .hook = hook };
	__u32 number, index;
	int reason;

	if (!c)
		return refuse(skb, &p, REASON_CONFIG_MISSING);
	number = endpoint_of_socket(skb);
	p.generation = c->generation;
	p.network = HOST_WIRE | number;
	p.source_number = hook == HOOK_CGROUP_EGRESS ? number : 0;
	p.ethertype = bpf_ntohs(skb->protocol);
	reason = packet_parse(skb, &p, 0);
	if (reason)
		return refuse(skb, &p, reason);
	trace(STEP_PARSED, 0);
	if (!number)
		return winds_up(skb, &p) ? PASS : refuse(skb, &p, REASON_NO_ENDPOINT);
	if (is_the_kernels(&p))
		return PASS;
	if (p.flags & PACKET_ICMP_ERROR)
		return refuse(skb, &p, REASON_ICMP_UNRELATED);
	if (is_forged(skb, &p))
		return refuse(skb, &p, REASON_SPOOFED);
	if (packet_is_fragment(&p)) {
		reason = fragment_ports(&p);
		if (reason)
			return refuse(skb, &p, reason);
	}
	/* It passes for this host's own, whoever the process is: also root is only a container's. */
	if (hook == HOOK_CGROUP_EGRESS && c->overlay_ifindex && p.protocol == IPPROTO_UDP &&
	    p.destination_port == bpf_htons(c->tunnel_port))
		return refuse(skb, &p, REASON_TUNNEL_FORGED);
	index = room_claim();
	reason = judge_in_room(skb, &p, index);
	room_release(index);
	return reason ? refuse(skb, &p, reason) : PASS;
}

SEC("cgroup_skb/egress")
int cgroup_egress(struct __sk_buff *skb)
{
	return judge_packet(skb, HOOK_CGROUP_EGRESS);
}

SEC("cgroup_skb/ingress")
int cgroup_ingress(struct __sk_buff *skb)
{
	return judge_packet(skb, HOOK_CGROUP_INGRESS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
