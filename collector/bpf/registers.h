/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* How each processor passes a system call: its number and its arguments, as they still are at its exit. */
#pragma once
#include "call-numbers.h"
#include "event.h"
#include "kernel.h"

/* Numbers here are what the caller used; a row holds the call + 1, 0 for none that events know. */
#if defined(__TARGET_ARCH_arm64)

static const volatile u16 native_to_call[MAX_SYSCALLS] = {
#include "arm64-calls.h"
};
static const volatile u16 compat_to_call[MAX_SYSCALLS] = {
#include "arm32-calls.h"
};

static __always_inline bool is_compat(struct task_struct *task)
{
	return task->thread_info.flags & TIF_32BIT;
}

static __always_inline u32 number_used(struct pt_regs *regs)
{
	return regs->syscallno; /* -1 after a successful exec */
}

static __always_inline int native_call(u32 nr)
{
	return nr < MAX_SYSCALLS ? (int)native_to_call[nr] - 1 : -1;
}

/* The result took the place of the first argument, of which the kernel keeps a copy. */
static __always_inline u64 argument(struct pt_regs *regs, bool compat, int n)
{
	u64 value = n ? regs->regs[n] : regs->orig_x0;

	return compat ? (u32)value : value;
}

#else

static const volatile u16 compat_to_call[MAX_SYSCALLS] = {
#include "i386-calls.h"
};

static __always_inline bool is_compat(struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

static __always_inline u32 number_used(struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline int native_call(u32 nr)
{
	return nr & ~X32_SYSCALL_BIT; /* x32 calls take 64-bit registers and share the numbers */
}

static __always_inline u64 argument(struct pt_regs *regs, bool compat, int n)
{
	switch (n) {
	case 0: return compat ? (u32)regs->bx : regs->di;
	case 1: return compat ? (u32)regs->cx : regs->si;
	case 2: return compat ? (u32)regs->dx : regs->dx;
	case 3: return compat ? (u32)regs->si : regs->r10;
	case 4: return compat ? (u32)regs->di : regs->r8;
	default: return compat ? (u32)regs->bp : regs->r9;
	}
}

#endif

/* The call that ends, -1 for one that events do not know. */
static __always_inline int call_number(struct task_struct *task, struct pt_regs *regs)
{
	u32 nr = number_used(regs);

	if (is_compat(task))
		return (int)(nr < MAX_SYSCALLS ? compat_to_call[nr] : 0) - 1;
	return native_call(nr);
}
