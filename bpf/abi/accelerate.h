/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "conntrack.h"

/* One end of a connection between two endpoints of this host: the flow, and which of its ends. */
struct meeting_key {
	struct conntrack_key flow;
	__u32 end_b; /* 1: the larger of the two as bytes compare */
};
ABI_SIZE(struct meeting_key, 44);

/* The socket at that end, for the other one to find it. */
struct meeting {
	__u64 cookie; /* the socket's: its key in `joined` */
	__u64 address; /* of the kernel's struct, which is the socket's only as long as it has the cookie */
	__u64 writes; /* likewise, of what the datapath remembers of who wrote to it */
};
ABI_SIZE(struct meeting, 24);
