/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the pointers and descriptors among a call's arguments mean. Calls without a row are numbers. */
#pragma once
#include "event.h"
#include <asm/unistd.h>

enum arg_kind {
	ARG_NUMBER,
	ARG_TEXT,
	ARG_PATH,    /* relative to the working directory */
	ARG_PATH_AT, /* relative to the descriptor in the argument before */
	ARG_ADDRESS, /* sockaddr, its length in the argument after */
};

/* The descriptor that the event is about: argument n is n + 1. */
enum subject { SUBJECT_NONE = 0, SUBJECT_ARG0 = 1, SUBJECT_ARG1 = 2, SUBJECT_RESULT = 5, SUBJECT_CWD = 6 };

struct call_row {
	u8 args[4];
	u8 subject;
	u8 loss;   /* enum loss_class */
	u8 urgent; /* wake the reader at once */
	u8 pad;
};

#define ROW(subject, loss, urgent, ...) { { __VA_ARGS__ }, subject, loss, urgent, 0 }

const volatile struct call_row call_table[MAX_SYSCALLS] = {
	[__NR_connect] = ROW(SUBJECT_ARG0, LOSS_NETWORK, 0, ARG_NUMBER, ARG_ADDRESS),
	[__NR_bind] = ROW(SUBJECT_ARG0, LOSS_NETWORK, 0, ARG_NUMBER, ARG_ADDRESS),
	[__NR_listen] = ROW(SUBJECT_ARG0, LOSS_NETWORK, 0, ARG_NUMBER),
	[__NR_accept] = ROW(SUBJECT_RESULT, LOSS_NETWORK, 0, ARG_NUMBER),
	[__NR_accept4] = ROW(SUBJECT_RESULT, LOSS_NETWORK, 0, ARG_NUMBER),
	[__NR_socket] = ROW(SUBJECT_RESULT, LOSS_NETWORK, 0, ARG_NUMBER),
	[__NR_dup] = ROW(SUBJECT_RESULT, LOSS_OTHER, 0, ARG_NUMBER),
	[__NR_dup2] = ROW(SUBJECT_RESULT, LOSS_OTHER, 0, ARG_NUMBER),
	[__NR_dup3] = ROW(SUBJECT_RESULT, LOSS_OTHER, 0, ARG_NUMBER),
	[__NR_unlink] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_unlinkat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT),
	[__NR_rmdir] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_mkdir] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_mkdirat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT),
	[__NR_rename] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH, ARG_PATH),
	[__NR_renameat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT, ARG_NUMBER, ARG_PATH_AT),
	[__NR_renameat2] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT, ARG_NUMBER, ARG_PATH_AT),
	[__NR_link] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH, ARG_PATH),
	[__NR_linkat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT, ARG_NUMBER, ARG_PATH_AT),
	[__NR_symlink] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_TEXT, ARG_PATH),
	[__NR_symlinkat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_TEXT, ARG_NUMBER, ARG_PATH_AT),
	[__NR_chmod] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_fchmod] = ROW(SUBJECT_ARG0, LOSS_OTHER, 0, ARG_NUMBER),
	[__NR_fchmodat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT),
	[__NR_chown] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_lchown] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_fchown] = ROW(SUBJECT_ARG0, LOSS_OTHER, 0, ARG_NUMBER),
	[__NR_fchownat] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_NUMBER, ARG_PATH_AT),
	[__NR_mount] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_TEXT, ARG_PATH, ARG_TEXT),
	[__NR_umount2] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_chdir] = ROW(SUBJECT_CWD, LOSS_PROCESS, 0, ARG_TEXT),
	[__NR_fchdir] = ROW(SUBJECT_CWD, LOSS_PROCESS, 0, ARG_NUMBER),
	[__NR_chroot] = ROW(SUBJECT_NONE, LOSS_OTHER, 0, ARG_PATH),
	[__NR_setns] = ROW(SUBJECT_ARG0, LOSS_OTHER, 1, ARG_NUMBER),
	[__NR_unshare] = ROW(SUBJECT_NONE, LOSS_OTHER, 1, ARG_NUMBER),
	[__NR_bpf] = ROW(SUBJECT_RESULT, LOSS_OTHER, 0, ARG_NUMBER),
	[__NR_ptrace] = ROW(SUBJECT_NONE, LOSS_OTHER, 1, ARG_NUMBER),
	[__NR_init_module] = ROW(SUBJECT_NONE, LOSS_OTHER, 1, ARG_NUMBER, ARG_NUMBER, ARG_TEXT),
	[__NR_finit_module] = ROW(SUBJECT_ARG0, LOSS_OTHER, 1, ARG_NUMBER, ARG_TEXT),
	[__NR_delete_module] = ROW(SUBJECT_NONE, LOSS_OTHER, 1, ARG_TEXT),
	[__NR_memfd_create] = ROW(SUBJECT_RESULT, LOSS_OTHER, 1, ARG_TEXT),
	[__NR_userfaultfd] = ROW(SUBJECT_RESULT, LOSS_OTHER, 0, ARG_NUMBER),
};

/* Native number + 1 of a 32-bit call, 0 for none; numbers of the i386 table. */
const volatile u16 compat_to_native[MAX_SYSCALLS] = {
#include "compat-calls.h"
};
