/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process of the host that connects to a service is connected to a backend: no packet is translated. */
#pragma once

#include "service.h"

/* Fills in where `asked` leads. False: it is no service's, or the service has nobody. All of the host is one client. */
static __always_inline bool service_of_socket(struct bpf_sock_addr *ctx, const struct address *asked, struct publish *to)
{
	struct prefix_key key = { .prefixlen = 128, .addr = *asked };
	struct subnet *subnet = bpf_map_lookup_elem(&subnets, &key);
	const struct address *backend;
	struct address host = {};
	struct service *s;
	__u32 number;

	if (!subnet)
		return false;
	s = service_at(subnet->network, asked, ctx->user_port, ctx->protocol);
	if (!s)
		return false;
	/* Datagrams of one socket go to one backend. */
	number = service_choose(s, &host, (__u32)bpf_get_socket_cookie(ctx) * 0x9e3779b1u >> 8);
	backend = number ? backend_address(number, subnet->network, address_is_v4(asked)) : NULL;
	if (!backend)
		return false;
	to->addr = *backend;
	to->port = s->port;
	return true;
}
