/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The least that programs can do between two devices of a host, for bench/netkit/measure.ts. Compiled by
 *   clang-19 -target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. -I/usr/include/x86_64-linux-gnu -c netkit.bpf.c -o netkit.bpf.o
 *   llvm-strip-19 -g netkit.bpf.o */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 left = 0, right = 0;

static __always_inline __u32 other(const struct __sk_buff *skb)
{
	return skb->ifindex == left ? right : left;
}

/* To where the other device leads: only from ingress. */
SEC("tc")
int into_container(struct __sk_buff *skb)
{
	return bpf_redirect_peer(other(skb), 0);
}

/* Out by the other device. */
SEC("tc")
int out_by_device(struct __sk_buff *skb)
{
	return bpf_redirect(other(skb), 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
