/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who may talk to whom, as compiled. Every value holds what it says under even and under odd permission
 * generations: a change of any size writes the half that no packet reads, and is enforced by one store
 * of `config.generation`. Its lowest bit, the parity, is the index of every array of two below. */
#pragma once

#include "types.h"

/* A decision is one word:
 *   bits 31-30  enum decision_kind
 *   DECISION_PORTS: bits 29-0 are the number of a set of ports, whose entries in `policy_ports` decide
 *   otherwise: bits 29-14 are the number of the document that decided (0: none), bit 13 is set for its
 *   egress rules, bits 12-0 are the index of its rule (DECISION_NO_RULE: it isolates, and no rule matched) */
enum decision_kind {
	DECISION_PORTS = 0,
	DECISION_ALLOW = 1,
	DECISION_DENY = 2,
	DECISION_AUDIT = 3, /* a document under audit would deny it: it passes, with an event */
};

enum decision_layout {
	DECISION_ABSENT = 0, /* under this parity the entry is not there */
	DECISION_DOCUMENT_SHIFT = 14,
	DECISION_KIND_SHIFT = 30,
	DECISION_NO_RULE = 0x1fff,
	DECISION_EGRESS = 0x2000,
};

enum policy_direction {
	POLICY_INGRESS = 0,
	POLICY_EGRESS = 1,
};

enum standing_flag {
	STANDING_INGRESS = 1, /* some document governs what it receives */
	STANDING_EGRESS = 2, /* some document governs what it sends */
	STANDING_NAMES = 4, /* by domain names, too: `learned` has their addresses, and the resolver its questions */
};

struct standing {
	__u32 identity;
	__u32 flags; /* enum standing_flag */
};
ABI_SIZE(struct standing, 8);

/* Value of the array `identities`, at index 2 * endpoint.number + (1 for its IPv6 address): who an
 * endpoint is to policy. Both of its addresses are the same identity unless some document names an
 * address block that holds one of them. */
struct identity_slot {
	struct standing standing[2];
};
ABI_SIZE(struct identity_slot, 16);

/* Key of `address_blocks`, a longest-prefix map: who an address is that no endpoint has. Only addresses that
 * some document's block holds are there; any other is IDENTITY_WORLD, or IDENTITY_HOST for the host's. */
struct block_key {
	__u32 prefixlen; /* 32 more than that of the address in its 16-byte form */
	__u32 family; /* 4 or 6, so that ::/0 holds no IPv4 */
	struct address addr;
};
ABI_SIZE(struct block_key, 24);

struct block_identity {
	__u32 identity[2]; /* where absent under a parity, that of the next shorter prefix; 0: as if nothing held it */
};
ABI_SIZE(struct block_identity, 8);

/* Key of `learned`: an address of the world that an endpoint was told as a domain name's which some document lets
 * it reach. It is who the value says, to this endpoint alone. */
struct learned_key {
	__u32 endpoint; /* number */
	struct address addr;
};
ABI_SIZE(struct learned_key, 20);

enum learned_flag {
	LEARNED_EXPIRED = 1, /* the answer's time is over: for flows that are there, and for no new one */
};

/* In one word of 64 bits, as of struct policy_half. */
struct learned_half {
	__u32 identity; /* 0: under this parity the entry is not there */
	__u32 flags; /* enum learned_flag; in the other bits a check of the key */
};
ABI_SIZE(struct learned_half, 8);

struct learned {
	struct learned_half half[2];
};
ABI_SIZE(struct learned, 16);

/* Key of `policy`: what `subject` decides about traffic with `peer`. Peer 0: any that has no entry. */
struct policy_key {
	__u32 subject; /* identity */
	__u32 peer; /* identity */
	__u32 direction; /* enum policy_direction, as the subject sees it */
};
ABI_SIZE(struct policy_key, 12);

/* What one parity says, in one word of 64 bits. The kernel gives the memory of an entry that is replaced to the next
 * one at once, while a program may still be reading it: `check` tells whose the decision is. */
struct policy_half {
	__u32 decision;
	__u32 check; /* POLICY_CHECK of the key */
};
ABI_SIZE(struct policy_half, 8);

#define POLICY_CHECK(subject, peer, direction) ((subject) * 0x9e3779b1u ^ ((peer) << 1 | (direction)))

struct policy_value {
	struct policy_half half[2];
};
ABI_SIZE(struct policy_value, 16);

/* Key of `policy_ports`, a longest-prefix map. A set of ports never changes once it is used: other
 * contents have another number. Every set has an entry of 32 bits, its answer to all other traffic. */
struct policy_port_key {
	__u32 prefixlen; /* 32: any protocol; 48: any port; 48 + n: the n highest bits of the port */
	__u32 set;
	__u8 protocol;
	__u8 pad; /* 0 */
	__be16 port;
};
ABI_SIZE(struct policy_port_key, 12);
