/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process of the host that connects to a service is connected to a backend: no packet is translated. */
#pragma once

#include "service.h"

enum service_answer {
	SERVICE_IS_NONE = 0, /* the address and port are no service's */
	SERVICE_LEADS = 1, /* to a backend */
	SERVICE_IS_EMPTY = 2, /* it has no backend which is there and healthy */
};

/* Where `asked` leads. All of the host is one client; any socket may have any backend, and its datagrams have one. */
static __always_inline enum service_answer service_of_socket(struct bpf_sock_addr *ctx, const struct address *asked,
							      struct publish *to)
{
	struct prefix_key key = { .prefixlen = 128, .addr = *asked };
	struct subnet *subnet = bpf_map_lookup_elem(&subnets, &key);
	const struct address *backend;
	struct address host = {};
	struct service *s;
	__u32 network, number;

	if (!subnet)
		return SERVICE_IS_NONE;
	network = subnet->network;
	s = service_at(network, asked, ctx->user_port, ctx->protocol);
	if (!s)
		return SERVICE_IS_NONE;
	number = service_choose(s, &host, (__u32)bpf_get_socket_cookie(ctx) * 0x9e3779b1u >> 8);
	to->port = *(const volatile __be16 *)&s->port;
	backend = number ? backend_address(number, network, address_is_v4(asked)) : NULL;
	if (!backend || !service_is(s, network, asked, ctx->user_port, ctx->protocol))
		return SERVICE_IS_EMPTY;
	to->addr = *backend;
	return SERVICE_LEADS;
}
