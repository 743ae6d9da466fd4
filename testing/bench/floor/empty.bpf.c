/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The least that any sensor pays for looking at system calls: a program that does nothing. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tp_btf/sys_exit")
int empty(void *ctx)
{
	(void)ctx;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
