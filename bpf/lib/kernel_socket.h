/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's own structs, as far as they are read; libbpf finds where the fields lie on the kernel at hand. */
#pragma once

#include <bpf/bpf_core_read.h>

#include "bits.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct net {
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct rtnl_link_ops {
	const char *kind;
};

struct net_device {
	int ifindex;
	possible_net_t nd_net;
	const struct rtnl_link_ops *rtnl_link_ops;
};

struct dst_entry {
	struct net_device *dev;
};

struct sock_common {
	atomic64_t skc_cookie;
	possible_net_t skc_net;
	volatile unsigned char skc_state;
};

struct list_head {
	struct list_head *next;
};

struct wait_queue_entry {
	void *private;
	void *func;
	struct list_head entry;
};

struct wait_queue_head {
	struct list_head head;
};

struct socket_wq {
	struct wait_queue_head wait;
};

typedef struct {
	atomic_t refs;
} refcount_t;

struct sk_psock {
	struct list_head ingress_msg;
	refcount_t refcnt;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	int sk_rcvbuf;
	struct socket_wq *sk_wq;
	struct dst_entry *sk_dst_cache;
	void *sk_user_data;
};

struct inet_sock {
	struct sock sk;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const void *icsk_ulp_ops;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq;
	__u32 write_seq;
};

#pragma clang attribute pop

/* Of a net_device its driver's part lies behind it, aligned so. */
#define DEVICE_PRIVATE_ALIGN 32

/* The other end of a veth: what its driver's part begins with. */
static __always_inline struct net_device *veth_peer(struct net_device *device)
{
	__u64 size = bpf_core_type_size(struct net_device);
	struct net_device *peer = NULL;

	size = (size + DEVICE_PRIVATE_ALIGN - 1) & ~(__u64)(DEVICE_PRIVATE_ALIGN - 1);
	bpf_probe_read_kernel(&peer, sizeof(peer), (void *)device + size);
	return peer;
}

static __always_inline bool device_is_veth(struct net_device *device)
{
	const char *kind = BPF_CORE_READ(device, rtnl_link_ops, kind);
	char name[5] = {};

	return kind && !bpf_probe_read_kernel(name, sizeof(name), kind) && name[0] == 'v' && name[1] == 'e' &&
	       name[2] == 't' && name[3] == 'h' && !name[4];
}

/* The host's end of the veth that a socket sends by. 0: it sends by another kind of device, or the veth leads elsewhere. */
static __always_inline __u32 host_veth_of(struct tcp_sock *sk, __u64 host_netns)
{
	struct net_device *device = BPF_CORE_READ(sk, inet_conn.icsk_inet.sk.sk_dst_cache, dev), *peer;

	if (!device || !device_is_veth(device))
		return 0;
	peer = veth_peer(device);
	if (!peer || !device_is_veth(peer) || veth_peer(peer) != device)
		return 0;
	if (BPF_CORE_READ(peer, nd_net.net, net_cookie) != host_netns)
		return 0;
	return BPF_CORE_READ(peer, ifindex);
}

/* Processes wait by it in a socket's calls, as against poll and epoll. */
extern const void woken_wake_function __ksym;

/* As many as are looked at of those who wait for a socket. */
#define MAX_WAITERS 8
#define PSOCK_POINTER (~7UL) /* the rest of sk_user_data is flags */
#define PSOCK_FLAG 4UL

/* What the kernel keeps of a socket that is in a map of sockets. NULL: somebody else in the kernel has the socket. */
static __always_inline struct sk_psock *socket_part(struct sock *sk)
{
	__u64 data = (__u64)BPF_CORE_READ(sk, sk_user_data);

	return data & PSOCK_FLAG ? (struct sk_psock *)(data & PSOCK_POINTER) : NULL;
}

/* Whether all that was put into a socket's queue has been read. */
static __always_inline bool socket_queue_is_empty(struct sock *sk)
{
	struct sk_psock *psock = socket_part(sk);

	return psock && BPF_CORE_READ(psock, ingress_msg.next) ==
				(void *)psock + bpf_core_field_offset(struct sk_psock, ingress_msg);
}

