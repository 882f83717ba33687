// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sock_join, sock_bypass: TCP between two endpoints of this host, from socket to socket. What is written goes into the
 * other end's queue at once, past the stack, where the flow is known and permitted; else by the stack, as ever. */
#include "lib/conntrack.h"
#include "lib/deliver.h"
#include "lib/kernel_socket.h"

/* What a joined socket knows of its flow. Written under the socket's lock. */
struct bypass {
	struct conntrack_key key;
	__u64 peer_cookie; /* 0: the other end has not been found */
	__u64 peer_address;
	__u64 peer_writes; /* an address, too */
	struct writes writes;
	__u32 number; /* of the endpoint that has it */
	__u32 peer_number;
	__u32 queued; /* messages since the other end was last seen to have read all of them */
	__u32 queued_bytes;
	__u32 joined_seq; /* the socket's write_seq then: as long as it is the same, nothing was written to the stack */
	__u16 is_b;
	__u16 met; /* 1: since the other end was found, nobody was in the middle of reading from its stack */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct bypass);
} bypasses SEC(".maps") WRITER_DATAPATH;

/* What the kernel keeps a message in beside its bytes, and charges to nobody. */
#define MESSAGE_OVERHEAD 1024

static __always_inline bool is_accelerated(__u32 number)
{
	const __u32 *flag = bpf_map_lookup_elem(&accelerated, &number);

	return flag && *flag;
}

/* The verifier wants each field of the context read at an offset that stands in the instruction. */
#define LOAD(ops, field)                                                                      \
	({                                                                                    \
		__u32 value;                                                                  \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                         \
			     : "=r"(value)                                                    \
			     : "r"(ops), "i"(offsetof(struct bpf_sock_ops, field)));          \
		value;                                                                        \
	})

static __always_inline void addresses_of(struct bpf_sock_ops *ops, struct address *local, struct address *remote)
{
	if (ops->family == AF_INET) {
		address_from_v4(local, LOAD(ops, local_ip4));
		address_from_v4(remote, LOAD(ops, remote_ip4));
		return;
	}
	words(local)[0] = LOAD(ops, local_ip6[0]);
	words(local)[1] = LOAD(ops, local_ip6[1]);
	words(local)[2] = LOAD(ops, local_ip6[2]);
	words(local)[3] = LOAD(ops, local_ip6[3]);
	words(remote)[0] = LOAD(ops, remote_ip6[0]);
	words(remote)[1] = LOAD(ops, remote_ip6[1]);
	words(remote)[2] = LOAD(ops, remote_ip6[2]);
	words(remote)[3] = LOAD(ops, remote_ip6[3]);
}

/* A socket that is connected anew, to somebody else perhaps, stays on the stack from here on: who knew it by its cookie knew
 * the earlier connection, and what waited in it to be read was that one's. */
static __always_inline bool joined_before(struct bpf_sock_ops *ops, struct bpf_sock *sk)
{
	__u64 cookie;

	if (!bpf_sk_storage_get(&bypasses, sk, NULL, 0))
		return false;
	cookie = bpf_get_socket_cookie(ops);
	bpf_map_delete_elem(&joined, &cookie);
	return true;
}

/* A socket that is connected from now on. Whose it is tells the veth that it sends by: an address alone may be anybody's in
 * a network namespace of its own. */
static __always_inline void join(struct bpf_sock_ops *ops)
{
	const struct config *c = config_get();
	struct meeting_key here = {};
	struct address local, remote;
	struct meeting meeting = {};
	struct interface *in;
	struct bypass *bypass;
	struct endpoint *peer;
	struct bpf_sock *sk = ops->sk;
	struct tcp_sock *tcp;
	__u64 cookie;

	if (!sk || joined_before(ops, sk) || !c || (ops->family != AF_INET && ops->family != AF_INET6))
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	/* A connection of MPTCP has several such sockets, each with a part of the bytes. */
	if (!tcp || tcp->inet_conn.icsk_ulp_ops)
		return;
	in = interface_at(host_veth_of(tcp, c->host_netns));
	if (!in || !is_accelerated(in->number))
		return;
	addresses_of(ops, &local, &remote);
	if (!address_equal(&local, &in->v4) && !address_equal(&local, &in->v6) &&
	    !address_equal(&local, &in->link_local))
		return;
	peer = local_endpoint_at(in->network, &remote);
	if (!peer || peer->number == in->number || !is_accelerated(peer->number))
		return;
	bypass = bpf_sk_storage_get(&bypasses, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!bypass)
		return;
	here.end_b = conntrack_key_of(&here.flow, &local, &remote, bpf_htons(ops->local_port),
				      bpf_htons(bpf_ntohl(ops->remote_port)), in->network, IPPROTO_TCP);
	bypass->key = here.flow;
	bypass->is_b = here.end_b;
	bypass->number = in->number;
	bypass->peer_number = peer->number;
	bypass->joined_seq = tcp->write_seq;
	cookie = bpf_get_socket_cookie(ops);
	if (bpf_sock_hash_update(ops, &joined, &cookie, BPF_NOEXIST)) {
		count(COUNTER_SOCKETS_NOT_JOINED);
		bpf_sk_storage_delete(&bypasses, sk);
		return;
	}
	meeting.cookie = cookie;
	meeting.address = (__u64)tcp;
	meeting.writes = (__u64)&bypass->writes;
	bpf_map_update_elem(&meetings, &here, &meeting, BPF_ANY);
	count(COUNTER_SOCKETS_JOINED);
}

SEC("sockops")
int sock_join(struct bpf_sock_ops *ops)
{
	if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB || ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		join(ops);
	return 1;
}

