/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every other ABI header stands on. Structs here are read by both the programs and the
 * control plane: no bitfields, no unions, no implicit padding, sizes asserted. */
#pragma once

#include <linux/types.h>

#define ABI_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " must be " #bytes " bytes")

/* One form of address for both families, network order; IPv4 is v4-mapped (::ffff:a.b.c.d). */
struct address {
	__u8 bytes[16] __attribute__((aligned(4))); /* so that copies are of words */
};
ABI_SIZE(struct address, 16);

struct mac {
	__u8 bytes[6] __attribute__((aligned(2)));
};
ABI_SIZE(struct mac, 6);

/* Where a packet was seen. The order is that of docs/packet-path.md. */
enum hook {
	HOOK_FROM_ENDPOINT = 0,
	HOOK_FROM_HOST = 1,
	HOOK_FROM_UPLINK = 2,
	HOOK_XDP_UPLINK = 3,
	HOOK_SOCKET = 4,
	HOOK_FROM_SHAPER = 5,
	HOOK_FROM_LAN = 6,
	HOOK_FROM_OVERLAY = 7,
	HOOK_CGROUP_EGRESS = 8,
	HOOK_CGROUP_INGRESS = 9,
	HOOK_FROM_WIREGUARD = 10,
};

/* Policy identities below IDENTITY_FIRST_LOCAL are reserved. */
enum identity {
	IDENTITY_UNKNOWN = 0,
	IDENTITY_HOST = 1,
	IDENTITY_WORLD = 2,
	IDENTITY_REMOTE_NODE = 3,
	IDENTITY_FIRST_LOCAL = 256,
};
