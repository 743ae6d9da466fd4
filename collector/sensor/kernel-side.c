/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and attaches the BPF object that is built into this binary, and takes the snapshot. */
#define _GNU_SOURCE
#include "../bpf/call-numbers.h"
#include "sensor.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The object files, put here by the assembler; see READ in ../bpf/record.h for why there are two. */
__asm__(".section .rodata\n.balign 16\n"
	".global typed_start\ntyped_start:\n.incbin \"" BPF_OBJECT_TYPED "\"\n"
	".global typed_end\ntyped_end:\n.balign 16\n"
	".global plain_start\nplain_start:\n.incbin \"" BPF_OBJECT_PLAIN "\"\n"
	".global plain_end\nplain_end:\n.previous\n");
extern const char typed_start[], typed_end[], plain_start[], plain_end[];

static char log_tail[64 << 10];

static int keep_warnings(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_WARN)
		return 0;
	size_t used = strlen(log_tail);
	return vsnprintf(log_tail + used, sizeof(log_tail) - used, format, args);
}

/* Which program describes a system call. */
static struct bpf_program *handler_of(struct bpf_object *object, int nr)
{
	const char *name = "exit_call";

	switch (nr) {
	case CALL_open: case CALL_openat: case CALL_openat2: case CALL_creat:
		name = "exit_open";
		break;
	case CALL_sendto: case CALL_sendmsg: case CALL_recvfrom: case CALL_recvmsg:
		name = "exit_datagram";
		break;
	case CALL_execve: case CALL_execveat:
		name = "exit_exec";
		break;
	}
	return bpf_object__find_program_by_name(object, name);
}

void fill_handlers(struct bpf_object *object)
{
	int handlers = bpf_object__find_map_fd_by_name(object, "handlers");

	for (int nr = 0; nr < MAX_SYSCALLS; nr++) {
		int program = bpf_program__fd(handler_of(object, nr));
		bpf_map_update_elem(handlers, &nr, &program, BPF_ANY);
	}
}

static __u32 program_id(struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) ? 0 : info.id;
}

bool handlers_are_whole(struct bpf_object *object)
{
	int handlers = bpf_object__find_map_fd_by_name(object, "handlers");

	for (int nr = 0; nr < MAX_SYSCALLS; nr++) {
		__u32 id = 0;
		if (bpf_map_lookup_elem(handlers, &nr, &id) || id != program_id(handler_of(object, nr)))
			return false;
	}
	return true;
}

