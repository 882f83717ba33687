/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "types.h"

enum collect_mode {
	COLLECT_EXPIRED = 0, /* delete what has expired, then set every quota to what is left */
	COLLECT_MATCHING = 1, /* delete what matches the filter, with its other half */
};

enum collect_filter {
	COLLECT_BY_NETWORK = 1, /* either wire */
	COLLECT_BY_ADDRESS = 2, /* either end, on either wire */
	COLLECT_BY_PORT = 4, /* either end, on either wire */
	COLLECT_BY_PROTOCOL = 8,
	COLLECT_LEARNED = 16, /* of COLLECT_EXPIRED: also tells in `learned_in_use` which expired addresses are talked to */
};

/* Context of the program conntrack_collect, which is run by BPF_PROG_TEST_RUN. */
struct collect {
	__u32 mode; /* enum collect_mode */
	__u32 filter; /* enum collect_filter, all of which must hold */
	__u32 network;
	__be16 port;
	__u8 protocol;
	__u8 pad;
	struct address addr;
	__u32 visited; /* out */
	__u32 deleted; /* out */
};
ABI_SIZE(struct collect, 40);

/* Index of the array `quota_counts` is that of `quotas`: the collector's tally. */
struct quota_count {
	__u32 flows;
	__u32 snat_ports;
};
ABI_SIZE(struct quota_count, 8);
