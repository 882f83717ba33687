/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The headers of VXLAN over IPv4, as they are on the wire. */
#pragma once

#include "packet.h"

#define TUNNEL_HOPS 64
#define VXLAN_HAS_VNI 0x08000000
#define ECN_MASK 3
#define ECN_CE 3
#define ECN_ECT_0 2
/* As the device does: the flow's hash over the kernel's default range of local ports. */
#define VXLAN_PORT_MIN 32768
#define VXLAN_PORT_MAX 60999

/* What a tunnel puts between a packet's Ethernet header, which becomes the outer one, and its IP header. */
struct tunnel_headers {
	struct iphdr ip;
	struct udp_start udp;
	__be32 flags;
	__be32 vni; /* in the upper 24 bits */
	struct ethhdr inner;
} __attribute__((packed, aligned(4)));
#define TUNNEL_HEADERS (20 + 8 + 8 + 14) /* without the padding of the struct's end */

static __always_inline __be16 tunnel_port_of(__u32 hash)
{
	return bpf_htons(((__u64)hash * (VXLAN_PORT_MAX - VXLAN_PORT_MIN) >> 32) + VXLAN_PORT_MIN);
}

/* The outer packet's congestion bits, by the inner's (RFC 6040). */
static __always_inline __u8 tunnel_ecn(__u8 tos)
{
	__u8 ecn = tos & ECN_MASK;

	return ecn == ECN_CE ? ECN_ECT_0 : ecn;
}

/* Writes all of them but the inner Ethernet header: word for word, for what is stored in pieces and read as a whole has the
 * CPU wait. @length: of the outer packet. @hash: of the flow. @number: another one for each packet */
static __always_inline void tunnel_headers_write(void *headers, __be32 from, __be32 to, __u32 length, __u8 tos, __u32 hash,
						 __u16 number, __u16 port, __u32 network)
{
	__be32 *words = headers;
	__be16 source_port = tunnel_port_of(hash);
	__be32 first = bpf_htonl(0x45000000 | tos << 16 | length);
	/* A random number is a call, and no better: flows begin apart. */
	__be32 second = bpf_htonl((__u32)(__u16)(hash + number) << 16);
	__be32 third = bpf_htonl(TUNNEL_HOPS << 24 | IPPROTO_UDP << 16);
	__u64 sum = (__u64)first + second + third + from + to;

	for (int i = 0; i < 2; i++)
		sum = (sum & 0xffffffff) + (sum >> 32);
	words[0] = first;
	words[1] = second;
	words[2] = third | bpf_htonl(bpf_ntohs(checksum_fold(sum)));
	words[3] = from;
	words[4] = to;
	words[5] = bpf_htonl((__u32)bpf_ntohs(source_port) << 16 | port);
	words[6] = bpf_htonl((length - sizeof(struct iphdr)) << 16);
	words[7] = bpf_htonl(VXLAN_HAS_VNI);
	words[8] = bpf_htonl(network << 8);
}
