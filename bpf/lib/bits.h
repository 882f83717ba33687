/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Constants that Debian 12's headers lack or that clash with libc's, and small helpers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SECOND 1000000000ULL
#define ARPHRD_ETHER 1
#define ARPOP_REQUEST 1
#define ARPOP_REPLY 2
#define AF_INET 2
#define AF_INET6 10
#define PACKET_HOST 0
#define PACKET_OTHERHOST 3
#define IP_HEADER 20
#define IPV6_HEADER 40
#define IPPROTO_ICMPV6 58
#define IPPROTO_HOPOPTS 0
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS 60
#define NOT_INLINED __attribute__((noinline))
#define UNUSED __attribute__((unused))

/* The monotonic clock as of the last tick (10 ms at the most): a tenth of the exact one's cost, and no
 * timeout needs more. */
#define now_ns() bpf_ktime_get_coarse_ns()

/* Changes every 64 to 640 ms, with the kernel's tick, and is read without a call: what was checked against the clock
 * within this beat needs no check. */
static __always_inline __u32 beat(void)
{
	return bpf_jiffies64() >> 6;
}

/* Since then; 0 where another CPU, or the exact clock, was ahead. */
static __always_inline __u64 elapsed_ns(__u64 now, __u64 since)
{
	return now > since ? now - since : 0;
}

/* A sum of 16-bit words as a checksum. */
static __always_inline __u16 checksum_fold(__s64 sum)
{
	__u32 folded = (__u32)sum;

	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return ~folded;
}

/* True in a private copy of a program that `vetch trace` loads: it decides as the live one does,
 * tells its steps, and changes nothing. The verifier removes what is off. */
const volatile bool tracing = false;

/* Kernel 6.16 and its stable releases: a checksum change of an IPv6 address is not cancelled out by
 * a header checksum. Older ones refuse the flag. */
#define CSUM_IPV6 (1ULL << 7)