static void *map_page(int fd, size_t length, int protection)
{
	void *page = fd < 0 ? MAP_FAILED : mmap(NULL, length, protection, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* Programs that the dispatcher or the snapshot runs; they are not attached by themselves. */
static bool is_attached(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	return strncmp(name, "exit_", 5) && strncmp(name, "snapshot_", 9) &&
	       bpf_program__autoload(program);
}

static bool load_failed(const char *step)
{
	int cause = errno;

	complain("cannot %s the BPF programs: %s\n%s", step, strerror(cause), log_tail);
	if (cause == EPERM)
		complain("it needs CAP_BPF and CAP_PERFMON (root has both), and a kernel that is not locked down\n");
	return false;
}

static bool open_and_load(struct kernel_side *k)
{
	log_tail[0] = 0;
	k->object = k->features.typed_pointers ?
			    bpf_object__open_mem(typed_start, typed_end - typed_start, NULL) :
			    bpf_object__open_mem(plain_start, plain_end - plain_start, NULL);
	if (!k->object)
		return false;
	features_apply(&k->features, k->object);
	if (!bpf_object__load(k->object))
		return true;
	int cause = errno;
	bpf_object__close(k->object);
	errno = cause;
	return false;
}

bool kernel_side_load(struct kernel_side *k)
{
	memset(k, 0, sizeof(*k));
	libbpf_set_print(keep_warnings);
	if (!features_find(&k->features))
		return false;
	while (!open_and_load(k)) {
		/* without the right to it a lesser set would not load either */
		if (errno == EPERM || !features_give_up_one(&k->features, log_tail))
			return load_failed("load");
	}
	features_warn(&k->features);
	fill_handlers(k->object);

	k->ring = bpf_object__find_map_fd_by_name(k->object, "ring");
	k->control = bpf_object__find_map_fd_by_name(k->object, ".data.control");
	k->progress = bpf_object__find_map_fd_by_name(k->object, ".data.progress");
	k->counters = bpf_object__find_map_fd_by_name(k->object, ".data.counters");
	int filters = bpf_object__find_map_fd_by_name(k->object, ".data.filters");
	k->control_page = map_page(k->control, sizeof(struct control), PROT_READ | PROT_WRITE);
	k->filters_page = map_page(filters, 2 * sizeof(struct filter), PROT_READ | PROT_WRITE);
	k->progress_page = map_page(k->progress, sizeof(struct progress), PROT_READ);
	k->counters_page = map_page(k->counters, MAX_CPUS * sizeof(struct cpu_counters), PROT_READ);
	k->kept = memfd_create("lanner-kept", MFD_CLOEXEC);
	if (!k->control_page || !k->filters_page || !k->progress_page || !k->counters_page ||
	    k->kept < 0 || ftruncate(k->kept, 4096))
		return load_failed("map the pages of");
	kernel_side_set_epoch(k);
	k->control_page->uring_completes = k->features.uring_completes;
	k->control_page->quiet = 1000000;
	k->control_page->wake_bytes = 64 << 10;
	k->control_page->ignored[0] = getpid();
	return kernel_side_attach(k);
}

bool kernel_side_attach(struct kernel_side *k)
{
	struct bpf_program *program;

	while (k->link_count > 0)
		bpf_link__destroy(k->links[--k->link_count]);
	bpf_object__for_each_program(program, k->object) {
		if (!is_attached(program))
			continue;
		struct bpf_link *link = bpf_program__attach(program);
		if (!link)
			return load_failed("attach");
		k->links[k->link_count++] = link;
	}
	return true;
}

void kernel_side_set_epoch(struct kernel_side *k)
{
	struct timespec wall, boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	k->control_page->epoch = (wall.tv_sec - boot.tv_sec) * 1000000000ll + wall.tv_nsec - boot.tv_nsec;
}

unsigned long kernel_side_ring_used(struct kernel_side *k)
{
	long page = sysconf(_SC_PAGESIZE);
	unsigned long *consumer = mmap(NULL, page, PROT_READ, MAP_SHARED, k->ring, 0);
	unsigned long *producer = mmap(NULL, page, PROT_READ, MAP_SHARED, k->ring, page);
	unsigned long used = 0;

	if (consumer != MAP_FAILED && producer != MAP_FAILED)
		used = __atomic_load_n(producer, __ATOMIC_ACQUIRE) - __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
	if (consumer != MAP_FAILED)
		munmap(consumer, page);
	if (producer != MAP_FAILED)
		munmap(producer, page);
	return used;
}

/* Runs an iterator to its end, pausing (5 s at most in all) while the ring is three quarters full. */
static bool run_iterator(struct kernel_side *k, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(k->object, name);
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	char ticks[16];
	int patience = 5000;
	ssize_t n;

	if (fd < 0) {
		complain("cannot run the %s iterator: %s\n", name, strerror(errno));
		bpf_link__destroy(link);
		return false;
	}
	while ((n = read(fd, ticks, sizeof(ticks))) > 0 || (n < 0 && errno == EAGAIN)) {
		while (patience > 0 && kernel_side_ring_used(k) > RING_BYTES / 4 * 3) {
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
			patience--;
		}
	}
	close(fd);
	bpf_link__destroy(link);
	return n == 0;
}

bool kernel_side_snapshot(struct kernel_side *k)
{
	bool ok = run_iterator(k, "snapshot_task");

	return run_iterator(k, "snapshot_end") && ok;
}
