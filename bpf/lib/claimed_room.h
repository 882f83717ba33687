/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rooms for programs that run while a process sends: a soft interrupt, or another process where the kernel is preemptible,
 * may run the same program on the same CPU in between. Each has a room of its own, and gives it back. */
#pragma once

#include "scratch.h"

/* More than are ever at work at once on a CPU: without one a packet is lost. */
#define CLAIMED_ROOMS 8

struct claimed_room {
	__u32 taken;
	__u32 pad;
	struct room room;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLAIMED_ROOMS);
	__type(key, __u32);
	__type(value, struct claimed_room);
} claimed_rooms SEC(".maps") WRITER_DATAPATH;

/* Answers a room's index; CLAIMED_ROOMS: there is none. */
static __always_inline __u32 room_claim(void)
{
	for (__u32 i = 0; i < CLAIMED_ROOMS; i++) {
		__u32 index = i;
		struct claimed_room *claimed = bpf_map_lookup_elem(&claimed_rooms, &index);

		if (claimed && !__sync_val_compare_and_swap(&claimed->taken, 0, 1))
			return i;
	}
	return CLAIMED_ROOMS;
}

static __always_inline struct room *room_claimed(__u32 index)
{
	struct claimed_room *claimed = bpf_map_lookup_elem(&claimed_rooms, &index);

	return claimed ? &claimed->room : NULL;
}

static __always_inline void room_release(__u32 index)
{
	struct claimed_room *claimed = bpf_map_lookup_elem(&claimed_rooms, &index);

	if (claimed)
		*(volatile __u32 *)&claimed->taken = 0;
}
