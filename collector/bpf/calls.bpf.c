/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * System calls at their exit. One dispatcher on sys_exit tests the rules' bitmap and jumps to the
 * handler of the call; at exit the registers still hold the arguments, and objects that the call
 * made can be read from the kernel. A call that no rule wants costs the dispatcher alone.
 */
#include "process.h"
#include "call-table.h"
#include "listed-paths.h"
#include "registers.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, u32);
	__type(value, u32);
} handlers SEC(".maps");

static __always_inline struct cpu_counters *my_counters(void)
{
	return &counters[bpf_get_smp_processor_id() & (MAX_CPUS - 1)];
}

static __always_inline bool is_wanted(u32 nr)
{
	return control.enabled && nr < MAX_SYSCALLS &&
	       (filter_in_use()->wanted[SCOPE_ANY][nr >> 6] >> (nr & 63) & 1);
}

/* Wanted of some processes, but not of those that are certainly in no container. */
static __always_inline bool is_out_of_scope(struct task_struct *task, u32 nr)
{
	return nr < MAX_SYSCALLS &&
	       !(filter_in_use()->wanted[SCOPE_HOST][nr >> 6] >> (nr & 63) & 1) && is_on_host(task);
}

static __always_inline int reject(u64 *reason)
{
	my_counters()->rejected++;
	(*reason)++;
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	int nr = call_number(task, regs);

	if (!is_wanted(nr)) {
		if (nr < 0 && is_compat(task))
			__sync_fetch_and_add(&progress.compat_unmapped, 1);
		return 0;
	}
	my_counters()->seen++;
	if (is_ignored(task->tgid))
		return 0;
	if (is_out_of_scope(task, nr))
		return reject(&my_counters()->rejected_scope);
	bpf_tail_call(ctx, &handlers, nr);
	return 0;
}

/* Starts a SHAPE_CALL record with the caller's registers. */
static __always_inline void begin_call(struct scratch *s, struct task_struct *task,
				       struct pt_regs *regs, long result, int nr)
{
	struct call_event *c = (void *)s->data;

	begin(s, task, SHAPE_CALL, nr, result);
	bool compat = is_compat(task);
	if (compat) {
		c->event.flags = EVENT_FLAG_COMPAT;
		c->event.result = (s32)result;
	}
	c->args[0] = argument(regs, compat, 0);
	c->args[1] = argument(regs, compat, 1);
	c->args[2] = argument(regs, compat, 2);
	c->args[3] = argument(regs, compat, 3);
	c->args[4] = argument(regs, compat, 4);
	c->args[5] = argument(regs, compat, 5);
}

static __always_inline bool is_relative(struct scratch *s, u32 at, u32 next)
{
	return next == at || s->data[(at & SCRATCH_MASK) + sizeof(struct item)] != '/';
}

/* A name given by the caller and, when relative, the directory it starts from. */
static __always_inline u32 put_name(struct scratch *s, u32 at, struct task_struct *task, int arg,
				    u64 name, s32 dirfd, u32 base)
{
	u32 next = put_user_text(s, at, ITEM_ARG0 + arg, name, MAX_NAME);

	if (base && is_relative(s, at, next))
		return put_base(task, next, dirfd, base);
	return next;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_open, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_for(0);
	int nr = call_number(task, regs);

	if (!s || nr < 0)
		return 0;
	struct call_event *c = (void *)s->data;
	bool compat = is_compat(task);
	u64 flags = nr == CALL_openat ? argument(regs, compat, 2) :
		    nr == CALL_open   ? argument(regs, compat, 1) : 1 /* creat: write */;
	struct open_how_item how = {};
	if (nr == CALL_openat2) {
		bpf_probe_read_user(&how, sizeof(how), (void *)argument(regs, compat, 2));
		flags = how.flags;
	}
	u32 active = control.active & 1;
	const struct filter *f = &filters[active];
	u32 class = 1u << ((result < 0 ? 4 : 0) + (flags & 3));
	u32 scope = f->opens_differ && is_on_host(task) ? SCOPE_HOST : SCOPE_ANY;
	bool anywhere = f->opens[scope] & class, listed = f->listed_opens[scope] & class,
	     dotted = f->dotted_opens[scope] & class;
	if (!anywhere && !listed && !dotted)
		return reject(&my_counters()->rejected_class);
	begin_call(s, task, regs, result, nr);
	bool at_form = nr == CALL_openat || nr == CALL_openat2;
	s32 dirfd = at_form ? (s32)c->args[0] : AT_FDCWD;
	u32 at = sizeof(*c);
	if (nr == CALL_openat2) {
		put_item(s, at, ITEM_OPEN_HOW, sizeof(how));
		*(struct open_how_item *)&s->data[at + sizeof(struct item)] = how;
		at = after_item(at, sizeof(how));
	}
	u32 name = at & SCRATCH_MASK;
	at = put_user_text(s, name, ITEM_ARG0 + (at_form ? 1 : 0), c->args[at_form ? 1 : 0], MAX_NAME);
	bool relative = is_relative(s, name, at);
	bool wanted = anywhere || (dotted && at != name && has_two_dots(name));
	if (!wanted && !listed)
		return reject(&my_counters()->rejected_path);
	struct file *file = result >= 0 ? file_of(task, result) : 0;
	if (file) {
		u32 item = at & SCRATCH_MASK;
		at = put_file(s, item, task, file);
		if (!wanted && !is_listed(item, active, listed_bit(class, scope)))
			return reject(&my_counters()->rejected_path);
	} else if (relative) {
		at = put_base(task, at, dirfd, ITEM_BASE);
	}
	emit(s, at, LOSS_FILE, WAKE_NORMAL);
	return 0;
}

