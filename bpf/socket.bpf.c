// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sock_*: cgroup hooks. A process of the host that connects to a published port or a service is connected to the
 * container instead: no packet is translated and no proxy runs. A bind to a published port is refused, and so is a
 * tunnel that a process without privilege makes up. */
#include <linux/errno.h>

#include "maps.h"
#include "lib/address.h"
#include "lib/service_socket.h"

#define ALLOW 1
#define REFUSE 0

/* Debian 12's libc headers are for user space: the two protocols' socket types. */
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

static __always_inline bool in_host_namespace(void *ctx)
{
	__u32 zero = 0;
	const struct config *c = bpf_map_lookup_elem(&config, &zero);

	return c && c->host_netns && bpf_get_netns_cookie(ctx) == c->host_netns;
}

static __always_inline bool address_is_loopback(const struct address *a)
{
	const __u32 *w = const_words(a);

	if (address_is_v4(a))
		return a->bytes[12] == 127;
	return !w[0] && !w[1] && !w[2] && w[3] == bpf_htonl(1);
}

/* What a process of the host reaches at this address: an exact publish, or one on all addresses. */
static __always_inline struct publish *published_at(const struct address *addr, __be16 port, __u8 protocol)
{
	struct publish_key key = { .addr = *addr, .port = port, .protocol = protocol };
	bool loopback = address_is_loopback(addr);
	struct publish *found;

	if (loopback) {
		found = bpf_map_lookup_elem(&published_lo, &key);
	} else {
		if (!bpf_map_lookup_elem(&host_addrs, addr))
			return NULL;
		found = bpf_map_lookup_elem(&published, &key);
	}
	if (!found) {
		if (address_is_v4(addr))
			address_from_v4(&key.addr, 0);
		else
			__builtin_memset(&key.addr, 0, sizeof(key.addr));
		found = loopback ? bpf_map_lookup_elem(&published_lo, &key) : bpf_map_lookup_elem(&published, &key);
	}
	/* The host reaches no endpoint on another one: the stack says that nobody listens. */
	return found && !(found->flags & PUBLISH_REMOTE) ? found : NULL;
}

/* Linux takes a connect to the unspecified address for one to loopback. */
static __always_inline void unspecified_is_loopback(struct address *a)
{
	if (address_is_v4(a)) {
		if (!const_words(a)[3])
			address_from_v4(a, bpf_htonl(0x7f000001));
	} else if (address_is_zero(a)) {
		words(a)[3] = bpf_htonl(1);
	}
}

static __always_inline void remember(struct bpf_sock_addr *ctx, const struct publish *pub, const struct address *asked,
				     __be16 port)
{
	struct sock_reverse_key key = {
		.cookie = bpf_get_socket_cookie(ctx),
		.addr = pub->addr,
		.port = pub->port,
		.protocol = ctx->protocol,
	};
	struct sock_reverse value = { .addr = *asked, .port = port };

	bpf_map_update_elem(&sock_reverse, &key, &value, BPF_ANY);
}

static __always_inline struct sock_reverse *recall(struct bpf_sock_addr *ctx, const struct address *peer, __be16 port)
{
	struct sock_reverse_key key = {
		.cookie = bpf_get_socket_cookie(ctx),
		.addr = *peer,
		.port = port,
		.protocol = ctx->protocol,
	};

	return bpf_map_lookup_elem(&sock_reverse, &key);
}

static __always_inline void address_of_ctx6(struct address *a, const struct bpf_sock_addr *ctx)
{
	words(a)[0] = ctx->user_ip6[0];
	words(a)[1] = ctx->user_ip6[1];
	words(a)[2] = ctx->user_ip6[2];
	words(a)[3] = ctx->user_ip6[3];
}

static __always_inline void address_to_ctx6(struct bpf_sock_addr *ctx, const struct address *a)
{
	ctx->user_ip6[0] = const_words(a)[0];
	ctx->user_ip6[1] = const_words(a)[1];
	ctx->user_ip6[2] = const_words(a)[2];
	ctx->user_ip6[3] = const_words(a)[3];
}

static __always_inline int refuse_connection(void)
{
	bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}

/* What leaves this host for a tunnel's port passes for its own node's, whichever address it goes to. */
static __always_inline bool forges_tunnel(const struct bpf_sock_addr *ctx)
{
	__u32 zero = 0, reason = REASON_TUNNEL_FORGED;
	const struct config *c = bpf_map_lookup_elem(&config, &zero);
	struct drop_count *total;

	if (!c || !c->overlay_ifindex || ctx->protocol != IPPROTO_UDP || ctx->user_port != bpf_htons(c->tunnel_port))
		return false;
	if (!(__u32)bpf_get_current_uid_gid()) /* as the initial user namespace has it */
		return false;
	total = bpf_map_lookup_elem(&drops, &reason);
	if (total)
		__sync_fetch_and_add(&total->packets, 1);
	return true;
}

static __always_inline int translate4(struct bpf_sock_addr *ctx)
{
	struct publish service = {};
	struct address asked;
	struct publish *pub;

	if (!in_host_namespace(ctx))
		return ALLOW;
	if (forges_tunnel(ctx))
		return REFUSE;
	address_from_v4(&asked, ctx->user_ip4);
	unspecified_is_loopback(&asked);
	pub = published_at(&asked, ctx->user_port, ctx->protocol);
	if (!pub) {
		enum service_answer answer = service_of_socket(ctx, &asked, &service);

		if (answer == SERVICE_IS_EMPTY)
			return refuse_connection();
		if (answer == SERVICE_LEADS)
			pub = &service;
	}
	if (!pub || !address_is_v4(&pub->addr))
		return ALLOW;
	/* What the process asked for, so that it is told the same again. */
	address_from_v4(&asked, ctx->user_ip4);
	remember(ctx, pub, &asked, ctx->user_port);
	ctx->user_ip4 = const_words(&pub->addr)[3];
	ctx->user_port = pub->port;
	return ALLOW;
}

