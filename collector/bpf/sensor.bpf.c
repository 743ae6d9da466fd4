/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The whole kernel side as one object: maps are shared, each family of hooks has its own file. */
#include "process.bpf.c"
#include "snapshot.bpf.c"
#include "calls.bpf.c"
#include "uring.bpf.c"

/* GPL-only helpers (reading other memory) need a licence string of that family; see the SPDX line. */
char LICENSE[] SEC("license") = "GPL";
