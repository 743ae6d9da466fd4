/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Opens and connects through io_uring, which no system call tracepoint ever sees. A request is
 * kept from its submission, where the kernel's own copy of name or address can be read, to its
 * completion, where the result is known. Kernels without these tracepoints do without.
 */
#include "call-numbers.h" /* is_wanted is in calls.bpf.c */
#include "files.h"

#define IORING_OP_CONNECT 16
#define IORING_OP_OPENAT 18
#define IORING_OP_OPENAT2 28

struct uring_request {
	u64 flags, mode, resolve;
	s32 dirfd; /* of a connect: the socket */
	u16 syscall;
	u16 address_length;
	u8 address[28];
	u8 pad[4];
	char name[256];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct uring_request);
} uring_requests SEC(".maps");

static __always_inline void emit_request(struct uring_request *r, struct file *socket, s64 result,
					 u8 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_for(0);

	if (!s || is_ignored(task->tgid))
		return;
	struct call_event *c = (void *)s->data;
	begin(s, task, SHAPE_CALL, r->syscall, result);
	c->event.flags = EVENT_FLAG_IO_URING | flags;
	__builtin_memset(c->args, 0, sizeof(c->args));
	u32 at = sizeof(*c);
	if (r->syscall == CALL_connect) {
		c->args[0] = (s64)r->dirfd;
		put_item(s, at, ITEM_ADDRESS, sizeof(r->address));
		__builtin_memcpy(&s->data[at + sizeof(struct item)], r->address, sizeof(r->address));
		at = after_item(at, sizeof(r->address));
		if (socket)
			at = put_file(s, at, task, socket);
		emit(s, at, LOSS_NETWORK, WAKE_NORMAL);
		return;
	}
	c->args[0] = (s64)r->dirfd;
	c->args[2] = r->flags;
	c->args[3] = r->mode;
	if (r->syscall == CALL_openat2) {
		struct open_how_item *how = (void *)&s->data[at + sizeof(struct item)];
		put_item(s, at, ITEM_OPEN_HOW, sizeof(*how));
		how->flags = r->flags;
		how->mode = r->mode;
		how->resolve = r->resolve;
		at = after_item(at, sizeof(*how));
	}
	struct file *file = result > 0 ? file_of(task, result) : 0;
	if (file)
		at = put_file(s, at, task, file);
	u32 next = put_kernel_text(s, at, ITEM_ARG0 + 1, r->name, sizeof(r->name));
	if (!file && r->name[0] != '/')
		next = put_base(task, next, r->dirfd, ITEM_BASE);
	emit(s, next, LOSS_FILE, WAKE_NORMAL);
}

static __always_inline struct filename *filename_of(struct io_open *open)
{
	struct io_open___delayed *delayed = (void *)open;

	if (bpf_core_field_exists(delayed->filename.__incomplete_filename))
		return BPF_CORE_READ(delayed, filename.__incomplete_filename);
	return BPF_CORE_READ(open, filename);
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(uring_submit, struct io_kiocb *req)
{
	u8 opcode = req->opcode;
	u32 nr = opcode == IORING_OP_OPENAT  ? CALL_openat :
		 opcode == IORING_OP_OPENAT2 ? CALL_openat2 :
		 opcode == IORING_OP_CONNECT ? CALL_connect : 0;
	if (!nr || !is_wanted(nr))
		return 0;

	struct uring_request r = {};
	r.syscall = nr;
	if (nr == CALL_connect) {
		struct io_async_msghdr *async = req->async_data;
		if (!async || !bpf_core_field_exists(async->addr))
			return 0;
		r.dirfd = READ(req, cqe.fd);
		bpf_core_read(r.address, sizeof(r.address), &async->addr);
	} else {
		struct io_open *open = (void *)req;
		r.dirfd = BPF_CORE_READ(open, dfd);
		r.flags = BPF_CORE_READ(open, how.flags);
		r.mode = BPF_CORE_READ(open, how.mode);
		r.resolve = BPF_CORE_READ(open, how.resolve);
		bpf_probe_read_kernel_str(r.name, sizeof(r.name), BPF_CORE_READ(filename_of(open), name));
	}
	if (!control.uring_completes) {
		emit_request(&r, req->file, 0, EVENT_FLAG_NO_RESULT);
		return 0;
	}
	u64 key = (u64)req;
	bpf_map_update_elem(&uring_requests, &key, &r, BPF_ANY);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(uring_complete, void *ring_ctx, void *request)
{
	struct io_kiocb *req = TYPED(struct io_kiocb, request);
	u64 key = (u64)request;
	struct uring_request *r = bpf_map_lookup_elem(&uring_requests, &key);

	if (!r)
		return 0;
	emit_request(r, READ(req, file), READ(req, cqe.res), 0);
	bpf_map_delete_elem(&uring_requests, &key);
	return 0;
}
