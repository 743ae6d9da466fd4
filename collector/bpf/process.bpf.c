/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Process life: exec, fork, exit. Always reported, whatever the rules want: state stands on it. */
#include "process.h"
#include "call-numbers.h"

/* argv or environment of the current task: `from`..`to`, cut at `max` (a power of two). */
static __always_inline u32 put_user_block(struct scratch *s, u32 at, u32 kind, u64 from, u64 to,
					  u32 max)
{
	u64 length = to - from;

	at &= SCRATCH_MASK;
	if (to <= from)
		return at;
	if (length >= max) {
		length = max - 1;
		mark_truncated(s);
	}
	length &= max - 1;
	if (bpf_probe_read_user(&s->data[at + sizeof(struct item)], length, (void *)from)) {
		/* a page is not resident: take what the first string offers */
		return put_user_text(s, at, kind, from, max);
	}
	put_item(s, at, kind, length);
	return after_item(at, length);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s = scratch_for(0);

	if (!s || is_ignored(task->tgid))
		return 0;
	begin(s, task, SHAPE_EXEC, CALL_execve, 0);
	struct process_event *p = (void *)s->data;
	fill_process(p, task);
	struct file *exe = bprm->file;
	fill_executable(p, exe);

	u32 at = put_comm(s, sizeof(*p), task);
	at = put_file_path(exe, task, at, ITEM_PATH);
	at = put_cwd(task, at, ITEM_CWD);
	struct mm_struct *mm = task->mm;
	at = put_user_block(s, at, ITEM_ARGS, mm->arg_start, mm->arg_end, MAX_ARGS);
	if (filter_in_use()->environment)
		at = put_user_block(s, at, ITEM_ENV, mm->env_start, mm->env_end, MAX_ENV);
	const char *name = bprm->filename;
	at = put_kernel_text(s, at, ITEM_ARG0, name, MAX_ARGS);
	if (bprm->interp != name)
		at = put_kernel_text(s, at, ITEM_SCRIPT, name, MAX_ARGS);
	at = put_streams(s, at, task, 0);
	bool host = false;
	at = put_cgroups(task, at, 0, &host);
	mark_host(task, host);
	emit(s, at, LOSS_PROCESS, WAKE_URGENT);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct scratch *s = scratch_for(0);

	if (!s || child->pid != child->tgid)
		return 0;
	if (is_on_host(parent))
		mark_host(child, true);
	begin(s, child, SHAPE_FORK, 0, 0);
	struct fork_event *f = (void *)s->data;
	struct pid *pid = child->thread_pid;
	struct signal_struct *signal = child->signal;
	struct pid *group = BPF_CORE_READ(signal, pids[PIDTYPE_PGID]);
	f->event.tid = parent->pid;
	f->ppid = child->real_parent->tgid;
	f->vpid = pid_in(pid, pid->level);
	f->pgid = pid_in(group, 0);
	f->vpgid = pid_in(group, pid->level);
	f->sid = pid_in(BPF_CORE_READ(signal, pids[PIDTYPE_SID]), 0);
	pid_namespace_of(child, &f->pid_namespace);
	emit(s, put_comm(s, sizeof(*f), child), LOSS_PROCESS, WAKE_NEVER);
	return 0;
}

/* Who adopts the children: the nearest ancestor that asked to, else the namespace's first process. */
static __always_inline u32 reaper_of(struct task_struct *task)
{
	struct task_struct *t = task;

	for (int i = 0; i < 8; i++) {
		struct task_struct *up = BPF_CORE_READ(t, real_parent);
		if (!up || up == t)
			break;
		struct signal_struct *signal = BPF_CORE_READ(up, signal);
		if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper))
			return BPF_CORE_READ(up, tgid);
		t = up;
	}
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct pid_namespace *ns = 0;
	bpf_core_read(&ns, sizeof(ns), &pid->numbers[level & 31].ns);
	return BPF_CORE_READ(ns, child_reaper, tgid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct scratch *s = scratch_for(0);
	struct signal_struct *signal = task->signal;

	if (!s || signal->live.counter != 0)
		return 0;
	begin(s, task, SHAPE_EXIT, 0, 0);
	struct exit_event *e = (void *)s->data;
	u32 group = signal->group_exit_code;
	e->status = group ? group : task->exit_code;
	e->reaper = reaper_of(task);
	emit(s, sizeof(*e), LOSS_PROCESS, WAKE_NORMAL);
	return 0;
}