/* Datagrams: only those with an address of their own; a connected socket was seen at connect. */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_datagram, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_for(0);
	int nr = call_number(task, regs);

	if (!s || nr < 0)
		return 0;
	struct call_event *c = (void *)s->data;
	begin_call(s, task, regs, result, nr);
	u64 address = c->args[4];
	if (nr == CALL_sendmsg || nr == CALL_recvmsg) {
		struct {
			u64 name;
			u32 length;
		} head = {};
		if (c->event.flags & EVENT_FLAG_COMPAT)
			bpf_probe_read_user(&head.name, 4, (void *)c->args[1]);
		else
			bpf_probe_read_user(&head, sizeof(head), (void *)c->args[1]);
		address = head.name;
	}
	struct file *file = address ? file_of(task, (s32)c->args[0]) : 0;
	if (!file) {
		my_counters()->rejected++;
		return 0;
	}
	u32 at = put_file(s, sizeof(*c), task, file);
	at &= SCRATCH_MASK;
	/* family tells how much of it counts; 28 bytes are a sockaddr_in6 */
	if (!bpf_probe_read_user(&s->data[at + sizeof(struct item)], 28, (void *)address)) {
		put_item(s, at, ITEM_ADDRESS, 28);
		at = after_item(at, 28);
	}
	emit(s, at, LOSS_NETWORK, WAKE_NORMAL);
	return 0;
}

/* An exec that failed: the caller lives on, the name and arguments are as it gave them. */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_exec, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_for(0);
	int nr = call_number(task, regs);

	if (!s || nr < 0 || result >= 0)
		return 0;
	struct call_event *c = (void *)s->data;
	begin_call(s, task, regs, result, nr);
	int arg = nr == CALL_execveat ? 1 : 0;
	s32 dirfd = nr == CALL_execveat ? (s32)c->args[0] : AT_FDCWD;
	u32 at = put_name(s, sizeof(*c), task, arg, c->args[arg], dirfd, ITEM_BASE);
	emit(s, at, LOSS_PROCESS, WAKE_URGENT);
	return 0;
}

struct argument_walk {
	struct scratch *scratch;
	u32 nr, at;
};

/* Adds what argument `arg` points to, by its kind in the call's row. */
static long argument_step(u32 arg, struct argument_walk *w)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = w->scratch;
	struct call_event *c = (void *)s->data;
	u64 value = c->args[arg & 3];
	u32 at = w->at & SCRATCH_MASK;

	switch (call_table[w->nr & (MAX_SYSCALLS - 1)].args[arg & 3]) {
	case ARG_TEXT:
		w->at = put_user_text(s, at, ITEM_ARG0 + arg, value, MAX_NAME);
		break;
	case ARG_PATH:
		/* link and rename name their second path in the next argument */
		w->at = put_name(s, at, task, arg, value, AT_FDCWD, arg ? ITEM_BASE2 : ITEM_BASE);
		break;
	case ARG_PATH_AT:
		w->at = put_name(s, at, task, arg, value, (s32)c->args[(arg - 1) & 3],
				 arg <= 2 ? ITEM_BASE : ITEM_BASE2);
		break;
	case ARG_BLOCK:
		for (u32 size = 24; size >= 8; size -= 8) {
			if (bpf_probe_read_user(&s->data[at + sizeof(struct item)], size, (void *)value))
				continue;
			put_item(s, at, ITEM_ARG0 + arg, size);
			w->at = after_item(at, size);
			break;
		}
		break;
	case ARG_ADDRESS: {
		u32 length = c->args[(arg + 1) & 3] & 127;
		if (!length || bpf_probe_read_user(&s->data[at + sizeof(struct item)], length, (void *)value))
			break;
		put_item(s, at, ITEM_ADDRESS, length);
		w->at = after_item(at, length);
		break;
	}
	}
	return 0;
}

/* Every other call, by its row in call_table. */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_call, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_for(0);
	int nr = call_number(task, regs);

	if (!s || nr < 0)
		return 0;
	const volatile struct call_row *row = &call_table[nr & (MAX_SYSCALLS - 1)];
	struct call_event *c = (void *)s->data;
	begin_call(s, task, regs, result, nr);
	u32 at = sizeof(*c);
	u8 subject = row->subject;
	if (subject == SUBJECT_CWD && result >= 0) {
		at = put_cwd(task, at, ITEM_PATH);
	} else if (subject) {
		s64 fd = subject == SUBJECT_RESULT ? result : (s32)c->args[(subject - 1) & 3];
		struct file *file = file_of(task, fd);
		if (file)
			at = put_file(s, at, task, file);
	}
	struct argument_walk walk = { .scratch = s, .nr = nr, .at = at };
	bpf_loop(4, argument_step, &walk, 0);
	emit(s, walk.at, row->loss, row->urgent ? WAKE_URGENT : WAKE_NORMAL);
	return 0;
}
