/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The whole kernel side as one object: maps are shared, each family of hooks has its own file. */
#include "process.bpf.c"
#include "snapshot.bpf.c"
#include "calls.bpf.c"
#include "uring.bpf.c"

/* GPL-only helpers (reading other memory) need a licence string of that family; see the SPDX line. */
char LICENSE[] SEC("license") = "GPL";

/* Never used: makes the compiler describe every struct of the wire in BTF, for the layout test. */
const union {
	struct event event;
	struct call_event call;
	struct process_event process;
	struct fork_event fork;
	struct exit_event exit;
	struct file_item file;
	struct socket_item socket;
	struct open_how_item open_how;
} *described_for_layout_test;
