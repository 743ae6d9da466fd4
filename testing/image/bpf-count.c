/* SPDX-License-Identifier: Apache-2.0 */
/* Prints how many BPF programs, maps and links the kernel holds. */
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int count(int command)
{
	union bpf_attr next = {};
	int n = 0;

	for (; !syscall(SYS_bpf, command, &next, sizeof(next)); n++)
		next.start_id = next.next_id;
	return n;
}

int main(void)
{
	printf("%d %d %d\n", count(BPF_PROG_GET_NEXT_ID), count(BPF_MAP_GET_NEXT_ID), count(BPF_LINK_GET_NEXT_ID));
	return 0;
}
