/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SCTP's checksum covers the ports. A CRC is linear: what a change of 4 bytes at the front does to it
 * is the CRC of that change moved past the bytes behind it, which takes 16 steps at the most. */
#pragma once

#include "bits.h"

#define CRC32C_POLYNOMIAL 0x82f63b78 /* reflected, RFC 3309 */

/* Product of two polynomials modulo the CRC's, reflected. Without branches, so that the verifier
 * follows one path. */
static __always_inline __u32 crc32c_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int i = 0; i < 32; i++) {
		product ^= b & -(a >> 31);
		a <<= 1;
		b = (b >> 1) ^ (CRC32C_POLYNOMIAL & -(b & 1));
	}
	return product;
}

/* What the CRC (without its initial and final complement) of 4 bytes becomes `zeros` zero bytes later. */
NOT_INLINED __u32 crc32c_of_change(__u32 bytes_le, __u32 zeros)
{
	__u32 crc = bytes_le, power = 0x00800000; /* x^8, reflected */

	for (int i = 0; i < 32; i++)
		crc = (crc >> 1) ^ (CRC32C_POLYNOMIAL & -(crc & 1));
	for (int i = 0; i < 16; i++) {
		__u32 moved = crc32c_multiply(power, crc), take = -(zeros & 1);

		crc = (moved & take) | (crc & ~take);
		power = crc32c_multiply(power, power);
		zeros >>= 1;
	}
	return crc;
}
