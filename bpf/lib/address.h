/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "abi/types.h"
#include "bits.h"

#define V4_MAPPED bpf_htonl(0x0000ffff)

static __always_inline __u32 *words(struct address *a)
{
	return (__u32 *)a->bytes;
}

static __always_inline const __u32 *const_words(const struct address *a)
{
	return (const __u32 *)a->bytes;
}

static __always_inline void address_from_v4(struct address *a, __be32 v4)
{
	words(a)[0] = 0;
	words(a)[1] = 0;
	words(a)[2] = V4_MAPPED;
	words(a)[3] = v4;
}

static __always_inline bool address_is_v4(const struct address *a)
{
	const __u32 *w = const_words(a);

	return w[2] == V4_MAPPED && !w[0] && !w[1];
}

static __always_inline bool address_equal(const struct address *a, const struct address *b)
{
	const __u32 *x = const_words(a), *y = const_words(b);

	return x[3] == y[3] && x[2] == y[2] && x[1] == y[1] && x[0] == y[0];
}

static __always_inline bool address_is_zero(const struct address *a)
{
	const __u32 *w = const_words(a);

	return !(w[0] | w[1] | w[2] | w[3]);
}

/* 224.0.0.0/4, 255.255.255.255, ff00::/8 */
static __always_inline bool address_is_multicast(const struct address *a)
{
	if (address_is_v4(a))
		return a->bytes[12] >= 224 && (a->bytes[12] < 240 || const_words(a)[3] == 0xffffffff);
	return a->bytes[0] == 0xff;
}

/* 127.0.0.0/8, 0.0.0.0/8, 240.0.0.0/4; ::1, ::, and other v4-mapped forms cannot come off a wire */
static __always_inline bool address_is_martian(const struct address *a)
{
	const __u32 *w = const_words(a);

	if (address_is_v4(a))
		return a->bytes[12] == 127 || a->bytes[12] == 0 || (a->bytes[12] >= 240 && w[3] != 0xffffffff);
	return !w[0] && !w[1] && !w[2] && (w[3] == 0 || w[3] == bpf_htonl(1));
}

static __always_inline bool address_is_link_local6(const struct address *a)
{
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* How the whole 16 bytes compare, as memcmp does. */
static __always_inline int address_compare(const struct address *a, const struct address *b)
{
	const __u32 *x = const_words(a), *y = const_words(b);

#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u32 m = bpf_ntohl(x[i]), n = bpf_ntohl(y[i]);

		if (m != n)
			return m < n ? -1 : 1;
	}
	return 0;
}
