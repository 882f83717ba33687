// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* from_shaper: TC ingress on the far end of the shaper, a veth pair of the host's whose near end has the qdisc fq. A packet
 * that a limit delays goes through it, and goes on from here where it had stopped. */
#include "lib/rate.h"

SEC("tc")
int from_shaper(struct __sk_buff *skb)
{
	struct packet p = { .hook = HOOK_FROM_SHAPER };
	__u32 mark = skb->mark, ifindex = mark & ~RATE_TO_ENDPOINT;

	/* Its device may have gone while it waited; and nobody but our programs sends here. */
	if (!bpf_map_lookup_elem(&interfaces, &ifindex))
		return drop(skb, &p, REASON_UNKNOWN_INTERFACE);
	if (!(mark & RATE_TO_ENDPOINT)) {
		skb->mark = RATE_PAID;
		return bpf_redirect(ifindex, BPF_F_INGRESS);
	}
	skb->mark = 0;
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