/* Finds the socket at the other end. */
static __always_inline bool meet(struct bypass *bypass)
{
	struct meeting_key there = { .flow = bypass->key, .end_b = !bypass->is_b };
	struct meeting *meeting = bpf_map_lookup_elem(&meetings, &there);

	if (!meeting)
		return false;
	bypass->peer_address = meeting->address;
	bypass->peer_writes = meeting->writes;
	bypass->peer_cookie = meeting->cookie;
	bypass->met = 0;
	bpf_map_delete_elem(&meetings, &there);
	return true;
}

/* What is read of the other end: its memory may be another socket's by now, which has another cookie. */
struct peer_state {
	__u64 cookie;
	__u64 upper_protocol;
	__u32 copied_seq;
	__u32 receive_buffer;
};

static __always_inline void peer_read(struct peer_state *state, const struct tcp_sock *peer)
{
	state->cookie = BPF_CORE_READ(peer, inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter);
	state->upper_protocol = (__u64)BPF_CORE_READ(peer, inet_conn.icsk_ulp_ops);
	state->copied_seq = BPF_CORE_READ(peer, copied_seq);
	state->receive_buffer = BPF_CORE_READ(peer, inet_conn.icsk_inet.sk.sk_rcvbuf);
}

/* Half of what the socket may hold is left to the stack, which has to have a window. Counted here: what the kernel charges
 * for such messages is not the same in all of its releases. */
static __always_inline bool queue_fits(const struct bypass *bypass, __u32 size, __u32 receive_buffer)
{
	__u64 held = (__u64)bypass->queued_bytes + size + ((__u64)bypass->queued + 1) * MESSAGE_OVERHEAD;

	return held <= receive_buffer / 2;
}

/* Whether the other end may be given so many bytes at once: it has read all that went by the stack, and has room. */
static __always_inline bool peer_takes(struct bypass *bypass, const struct tcp_sock *own, __u32 size)
{
	struct tcp_sock *at = (struct tcp_sock *)bypass->peer_address;
	struct peer_state peer;

	peer_read(&peer, at);
	if (peer.cookie != bypass->peer_cookie) {
		bypass->peer_cookie = 0; /* that of an earlier connection */
		return false;
	}
	if (peer.upper_protocol || own->inet_conn.icsk_ulp_ops)
		return false;
	/* Both count the same bytes: what was written to the stack, and what was read from it. */
	if (peer.copied_seq != own->write_seq)
		return false;
	if ((own->write_seq != bypass->joined_seq || !bypass->met) &&
	    socket_is_read((struct sock *)at, bypass->peer_writes))
		return false;
	bypass->met = 1;
	if (!queue_fits(bypass, size, peer.receive_buffer)) {
		if (!socket_queue_is_empty((struct sock *)at))
			return false;
		bypass->queued = bypass->queued_bytes = 0;
		if (!queue_fits(bypass, size, peer.receive_buffer))
			return false;
	}
	bypass->queued++;
	bypass->queued_bytes += size;
	return true;
}

/* The flow's entry, if its packets would pass now without being judged again. */
static __always_inline struct conntrack *flow_of(const struct bypass *bypass, const struct config *c)
{
	struct conntrack *ct = bpf_map_lookup_elem(&conntrack, &bypass->key);
	__u32 beat_now = beat();

	if (!ct || ct->state != CONNTRACK_ESTABLISHED || ct->generation != c->generation ||
	    (ct->flags & CONNTRACK_TRANSLATED) || ct->source_party != PARTY_ENDPOINT ||
	    ct->destination_party != PARTY_ENDPOINT)
		return NULL;
	if (ct->beat != beat_now) {
		__u64 now = now_ns();

		if (conntrack_expired(ct, c, IPPROTO_TCP, now))
			return NULL;
		if (elapsed_ns(now, ct->last_seen) > SECOND)
			ct->last_seen = now;
		ct->beat = beat_now;
	}
	barrier();
	/* What was read was this flow's: the kernel may give an entry's memory to another. */
	return *(volatile __u32 *)&ct->to_source.check == conntrack_check(&bypass->key) ? ct : NULL;
}

static __always_inline int decline(void)
{
	count(COUNTER_BYPASS_DECLINED);
	return SK_PASS;
}

SEC("sk_msg")
int sock_bypass(struct sk_msg_md *msg)
{
	const struct config *c = config_get();
	struct bpf_sock *sk = msg->sk;
	struct bypass *bypass;
	struct tcp_sock *own;
	struct conntrack *ct;

	if (!c || !sk)
		return SK_PASS;
	bypass = bpf_sk_storage_get(&bypasses, sk, NULL, 0);
	own = bpf_skc_to_tcp_sock(sk);
	if (bypass)
		writes_note(&bypass->writes);
	if (!bypass || !own || (!bypass->peer_cookie && !meet(bypass)))
		return decline();
	if (!is_accelerated(bypass->number) || !is_accelerated(bypass->peer_number))
		return decline();
	ct = flow_of(bypass, c);
	if (!ct || !peer_takes(bypass, own, msg->size))
		return decline();
	if (bpf_msg_redirect_hash(msg, &joined, &bypass->peer_cookie, BPF_F_INGRESS) != SK_PASS) {
		bypass->peer_cookie = 0; /* it is closed, or was that of an earlier connection */
		return decline();
	}
	if (bypass->is_b != !!(ct->flags & CONNTRACK_ORIGIN_B)) {
		ct->packets_reply++;
		ct->bytes_reply += msg->size;
	} else {
		ct->packets_original++;
		ct->bytes_original += msg->size;
	}
	count(COUNTER_BYPASSED);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