static __always_inline int translate6(struct bpf_sock_addr *ctx)
{
	struct publish service = {};
	struct address asked, at;
	struct publish *pub;

	if (!in_host_namespace(ctx))
		return ALLOW;
	if (forges_tunnel(ctx))
		return REFUSE;
	address_of_ctx6(&asked, ctx);
	at = asked;
	unspecified_is_loopback(&at);
	pub = published_at(&at, ctx->user_port, ctx->protocol);
	if (!pub) {
		enum service_answer answer = service_of_socket(ctx, &at, &service);

		if (answer == SERVICE_IS_EMPTY)
			return refuse_connection();
		if (answer == SERVICE_LEADS)
			pub = &service;
	}
	if (!pub)
		return ALLOW;
	remember(ctx, pub, &asked, ctx->user_port);
	address_to_ctx6(ctx, &pub->addr);
	ctx->user_port = pub->port;
	return ALLOW;
}

static __always_inline int restore4(struct bpf_sock_addr *ctx)
{
	struct sock_reverse *original;
	struct address peer;

	address_from_v4(&peer, ctx->user_ip4);
	original = recall(ctx, &peer, ctx->user_port);
	if (original) {
		ctx->user_ip4 = const_words(&original->addr)[3];
		ctx->user_port = original->port;
	}
	return ALLOW;
}

static __always_inline int restore6(struct bpf_sock_addr *ctx)
{
	struct sock_reverse *original;
	struct address peer;

	address_of_ctx6(&peer, ctx);
	original = recall(ctx, &peer, ctx->user_port);
	if (original) {
		address_to_ctx6(ctx, &original->addr);
		ctx->user_port = original->port;
	}
	return ALLOW;
}

SEC("cgroup/connect4")
int sock_connect4(struct bpf_sock_addr *ctx)
{
	return translate4(ctx);
}

SEC("cgroup/connect6")
int sock_connect6(struct bpf_sock_addr *ctx)
{
	return translate6(ctx);
}

SEC("cgroup/sendmsg4")
int sock_sendmsg4(struct bpf_sock_addr *ctx)
{
	return translate4(ctx);
}

SEC("cgroup/sendmsg6")
int sock_sendmsg6(struct bpf_sock_addr *ctx)
{
	return translate6(ctx);
}

SEC("cgroup/recvmsg4")
int sock_recvmsg4(struct bpf_sock_addr *ctx)
{
	return restore4(ctx);
}

SEC("cgroup/recvmsg6")
int sock_recvmsg6(struct bpf_sock_addr *ctx)
{
	return restore6(ctx);
}

SEC("cgroup/getpeername4")
int sock_getpeer4(struct bpf_sock_addr *ctx)
{
	return restore4(ctx);
}

SEC("cgroup/getpeername6")
int sock_getpeer6(struct bpf_sock_addr *ctx)
{
	return restore6(ctx);
}

static __always_inline bool is_published(const struct address *addr, __be16 port, __u8 protocol)
{
	struct publish_key key = { .addr = *addr, .port = port, .protocol = protocol };

	return bpf_map_lookup_elem(&published, &key) || bpf_map_lookup_elem(&published_lo, &key);
}

/* A bind collides as it would with a socket: the same address, or a wildcard on either side. */
static __always_inline bool bind_collides(const struct address *addr, __be16 port, __u8 protocol, __u8 family)
{
	struct bound_port_key key = { .port = port, .protocol = protocol, .family = family };
	struct address any = {};

	if (!bpf_map_lookup_elem(&bound_ports, &key))
		return false;
	if (family == 4) {
		address_from_v4(&any, 0);
		if (!const_words(addr)[3])
			return true;
	} else if (address_is_zero(addr)) {
		return true;
	}
	return is_published(&any, port, protocol) || is_published(addr, port, protocol);
}

/* Masquerading takes its ports from a range that processes never get by chance; asking for one by
 * number is refused. */
static __always_inline bool is_snat_port(__be16 port)
{
	__u32 zero = 0;
	const struct config *c = bpf_map_lookup_elem(&config, &zero);
	__u16 number = bpf_ntohs(port);

	return c && c->snat_port_min && number >= c->snat_port_min && number <= c->snat_port_max;
}

static __always_inline int judge_bind(struct bpf_sock_addr *ctx, const struct address *addr, __u8 family)
{
	__be16 port = ctx->user_port;
	bool v6_takes_v4 = false;

	if (!port || !in_host_namespace(ctx))
		return ALLOW;
	/* A v6 wildcard socket usually takes IPv4 too. */
	if (family == 6 && address_is_zero(addr)) {
		struct address any;

		address_from_v4(&any, 0);
		v6_takes_v4 = bind_collides(&any, port, ctx->protocol, 4);
	}
	if (!v6_takes_v4 && !bind_collides(addr, port, ctx->protocol, family) && !is_snat_port(port))
		return ALLOW;
	bpf_set_retval(-EADDRINUSE);
	return REFUSE;
}

SEC("cgroup/bind4")
int sock_bind4(struct bpf_sock_addr *ctx)
{
	struct address addr;

	address_from_v4(&addr, ctx->user_ip4);
	return judge_bind(ctx, &addr, 4);
}

SEC("cgroup/bind6")
int sock_bind6(struct bpf_sock_addr *ctx)
{
	struct address addr;

	address_of_ctx6(&addr, ctx);
	return judge_bind(ctx, &addr, address_is_v4(&addr) ? 4 : 6);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
