/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Building one record in scratch memory and handing it to the ring. */
#pragma once
#include "event.h"
#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * Two ways to follow a kernel pointer. Kernels from 6.2 on can be told its type (bpf_rdonly_cast):
 * READ is then one load with an exception table entry behind it. Older ones call a helper for every
 * step, ten times dearer. The same source is built both ways and the sensor loads what fits.
 */
#ifdef TYPED_POINTERS
extern void *bpf_rdonly_cast(void *pointer, __u32 type) __ksym;
#define TYPED(type, pointer) ((type *)bpf_rdonly_cast((void *)(pointer), bpf_core_type_id_kernel(type)))
#define READ(pointer, field) ((pointer)->field)
#else
#define TYPED(type, pointer) ((type *)(pointer))
#define READ(pointer, field) BPF_CORE_READ(pointer, field)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} ring SEC(".maps");

struct control control SEC(".data.control");
struct filter filters[2] SEC(".data.filters");
struct progress progress SEC(".data.progress");
struct cpu_counters counters[MAX_CPUS] SEC(".data.counters");

/*
 * An item starts below SCRATCH_MASK + 1 and is at most MAX_ENV long, so a write at a masked offset
 * never passes the end: 16383 + 4 + 8192 < 24640. That is the whole bounds argument.
 */
#define SCRATCH_MASK 0x3fff
#define MAX_STARTS 16 /* a power of two */

/* Keys of the lists of paths: how many bits count, then text. */
struct prefix_key {
	u32 bits;
	u8 text[MAX_PREFIX]; /* from the top, ended by a zero */
};
struct suffix_key {
	u32 bits;
	u8 text[MAX_SUFFIX]; /* the last component backwards, then a slash */
};

struct scratch {
	u8 data[SCRATCH_MASK + 1 + MAX_ENV + 64];
	/* where the last walk put its components: the last MAX_STARTS of them, by number */
	u32 names;
	u32 starts[MAX_STARTS];
	struct prefix_key prefix;
	u8 room[MAX_PREFIX]; /* the last component of a prefix may be copied past its end */
	struct suffix_key suffix;
};

/* Tracepoint programs run with preemption off, so one scratch a CPU is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* The snapshot iterator sleeps, and there is only one of it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} snapshot_scratch SEC(".maps");

#define FOR_SNAPSHOT 0x10000 /* set in `kind`: build in snapshot_scratch */

static __always_inline struct scratch *scratch_for(u32 kind)
{
	u32 zero = 0;

	if (kind & FOR_SNAPSHOT)
		return bpf_map_lookup_elem(&snapshot_scratch, &zero);
	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline void put_item(struct scratch *s, u32 at, u32 kind, u32 length)
{
	struct item *item = (void *)&s->data[at & SCRATCH_MASK];

	item->kind = (u16)kind;
	item->length = (u16)length;
}

static __always_inline u32 after_item(u32 at, u32 length)
{
	return at + sizeof(struct item) + ((length + 3) & ~3u);
}

static __always_inline void mark_truncated(struct scratch *s)
{
	((struct event *)s->data)->flags |= EVENT_FLAG_TRUNCATED;
}

/* Text from user memory; an unreadable pointer adds nothing. Returns where the next item goes. */
static __always_inline u32 put_user_text(struct scratch *s, u32 at, u32 kind, u64 text, u32 max)
{
	at &= SCRATCH_MASK;
	long n = bpf_probe_read_user_str(&s->data[at + sizeof(struct item)], max, (void *)text);
	if (n <= 0)
		return at;
	if (n == max)
		mark_truncated(s);
	put_item(s, at, kind, n - 1);
	return after_item(at, n - 1);
}

static __always_inline u32 put_kernel_text(struct scratch *s, u32 at, u32 kind, const void *text,
					   u32 max)
{
	at &= SCRATCH_MASK;
	long n = bpf_probe_read_kernel_str(&s->data[at + sizeof(struct item)], max, text);
	if (n <= 0)
		return at;
	if (n == max)
		mark_truncated(s);
	put_item(s, at, kind, n - 1);
	return after_item(at, n - 1);
}

/* Starts a record in `s`; the caller fills what follows `struct event`. */
static __always_inline void begin(struct scratch *s, struct task_struct *task, u8 shape,
				  u16 syscall, s64 result)
{
	struct event *e = (void *)s->data;
	const struct cred *cred = task->cred;

	e->shape = shape;
	e->flags = 0;
	e->syscall = syscall;
	e->cpu = bpf_get_smp_processor_id();
	e->time = bpf_ktime_get_boot_ns();
	e->start = task->group_leader->start_boottime;
	e->pid = task->tgid;
	e->tid = task->pid;
	e->euid = cred->euid.val;
	e->egid = cred->egid.val;
	if (bpf_core_field_exists(cred->cap_effective.val)) { /* since 6.3; two words before */
		e->cap_permitted = cred->cap_permitted.val;
		e->cap_effective = cred->cap_effective.val;
	} else {
		bpf_core_read(&e->cap_permitted, 8, &cred->cap_permitted);
		bpf_core_read(&e->cap_effective, 8, &cred->cap_effective);
	}
	e->result = result;
}

enum wake { WAKE_NEVER, WAKE_NORMAL, WAKE_URGENT };

/*
 * Hands over a record of `size` bytes. The reader is woken at once after silence, for urgent records
 * unless it was woken just now, and each time another `wake_bytes` (a power of two) have come
 * together. It polls every few milliseconds while it is busy, so a record is never left lying, and
 * a burst of execs does not cost a wake-up each. WAKE_NEVER is for what no rule sees: it can wait
 * for the next record, and must not make that one look like part of a burst.
 */
static __always_inline void emit(struct scratch *s, u32 size, u32 loss_class, enum wake urgency)
{
	struct event *e = (void *)s->data;
	u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	u64 last = progress.last_time;
	u64 wake = BPF_RB_NO_WAKEUP;

	size = (size + 7) & ~7u;
	/* processes and network survive a flood of opens: these stop at 7/8 of the ring */
	if (size > sizeof(struct scratch) ||
	    (loss_class <= LOSS_FILE && used > RING_BYTES / 8 * 7)) {
		__sync_fetch_and_add(&progress.next_seq, 1);
		__sync_fetch_and_add(&progress.lost[loss_class & 3], 1);
		return;
	}
	e->size = size;
	e->seq = __sync_fetch_and_add(&progress.next_seq, 1);
	if (urgency != WAKE_NEVER)
		progress.last_time = e->time;
	if ((urgency != WAKE_NEVER && e->time - last >= control.quiet) ||
	    (urgency == WAKE_URGENT && e->time - progress.last_wake >= 2 * control.quiet) ||
	    ((used ^ (used + size + 8)) & ~(control.wake_bytes - 1))) {
		progress.last_wake = e->time;
		wake = BPF_RB_FORCE_WAKEUP;
	}
	if (bpf_ringbuf_output(&ring, s, size, wake))
		__sync_fetch_and_add(&progress.lost[loss_class & 3], 1);
}

static __always_inline const struct filter *filter_in_use(void)
{
	return &filters[control.active & 1];
}

static __always_inline bool is_ignored(u32 tgid)
{
	return tgid == control.ignored[0] || tgid == control.ignored[1];
}
