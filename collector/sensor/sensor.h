/* SPDX-License-Identifier: Apache-2.0 */
/* The privileged half of the collector: what its source files offer each other. */
#pragma once
#include "../bpf/event.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Descriptors that the agent finds open at its start; collector/agent/sensor-link.ts knows them. */
enum agent_fd { FD_RING = 10, FD_CONTROL = 11, FD_PROGRESS = 12, FD_COUNTERS = 13, FD_REQUESTS = 14 };

/* Exit codes of the sensor itself; an orderly end passes on the agent's. */
enum exit_code { EXIT_UNUSABLE = 2, EXIT_AGENT_LOST = 70 };

#define complain(...) fprintf(stderr, "lanner-sensor: " __VA_ARGS__)

/* kernel-side.c: everything that needs bpf(2). */
struct kernel_side {
	struct bpf_object *object;
	struct bpf_link *links[16];
	int link_count;
	int ring, control, progress, counters;
	struct control *control_page;
	struct progress *progress_page;
};
bool kernel_side_load(struct kernel_side *k);
bool kernel_side_snapshot(struct kernel_side *k);
void kernel_side_set_epoch(struct kernel_side *k);
unsigned long kernel_side_ring_used(struct kernel_side *k);

/* agent.c: starting the unprivileged half. */
struct agent {
	pid_t pid;
	int requests; /* our end of the socket pair */
	int restarts;
};
bool agent_start(struct agent *a, const struct kernel_side *k, int node_fd, char **argv);

/* capabilities.c: what the sensor keeps after loading. */
bool keep_few_capabilities(void);

/* requests.c: what the agent may ask for. */
enum request_kind { REQUEST_SNAPSHOT = 1, REQUEST_PASSWD = 2, REQUEST_GROUP = 3, REQUEST_DEVICES = 4 };
struct request {
	__u32 kind;
	__u32 pid;
};
struct reply {
	__s32 status; /* 0 or negative errno */
	__u32 size;   /* bytes that follow; for REQUEST_DEVICES the count itself */
};
#define MAX_REPLY (128 << 10)
void answer_request(const struct agent *a, struct kernel_side *k);
