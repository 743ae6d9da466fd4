/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel can do for the kernel side, and leaving out of the object what it cannot. */
#include "sensor.h"
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BTF_FILE "/sys/kernel/btf/vmlinux"

/*
 * Names of kernel types that this kernel is taken to lack, separated by commas: for testing, on a new
 * kernel, what an old one gets.
 */
static bool is_withheld(const char *name)
{
	const char *at = getenv("LANNER_WITHOUT");
	size_t length = strlen(name);

	for (; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, name, length) && (!at[length] || at[length] == ','))
			return true;
	return false;
}

static bool has_type(const struct btf *btf, const char *name, __u32 kind)
{
	return !is_withheld(name) && btf__find_by_name_kind(btf, name, kind) > 0;
}

/* Helpers are known by the kernel's own list of them, an enumeration without a fixed place. */
static bool has_helper(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

	if (is_withheld(name))
		return false;
	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off), name))
			return true;
	return false;
}

struct need {
	const char *name;
	__u32 kind; /* of the type; 0 for a helper */
	const char *what;
};

/* Nothing is left to see without these. */
static const struct need needs[] = {
	{ "btf_trace_sys_exit", BTF_KIND_TYPEDEF, "the sys_exit tracepoint" },
	{ "btf_trace_sched_process_exec", BTF_KIND_TYPEDEF, "the sched_process_exec tracepoint" },
	{ "btf_trace_sched_process_fork", BTF_KIND_TYPEDEF, "the sched_process_fork tracepoint" },
	{ "btf_trace_sched_process_exit", BTF_KIND_TYPEDEF, "the sched_process_exit tracepoint" },
	{ "bpf_iter__task", BTF_KIND_STRUCT, "iterators over tasks (Linux 5.8)" },
	{ "BPF_FUNC_task_storage_get", 0, "BPF task storage (Linux 5.11)" },
	{ "BPF_FUNC_loop", 0, "bpf_loop (Linux 5.17)" },
	{ "BPF_FUNC_copy_from_user_task", 0, "bpf_copy_from_user_task (Linux 5.18)" },
};

bool features_find(struct features *f)
{
	bool complete = true;

	memset(f, 0, sizeof(*f));
	if (access(BTF_FILE, R_OK)) {
		complain("no " BTF_FILE ": the kernel was built without CONFIG_DEBUG_INFO_BTF\n");
		return false;
	}
	struct btf *btf = btf__load_vmlinux_btf();
	if (!btf) {
		complain("cannot read " BTF_FILE ": %s\n", strerror(errno));
		return false;
	}
	for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		const struct need *n = &needs[i];
		if (n->kind ? has_type(btf, n->name, n->kind) : has_helper(btf, n->name))
			continue;
		complain("this kernel lacks %s, which the sensor is built on\n", n->what);
		complete = false;
	}
	f->typed_pointers = has_type(btf, "bpf_rdonly_cast", BTF_KIND_FUNC);
	f->uring_submits = has_type(btf, "btf_trace_io_uring_submit_req", BTF_KIND_TYPEDEF);
	f->uring_completes = f->uring_submits &&
			     has_type(btf, "btf_trace_io_uring_complete", BTF_KIND_TYPEDEF);
	btf__free(btf);
	return complete;
}

/*
 * The next lesser set when the kernel refuses one that it seemed to have, by what it said: a program that
 * does not fit must not take the others with it. False when there is none.
 */
bool features_give_up_one(struct features *f, const char *words)
{
	if (f->uring_submits && (strstr(words, "prog 'uring_") || !f->typed_pointers)) {
		f->uring_submits = f->uring_completes = false;
		f->uring_refused = true;
	} else if (f->typed_pointers) {
		f->typed_pointers = false;
		f->typed_refused = true;
	} else {
		return false;
	}
	return true;
}

void features_apply(const struct features *f, struct bpf_object *object)
{
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "uring_submit"), f->uring_submits);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "uring_complete"), f->uring_completes);
}

static const char *uring_state(const struct features *f)
{
	if (f->uring_completes)
		return "ok\topens and connects are seen, with results";
	if (f->uring_submits)
		return "limited\tno io_uring_complete tracepoint: opens and connects through io_uring are seen without results";
	if (f->uring_refused)
		return "limited\tthe kernel refuses the programs for it: opens and connects through io_uring stay unseen";
	return "limited\tno io_uring_submit_req tracepoint (Linux 6.3): opens and connects through io_uring stay unseen";
}

static const char *typed_state(const struct features *f)
{
	if (f->typed_pointers)
		return "ok\tkernel memory is read at full speed";
	if (f->typed_refused)
		return "limited\tthe kernel refuses the programs that use them: the same events, each read dearer";
	return "limited\tno bpf_rdonly_cast (Linux 6.2): the same events, each read dearer in the kernel";
}

/* Names what is lost; a dearer way to the same events is no loss. */
void features_warn(const struct features *f)
{
	if (!f->uring_completes)
		complain("io_uring: %s\n", strchr(uring_state(f), '\t') + 1);
	if (f->typed_refused)
		complain("typed pointers: %s\n", strchr(typed_state(f), '\t') + 1);
}

/* For `lanner doctor node`: a line a feature, its state and what it means. */
void features_print(const struct features *f)
{
	printf("programs\tok\tloaded and attached\n");
	printf("typed pointers\t%s\n", typed_state(f));
	printf("io_uring\t%s\n", uring_state(f));
}
