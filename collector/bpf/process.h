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
		return READ(fresh, __parent);
	return READ((struct kernfs_node___old *)node, parent);
}

struct cgroup_walk {
	struct scratch *scratch;
	u64 node;
	u32 at, used;
	u32 foreign; /* a component may be a container's */
};

/*
 * Whether a component is surely the host's own: a systemd slice or service, or init.scope. No
 * runtime gives a container such a name; collector/agent/container-id.ts says what they give, and a
 * test holds the two together.
 */
static __always_inline bool is_host_unit(const u8 *name, u32 length)
{
	u64 tail = 0;

	if (length < 8 || length > MAX_COMPONENT || bpf_probe_read_kernel(&tail, 8, name + length - 8))
		return false;
	return tail == 0x656369767265732eull /* .service */ ||
	       tail >> 16 == 0x6563696c732eull /* .slice */ ||
	       (length == 10 && tail == 0x65706f63732e7469ull /* (in)it.scope */);
}

static long cgroup_step(u32 step, struct cgroup_walk *w)
{
	struct kernfs_node *node = TYPED(struct kernfs_node, w->node);
	u64 parent = (u64)kernfs_parent(node);
	u32 used = w->used;

	if (!parent || used > MAX_ENV - MAX_COMPONENT)
		return 1;
	u8 *to = &w->scratch->data[(w->at & SCRATCH_MASK) + sizeof(struct item) + (used & (MAX_ENV - 1))];
	const char *name = READ(node, name);
	long n = bpf_probe_read_kernel_str(to, MAX_COMPONENT, name);
	if (n <= 0)
		return 1;
	if (!is_host_unit((const u8 *)name, n - 1))
		w->foreign = 1;
	w->used = used + n;
	w->node = parent;
	return 0;
}

#define FOREIGN (1u << 31)

/* Components of a cgroup's path, leaf first; nothing for a root cgroup. Sets FOREIGN in the result. */
static __noinline u32 put_cgroup(u64 address, u32 at, u32 kind)
{
	struct cgroup *cgroup = TYPED(struct cgroup, address);
	struct cgroup_walk w = { .scratch = scratch_for(kind), .at = at };

	if (!w.scratch || !address)
		return at;
	w.node = (u64)READ(cgroup, kn);
	bpf_loop(16, cgroup_step, &w, 0);
	if (!w.used)
		return at;
	put_item(w.scratch, at, kind, w.used);
	return after_item(at, w.used) | (w.foreign ? FOREIGN : 0);
}

struct hierarchy_walk {
	u64 set, unified;
	u32 at, snapshot, foreign;
};

static void add_hierarchy(struct hierarchy_walk *w, u64 cgroup)
{
	u32 at = put_cgroup(cgroup, w->at, ITEM_CGROUP | w->snapshot);

	w->foreign |= at & FOREIGN;
	w->at = at & ~FOREIGN;
}

static long hierarchy_step(u32 step, struct hierarchy_walk *w)
{
	u64 address = 0, slot = w->set + bpf_core_field_offset(struct css_set, subsys) + step * sizeof(void *);

	if (bpf_probe_read_kernel(&address, sizeof(address), (void *)slot) || !address)
		return 1;
	struct cgroup_subsys_state *css = TYPED(struct cgroup_subsys_state, address);
	u64 cgroup = (u64)READ(css, cgroup);
	if (cgroup != w->unified)
		add_hierarchy(w, cgroup);
	return 0;
}

/*
 * Every hierarchy that the task is not at the root of: the unified one and, on hosts with
 * version 1, each controller's own, as any of them may name the container. Controllers that share
 * a cgroup repeat it; the reader does not mind. `host` says whether none names one for certain.
 */
static __always_inline u32 put_cgroups(struct task_struct *task, u32 at, u32 snapshot, bool *host)
{
	struct css_set *set = READ(task, cgroups);
	struct hierarchy_walk w = { .set = (u64)set, .unified = (u64)READ(set, dfl_cgrp),
				    .at = at, .snapshot = snapshot };

	add_hierarchy(&w, w.unified);
	bpf_loop(14, hierarchy_step, &w, 0);
	*host = !w.foreign;
	return w.at;
}

struct stream_walk {
	struct scratch *scratch;
	u64 task, first, second;
	u32 at, snapshot;
};

static long stream_step(u32 step, struct stream_walk *w)
{
	struct scratch *s = w->scratch;
	struct task_struct *task = TYPED(struct task_struct, w->task);
	struct files_struct *files = READ(task, files);
	struct fdtable *table = READ(files, fdt);
	u32 at = w->at & SCRATCH_MASK;
	u64 address = 0;

	if (step >= READ(table, max_fds))
		return 1;
	u64 slot = (u64)READ(table, fd) + step * sizeof(void *);
	if (bpf_probe_read_kernel(&address, sizeof(address), (void *)slot) || !address)
		return 0;
	if (step && (address == w->first || address == w->second)) {
		s->data[at + sizeof(struct item)] = address == w->first ? 0 : 1;
		put_item(s, at, ITEM_STREAM + step, 1);
		w->at = after_item(at, 1);
		return 0;
	}
	if (step)
		w->second = address;
	else
		w->first = address;
	struct file *file = TYPED(struct file, address);
	struct inode *inode = READ(file, f_inode);
	if ((READ(inode, i_mode) & S_IFMT) == S_IFSOCK) {
		w->at = put_socket(s, at, file, inode, ITEM_STREAM + step, ITEM_STREAM_NAME + step);
		return 0;
	}
	fill_file((void *)&s->data[at + sizeof(struct item)], file, inode);
	put_item(s, at, ITEM_STREAM + step, sizeof(struct file_item));
	w->at = put_file_path(file, task, after_item(at, sizeof(struct file_item)),
			      (ITEM_STREAM_NAME + step) | w->snapshot);
	return 0;
}

/* What descriptors 0 to 2 lead to, see ITEM_STREAM. */
static __always_inline u32 put_streams(struct scratch *s, u32 at, struct task_struct *task, u32 snapshot)
{
	struct stream_walk w = { .scratch = s, .task = (u64)task, .at = at, .snapshot = snapshot };

	bpf_loop(3, stream_step, &w, 0);
	return w.at;
}

/* Processes that are certainly in no container: the mark comes with exec and goes with fork. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} host_marks SEC(".maps");

static __always_inline void mark_host(struct task_struct *leader, bool host)
{
	u32 *mark = bpf_task_storage_get(&host_marks, leader, 0, host ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);

	if (mark)
		*mark = host;
}

static __always_inline bool is_on_host(struct task_struct *task)
{
	u32 *mark = bpf_task_storage_get(&host_marks, task->group_leader, 0, 0);

	return mark && *mark;
}

static __always_inline u32 put_comm(struct scratch *s, u32 at, struct task_struct *task)
{
	return put_kernel_text(s, at, ITEM_COMM, (void *)task + bpf_core_field_offset(task->comm), 16);
}