/* Who has written to a socket, as far as the program that sees it can tell: when a call has ended it does not see. */
struct writes {
	__u64 task;
	__u64 at; /* ns, coarse */
	__u64 other_at; /* when another one than @task has */
};

/* By then a call that writes has ended, but for one that is not let run for so long. */
#define WRITE_ENDS_AFTER (50 * 1000000ULL)

static __always_inline void writes_note(struct writes *writes)
{
	__u64 task = bpf_get_current_task();

	if (writes->task != task) {
		writes->other_at = writes->at;
		writes->task = task;
	}
	writes->at = bpf_ktime_get_coarse_ns();
}

/* Whether another than @task (0: anybody) may be writing. */
static __always_inline bool writes_go_on(const struct writes *writes, __u64 task)
{
	__u64 last = task && writes->task == task ? writes->other_at : writes->at;

	return last && bpf_ktime_get_coarse_ns() - last < WRITE_ENDS_AFTER;
}

/* How many processes wait in a socket's calls. -1: there are more than are looked at, or they changed meanwhile. */
static __always_inline int socket_waiters(struct sock *sk, __u64 *task)
{
	struct socket_wq *wq = BPF_CORE_READ(sk, sk_wq);
	const __u64 offset = bpf_core_field_offset(struct wait_queue_entry, entry);
	struct list_head *head, *at;
	int waiters = 0;

	if (!wq)
		return -1;
	head = (void *)wq + bpf_core_field_offset(struct socket_wq, wait) +
	       bpf_core_field_offset(struct wait_queue_head, head);
	at = BPF_CORE_READ(head, next);
	for (int i = 0; i < MAX_WAITERS; i++) {
		struct wait_queue_entry *waiter = (void *)at - offset;
		const void *wakes = &woken_wake_function; /* NULL: the kernel does not tell */
		__u64 private;

		if (!at || at == head)
			break;
		private = (__u64)BPF_CORE_READ(waiter, private);
		if (private && (!wakes || BPF_CORE_READ(waiter, func) == wakes)) {
			waiters++;
			*task = private;
		}
		at = BPF_CORE_READ(at, next);
	}
	return at == head ? waiters : -1;
}

/* What `socket_is_read` sees at one moment. A function of its own, which the verifier walks once. */
NOT_INLINED int socket_is_read_now(__u64 socket, __u64 writes)
{
	struct sock *sk = (struct sock *)socket;
	struct sk_psock *psock = socket_part(sk);
	struct writes seen = {};
	int waiters, holders;
	__u64 task = 0;

	if (!psock || BPF_CORE_READ(sk, sk_lock.owned))
		return 1;
	holders = BPF_CORE_READ(psock, refcnt.refs.counter) - 1;
	waiters = socket_waiters(sk, &task);
	if (waiters < 0 || waiters > holders)
		return 1;
	if (!waiters)
		return 0;
	return bpf_probe_read_kernel(&seen, sizeof(seen), (void *)writes) ||
	       writes_go_on(&seen, waiters == 1 ? task : 0);
}

/* Whether somebody may be in the middle of reading from the socket's stack, who would not look elsewhere before he has all he
 * wants (MSG_WAITALL, SO_RCVLOWAT): he holds the socket's lock, or waits without holding the socket's part in `joined`, as
 * whoever reads or writes by way of that one does.
 *
 * He takes his place among those who wait before he gives the lock away, and leaves it after he has it again. So both are
 * looked at in turns: whoever is woken for nothing is for a moment in neither as it was seen. Who holds the part need not be
 * who waits: it may be one who writes, and who for moments has neither the lock nor a place. So holders only count while
 * nobody writes but, at most, the one who waits.
 *
 * @writes: of that socket, as an address */
static __always_inline bool socket_is_read(struct sock *sk, __u64 writes)
{
	return socket_is_read_now((__u64)sk, writes) || socket_is_read_now((__u64)sk, writes) ||
	       socket_is_read_now((__u64)sk, writes) || BPF_CORE_READ(sk, sk_lock.owned);
}
