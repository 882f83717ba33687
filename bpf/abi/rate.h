/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an endpoint may send and receive. The index of both arrays is twice the endpoint's number, plus one for what it
 * receives. */
#pragma once

#include "types.h"

enum rate_direction {
	RATE_EGRESS = 0, /* what the endpoint sends */
	RATE_INGRESS = 1, /* what it receives */
};

/* Element of `rates`, written by the control plane. */
struct rate {
	__u64 bits; /* a second; 0: no limit */
	__u64 burst; /* ns: how long a silence is made up for, where nothing waits */
	__u64 queue; /* ns: how long a packet may wait, where it can */
};
ABI_SIZE(struct rate, 24);

/* Element of `rate_clocks`, written by the datapath. */
struct rate_clock {
	__u64 paid_until; /* ktime ns: when all that has passed would have, one after the other, at the rate */
};
ABI_SIZE(struct rate_clock, 8);
