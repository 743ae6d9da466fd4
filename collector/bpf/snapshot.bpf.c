/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The processes that ran before the sensor, as if each had just been executed. */
#include "process.h"

static __always_inline u32 put_task_block(struct scratch *s, u32 at, u32 kind,
					  struct task_struct *task, u64 from, u64 to, u32 max)
{
	u64 length = to - from;

	at &= SCRATCH_MASK;
	if (to <= from)
		return at;
	if (length >= max)
		length = max - 1;
	length &= max - 1;
	if (bpf_copy_from_user_task(&s->data[at + sizeof(struct item)], length, (void *)from, task, 0))
		return at;
	put_item(s, at, kind, length);
	return after_item(at, length);
}

/* Reading the iterator runs this once a task; the bytes read only pace the reader. */
SEC("iter.s/task")
int snapshot_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct scratch *s = scratch_for(FOR_SNAPSHOT);
	u8 tick = 0;

	if (!s || !task)
		return 0;
	bpf_seq_write(ctx->meta->seq, &tick, 1);
	if (task->pid != task->tgid || (task->flags & PF_KTHREAD) || is_ignored(task->tgid))
		return 0;
	struct mm_struct *mm = task->mm;
	if (!mm)
		return 0;
	begin(s, task, SHAPE_SNAPSHOT, 0, 0);
	struct process_event *p = (void *)s->data;
	p->event.flags = EVENT_FLAG_SNAPSHOT;
	fill_process(p, task);

	u32 at = put_comm(s, sizeof(*p), task);
	struct file *exe = mm->exe_file;
	if (exe) {
		fill_executable(p, exe);
		at = put_file_path(exe, task, at, ITEM_PATH | FOR_SNAPSHOT);
	}
	at = put_cwd(task, at, ITEM_CWD | FOR_SNAPSHOT);
	at = put_task_block(s, at, ITEM_ARGS, task, BPF_CORE_READ(mm, arg_start),
			    BPF_CORE_READ(mm, arg_end), MAX_ARGS);
	if (filter_in_use()->environment)
		at = put_task_block(s, at, ITEM_ENV, task, BPF_CORE_READ(mm, env_start),
				    BPF_CORE_READ(mm, env_end), MAX_ENV);
	at = put_streams(s, at, task, FOR_SNAPSHOT);
	bool host = false;
	at = put_cgroups(task, at, FOR_SNAPSHOT, &host);
	mark_host(task, host);
	emit(s, at, LOSS_PROCESS, WAKE_NORMAL);
	return 0;
}

/* Marks the end of the snapshot in the ring; run once by the sensor. */
SEC("iter/task")
int snapshot_end(struct bpf_iter__task *ctx)
{
	struct scratch *s = scratch_for(FOR_SNAPSHOT);
	struct task_struct *task = ctx->task;

	if (!s || task)
		return 0;
	struct event *e = (void *)s->data;
	__builtin_memset(e, 0, sizeof(*e));
	e->shape = SHAPE_READY;
	e->time = bpf_ktime_get_boot_ns();
	emit(s, sizeof(*e), LOSS_PROCESS, WAKE_URGENT);
	return 0;
}
