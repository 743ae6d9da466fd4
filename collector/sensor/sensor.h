/* SPDX-License-Identifier: Apache-2.0 */
/* The privileged half of the collector: what its source files offer each other. */
#pragma once
#include "../bpf/event.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct bpf_object;

/* Descriptors that the agent finds open at its start; collector/agent/sensor-link.ts knows them. */
enum agent_fd {
	FD_RING = 10,
	FD_CONTROL = 11,
	FD_PROGRESS = 12,
	FD_COUNTERS = 13,
	FD_KEPT = 14, /* memory of the agent's own that outlives it */
	FD_REQUESTS = 15,
};

/* Exit codes of the sensor itself; an orderly end passes on the agent's. */
enum exit_code { EXIT_UNUSABLE = 2, EXIT_AGENT_LOST = 70 };

#define complain(...) fprintf(stderr, "lanner-sensor: " __VA_ARGS__)

/* features.c: what this kernel can do, beyond what there is no sensor without. */
struct features {
	bool typed_pointers;
	bool uring_submits, uring_completes;
	bool typed_refused, uring_refused; /* there, but the kernel did not take the programs */
};
bool features_find(struct features *f);
bool features_give_up_one(struct features *f, const char *words);
void features_apply(const struct features *f, struct bpf_object *object);
void features_warn(const struct features *f);
void features_print(const struct features *f);

/* kernel-side.c: everything that needs bpf(2). */
struct kernel_side {
	struct bpf_object *object;
	struct features features;
	struct bpf_link *links[16];
	int link_count;
	int ring, control, progress, counters; /* for the agent, which only reads the last three */
	int kept;
	struct control *control_page;
	struct progress *progress_page;
	struct filter *filters_page;
	struct cpu_counters *counters_page;
	struct filter wanted; /* what the filter in use has to be */
	bool watching; /* system calls are to be reported */
};
bool kernel_side_load(struct kernel_side *k);
bool kernel_side_snapshot(struct kernel_side *k);
void kernel_side_set_epoch(struct kernel_side *k);
unsigned long kernel_side_ring_used(struct kernel_side *k);
bool kernel_side_attach(struct kernel_side *k);
void fill_handlers(struct bpf_object *object);
bool handlers_are_whole(struct bpf_object *object);

/* filter.c: what the rules want, from the agent to the kernel. */
int filter_apply(struct kernel_side *k, const void *message, size_t length);

/* guard.c: whether the kernel side is still as it was made; puts right what is not. */
void guard_check(struct kernel_side *k);

/* agent.c: starting the unprivileged half. */
struct agent {
	pid_t pid;
	int requests; /* our end of the socket pair */
	int restarts;
};
bool agent_pass(const char *prefix);
bool agent_start(struct agent *a, const struct kernel_side *k, int node_fd, char **argv);

/* Also the user of the spool's directory. */
bool agent_own_directory(const char *path);

/* capabilities.c: what the sensor keeps after loading. */
bool keep_few_capabilities(void);

/* requests.c: what the agent may ask for. */
enum request_kind { REQUEST_SNAPSHOT = 1, REQUEST_PASSWD = 2, REQUEST_GROUP = 3, REQUEST_DEVICES = 4, REQUEST_FILTER = 5 };
struct request {
	__u32 kind;
	__u32 pid; /* of REQUEST_FILTER: how many entries follow */
};
/*
 * After the head of REQUEST_FILTER comes struct filter, then the entries of its lists: this head and
 * `length` bytes of text, each.
 */
enum list_kind { LIST_PREFIX = 0, LIST_SUFFIX = 1 };
struct list_entry {
	__u16 mask; /* see listed_bit in ../bpf/listed-paths.h */
	__u8 list;
	__u8 length;
};
struct reply {
	__s32 status; /* 0 or negative errno */
	__u32 size;   /* bytes that follow; for REQUEST_DEVICES the count itself */
};
#define MAX_REPLY (128 << 10)
#define MAX_REQUEST (96 << 10)
void answer_request(const struct agent *a, struct kernel_side *k);
