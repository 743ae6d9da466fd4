/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The facts of a process: the same for an exec as it happens and for the start-up snapshot. */
#pragma once
#include "files.h"

static __always_inline u32 pid_in(struct pid *pid, u32 level)
{
	u32 nr = 0;

	if (pid)
		bpf_core_read(&nr, sizeof(nr), &pid->numbers[level & 31].nr);
	return nr;
}

/* Start of the first process of the task's pid namespace, and the namespace's number. */
static __always_inline u64 pid_namespace_of(struct task_struct *task, u32 *number)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct pid_namespace *ns = 0;

	bpf_core_read(&ns, sizeof(ns), &pid->numbers[level & 31].ns);
	*number = BPF_CORE_READ(ns, ns.inum);
	return BPF_CORE_READ(ns, child_reaper, start_boottime);
}

static __always_inline u32 tty_of(struct signal_struct *signal)
{
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);

	if (!tty)
		return 0;
	struct tty_driver *driver = BPF_CORE_READ(tty, driver);
	return ((u32)BPF_CORE_READ(driver, major) << 8) |
	       (u32)(BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index));
}

static __always_inline void inode_times(struct process_event *p, struct inode *inode)
{
	struct inode___split *split = (void *)inode;
	struct inode___underscored *scored = (void *)inode;
	struct inode___plain *plain = (void *)inode;
	struct timespec64 m = {}, c = {};

	if (bpf_core_field_exists(split->i_mtime_sec)) {
		m.tv_sec = BPF_CORE_READ(split, i_mtime_sec);
		m.tv_nsec = BPF_CORE_READ(split, i_mtime_nsec);
		c.tv_sec = BPF_CORE_READ(split, i_ctime_sec);
		c.tv_nsec = BPF_CORE_READ(split, i_ctime_nsec);
	} else {
		if (bpf_core_field_exists(scored->__i_mtime))
			bpf_core_read(&m, sizeof(m), &scored->__i_mtime);
		else if (bpf_core_field_exists(plain->i_mtime))
			bpf_core_read(&m, sizeof(m), &plain->i_mtime);
		if (bpf_core_field_exists(scored->__i_ctime))
			bpf_core_read(&c, sizeof(c), &scored->__i_ctime);
		else if (bpf_core_field_exists(plain->i_ctime))
			bpf_core_read(&c, sizeof(c), &plain->i_ctime);
	}
	p->exe_mtime = m.tv_sec * 1000000000ull + m.tv_nsec;
	p->exe_ctime = c.tv_sec * 1000000000ull + c.tv_nsec;
}

static __always_inline void fill_process(struct process_event *p, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	parent = BPF_CORE_READ(parent, group_leader);
	p->ppid = BPF_CORE_READ(parent, tgid);
	p->parent_start = BPF_CORE_READ(parent, start_boottime);
	bpf_core_read(&p->cap_inheritable, 8, &cred->cap_inheritable);
	bpf_core_read(&p->cap_bounding, 8, &cred->cap_bset);
	p->vtid = pid_in(pid, level);
	p->vpid = pid_in(BPF_CORE_READ(signal, pids[PIDTYPE_TGID]), level);
	p->vpgid = pid_in(BPF_CORE_READ(signal, pids[PIDTYPE_PGID]), level);
	p->pgid = pid_in(BPF_CORE_READ(signal, pids[PIDTYPE_PGID]), 0);
	p->sid = pid_in(BPF_CORE_READ(signal, pids[PIDTYPE_SID]), 0);
	p->uid = BPF_CORE_READ(cred, uid.val);
	p->gid = BPF_CORE_READ(cred, gid.val);
	p->login_uid = bpf_core_field_exists(task->loginuid) ?
			       BPF_CORE_READ(task, loginuid.val) : ~0u;
	p->tty = tty_of(signal);
	p->seccomp = bpf_core_field_exists(task->seccomp) ? BPF_CORE_READ(task, seccomp.mode) : 0;
	p->pid_namespace_start = pid_namespace_of(task, &p->pid_namespace);
	p->mnt_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	p->net_namespace = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	p->user_namespace = BPF_CORE_READ(cred, user_ns, ns.inum);
}

static __always_inline void fill_executable(struct process_event *p, struct file *exe)
{
	struct inode *inode = READ(exe, f_inode);

	p->exe_inode = BPF_CORE_READ(inode, i_ino);
	p->exe_dev = BPF_CORE_READ(inode, i_sb, s_dev);
	p->exe_mode = BPF_CORE_READ(inode, i_mode);
	p->exe_uid = BPF_CORE_READ(inode, i_uid.val);
	p->exe_gid = BPF_CORE_READ(inode, i_gid.val);
	p->exe_flags = file_flags(exe, inode);
	inode_times(p, inode);
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___new *fresh = (void *)node;

	if (bpf_core_field_exists(fresh->__parent))
		return BPF_CORE_READ(fresh, __parent);
	return BPF_CORE_READ((struct kernfs_node___old *)node, parent);
}

struct cgroup_walk {
	struct scratch *scratch;
	struct kernfs_node *node;
	u32 at, used;
};

static long cgroup_step(u32 step, struct cgroup_walk *w)
{
	struct kernfs_node *node = w->node;
	struct kernfs_node *parent = kernfs_parent(node);
	u32 used = w->used;

	if (!parent || used > MAX_ENV - MAX_COMPONENT)
		return 1;
	long n = bpf_probe_read_kernel_str(
		&w->scratch->data[(w->at & SCRATCH_MASK) + sizeof(struct item) + (used & (MAX_ENV - 1))],
		MAX_COMPONENT, BPF_CORE_READ(node, name));
	if (n <= 0)
		return 1;
	w->used = used + n;
	w->node = parent;
	return 0;
}

/* Components of a cgroup's path, leaf first; nothing for a root cgroup. */
static __noinline u32 put_cgroup(struct cgroup *cgroup, u32 at, u32 kind)
{
	struct cgroup_walk w = { .scratch = scratch_for(kind), .at = at };

	if (!w.scratch || !cgroup)
		return at;
	w.node = BPF_CORE_READ(cgroup, kn);
	bpf_loop(16, cgroup_step, &w, 0);
	if (!w.used)
		return at;
	put_item(w.scratch, at, kind, w.used);
	return after_item(at, w.used);
}

/*
 * Every hierarchy that the task is not at the root of: the unified one and, on hosts with
 * version 1, each controller's own, as any of them may name the container. Controllers that share
 * a cgroup repeat it; the reader does not mind.
 */
static __always_inline u32 put_cgroups(struct task_struct *task, u32 at, u32 snapshot)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup *unified = BPF_CORE_READ(set, dfl_cgrp);

	at = put_cgroup(unified, at, ITEM_CGROUP | snapshot);
	for (int i = 0; i < 14; i++) {
		struct cgroup_subsys_state *css = 0;
		if (bpf_core_read(&css, sizeof(css), &set->subsys[i]) || !css)
			break;
		struct cgroup *cgroup = BPF_CORE_READ(css, cgroup);
		if (cgroup != unified)
			at = put_cgroup(cgroup, at, ITEM_CGROUP | snapshot);
	}
	return at;
}

static __always_inline u32 put_comm(struct scratch *s, u32 at, struct task_struct *task)
{
	return put_kernel_text(s, at, ITEM_COMM, (void *)task + bpf_core_field_offset(task->comm), 16);
}
