/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a program tells of its decisions: drop counters, counters, flow events, trace steps. */
#pragma once

#include "maps.h"
#include "packet.h"

static __always_inline const struct config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline void count(enum counter index)
{
	__u32 key = index;
	__u64 *value;

	if (tracing)
		return;
	value = bpf_map_lookup_elem(&counters, &key);
	if (value)
		*value += 1;
}

static __always_inline void trace(enum step step, __u32 detail)
{
	struct trace *t;
	__u32 zero = 0;

	if (!tracing)
		return;
	t = bpf_map_lookup_elem(&trace_steps, &zero);
	if (t && t->count < MAX_TRACE_STEPS) {
		t->steps[t->count].step = step;
		t->steps[t->count].detail = detail;
		t->count++;
	}
}

NOT_INLINED int emit_event(struct __sk_buff *skb, const struct packet *p, int reason)
{
	struct flow_event *event;

	if (!p)
		return 0;
	event = bpf_ringbuf_reserve(&flow_events, sizeof(*event), 0);
	if (!event) {
		count(COUNTER_EVENTS_LOST);
		return 0;
	}
	event->time = bpf_ktime_get_ns();
	event->source = p->source;
	event->destination = p->destination;
	event->source_port = p->source_port;
	event->destination_port = p->destination_port;
	event->network = p->network;
	event->source_identity = p->source_identity;
	event->destination_identity = p->destination_identity;
	event->ifindex = skb->ifindex;
	event->length = skb->len;
	event->reason = reason;
	event->verdict = reason ? VERDICT_DROPPED : VERDICT_FORWARDED;
	if (!reason && p->decision >> DECISION_KIND_SHIFT == DECISION_AUDIT)
		event->verdict = VERDICT_AUDIT;
	event->hook = p->hook;
	event->protocol = p->protocol;
	event->tcp_flags = p->tcp_flags;
	event->ethertype = p->ethertype;
	event->decision = p->decision;
	event->generation = p->generation;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline void count_dropped(const struct __sk_buff *skb, int reason, __u32 packets)
{
	__u32 key = reason;
	struct drop_count *total = bpf_map_lookup_elem(&drops, &key);

	if (!total)
		return;
	total->packets += packets;
	total->bytes += (__u64)packets * skb->len;
}

/* The one way to drop: nothing is silent. */
NOT_INLINED int drop(struct __sk_buff *skb, const struct packet *p, int reason)
{
	const struct config *c = config_get();

	trace(STEP_DROPPED, reason);
	if (tracing || !p)
		return TC_ACT_SHOT;
	count_dropped(skb, reason, 1);
	if (c && (c->flags & CONFIG_EVENTS_DROPPED))
		emit_event(skb, p, reason);
	return TC_ACT_SHOT;
}

/* A flow that a document under audit would deny: when it begins, and when the document comes later. */
static __always_inline void emit_audited(struct __sk_buff *skb, const struct packet *p)
{
	count(COUNTER_AUDITED);
	if (!tracing)
		emit_event(skb, p, REASON_NONE);
}

/* One event a flow, when it begins. */
static __always_inline void emit_new_flow(struct __sk_buff *skb, const struct packet *p, const struct config *c)
{
	count(COUNTER_FLOWS_CREATED);
	if (p->decision >> DECISION_KIND_SHIFT == DECISION_AUDIT)
		emit_audited(skb, p);
	else if (!tracing && (c->flags & CONFIG_EVENTS_FORWARDED))
		emit_event(skb, p, REASON_NONE);
}
