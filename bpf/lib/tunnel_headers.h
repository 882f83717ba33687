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

/* Of the header's five words, for which a helper would take five times as long. */
static __always_inline __u16 tunnel_checksum(const struct iphdr *ip)
{
	const __be32 *words = (const __be32 *)ip;
	__u64 sum = 0;

	for (int i = 0; i < 5; i++)
		sum += words[i];
	for (int i = 0; i < 2; i++)
		sum = (sum & 0xffffffff) + (sum >> 32);
	return checksum_fold(sum);
}

/* All but the addresses, which are there already, and the inner Ethernet header. @length: of the outer packet */
static __always_inline void tunnel_headers_fill(struct tunnel_headers *h, __u32 length, __u8 tos, __be16 source_port,
						__u16 port, __u32 network)
{
	h->ip.version = 4;
	h->ip.ihl = 5;
	h->ip.tos = tos;
	h->ip.tot_len = bpf_htons(length);
	h->ip.id = bpf_get_prandom_u32();
	h->ip.ttl = TUNNEL_HOPS;
	h->ip.protocol = IPPROTO_UDP;
	h->ip.check = tunnel_checksum(&h->ip);
	h->udp.ports.source = source_port;
	h->udp.ports.destination = bpf_htons(port);
	h->udp.length = bpf_htons(length - sizeof(h->ip));
	h->flags = bpf_htonl(VXLAN_HAS_VNI);
	h->vni = bpf_htonl(network << 8);
}
