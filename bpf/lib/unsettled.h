/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What functions answer in the place of an action of TC or a drop reason, and the caller goes on with: there the chain of
 * calls is short enough for the stack. No two are the same, so that one function's may come out of another. */
enum unsettled {
	/* endpoint */
	BEGIN_TO_WORLD = -100,
	BEGIN_TO_PUBLISHED = -101,
	BEGIN_TO_RESOLVER = -102,
	BEGIN_TO_SERVICE = -103,
	BEGIN_TO_REMOTE = -104,
	NEIGHBOUR_TO_LAN = -105,
	BY_DEVICE = -106, /* the overlay's: nothing has been changed */
	/* uplink */
	NOT_OURS = -107, /* the host's stack goes on */
	BY_TUNNEL = -108, /* by_tunnel */
	STRAIGHT = -109, /* as it is, and forgotten */
	/* overlay */
	GO_TO_CLIENT = -110, /* to_client */
	CLIENT_ERROR = -111, /* relate */
	CLIENT_OF_NODE = -112, /* client_of_node */
	CLIENT_BEGINS = -113, /* begin_straight */
};
