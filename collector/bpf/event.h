/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The wire: what the kernel side puts into the ring buffer and the agent reads in place.
 * Little-endian, every record a multiple of 8 bytes, every field at its natural alignment.
 * collector/agent/layout.ts mirrors these structs; a test compares the two through BTF.
 */
#pragma once
#include <linux/types.h>

#define RING_BYTES (8 << 20)
#define MAX_CPUS 256
#define MAX_SYSCALLS 512

/* Limits of texts, in bytes. A longer text is cut and EVENT_FLAG_TRUNCATED set. */
#define MAX_ARGS 4096
#define MAX_ENV 8192
#define MAX_NAME 4096
#define MAX_COMPONENT 256
#define MAX_COMPONENTS 48

/* What the fixed part of a record is. Numbers are never reused. */
enum shape {
	SHAPE_CALL = 1,     /* struct call_event: a system call at its exit */
	SHAPE_EXEC = 2,     /* struct process_event: a successful exec */
	SHAPE_SNAPSHOT = 3, /* struct process_event: a process older than the sensor */
	SHAPE_FORK = 4,     /* struct fork_event: a new process (threads are not reported) */
	SHAPE_EXIT = 5,     /* struct exit_event: the last thread of a process ended */
	SHAPE_READY = 6,    /* struct event alone: the snapshot is complete */
};

/* Bits of event.flags; the first four are EventFlag in rules/events/event.ts. */
enum event_flag {
	EVENT_FLAG_IO_URING = 1,
	EVENT_FLAG_COMPAT = 2,
	EVENT_FLAG_TRUNCATED = 4,
	EVENT_FLAG_SNAPSHOT = 8,
	EVENT_FLAG_NO_RESULT = 16, /* submitted, completion not seen */
};

/* What a record is worth: when the ring runs full, the first two are given up first. */
enum loss_class { LOSS_OTHER, LOSS_FILE, LOSS_NETWORK, LOSS_PROCESS, LOSS_CLASSES };

/* Every record starts with this. Times are CLOCK_BOOTTIME nanoseconds. */
struct event {
	__u16 size; /* of the whole record */
	__u8 shape;
	__u8 flags;
	__u16 syscall; /* as in call-numbers.h, whatever the architecture and the width of the caller */
	__u16 cpu;
	__u64 seq;
	__u64 time;
	__u64 start; /* of the process: with pid unique within a boot */
	__u32 pid;   /* thread group */
	__u32 tid;
	__u32 euid;
	__u32 egid;
	__u64 cap_effective;
	__u64 cap_permitted;
	__s64 result;
};

struct call_event {
	struct event event;
	__u64 args[6]; /* registers as the caller left them */
};

struct process_event {
	struct event event;
	__u64 parent_start;
	__u64 cap_inheritable;
	__u64 cap_bounding;
	__u64 exe_inode;
	__u64 exe_ctime; /* nanoseconds since the epoch */
	__u64 exe_mtime;
	__u64 pid_namespace_start;
	__u32 ppid;
	__u32 vpid;
	__u32 vtid;
	__u32 sid;
	__u32 pgid;
	__u32 vpgid;
	__u32 uid;
	__u32 gid;
	__u32 login_uid;
	__u32 tty; /* device number, 0 when there is none */
	__u32 seccomp; /* 0 off, 1 strict, 2 filter */
	__u32 exe_dev;
	__u32 exe_mode;
	__u32 exe_uid;
	__u32 exe_gid;
	__u32 exe_flags; /* enum file_flag */
	__u32 mnt_namespace;
	__u32 pid_namespace;
	__u32 net_namespace;
	__u32 user_namespace;
};

struct fork_event {
	struct event event; /* pid and start are the child's, tid is the parent's thread */
	__u32 ppid;
	__u32 vpid;
	__u32 sid;
	__u32 pgid;
	__u32 vpgid;
	__u32 pid_namespace;
};

struct exit_event {
	struct event event;
	__u32 status; /* as wait(2) gives it */
	__u32 reaper; /* who gets the children */
};

/*
 * After the fixed part come items: this head, then `length` bytes, then padding of any
 * content up to 4-byte alignment. Text of unknown encoding, without a terminating zero.
 */
struct item {
	__u16 kind;
	__u16 length;
};

enum item_kind {
	ITEM_PATH = 1,     /* components of the event's file, leaf first, each ended by a zero */
	ITEM_BASE = 2,     /* the same for the directory that a relative name starts from */
	ITEM_BASE2 = 3,    /* for the second name of a call */
	ITEM_FILE = 4,     /* struct file_item */
	ITEM_SOCKET = 5,   /* struct socket_item */
	ITEM_ADDRESS = 6,  /* sockaddr as the caller gave or got it */
	ITEM_UNIX = 7,     /* path of a unix socket, from the kernel's own copy */
	ITEM_COMM = 8,
	ITEM_ARGS = 9,     /* argv, zero-separated */
	ITEM_ENV = 10,
	ITEM_CWD = 11,     /* components, leaf first */
	ITEM_SCRIPT = 12,  /* file name given to exec when an interpreter runs it */
	ITEM_CGROUP = 13,  /* components, leaf first; one item a hierarchy */
	ITEM_OPEN_HOW = 14,/* struct open_how_item */
	/* What descriptors 0, 1 and 2 lead to: struct file_item, struct socket_item, or one byte: as that one. */
	ITEM_STREAM = 16,
	ITEM_STREAM_NAME = 20, /* components leaf first, or the path of a unix socket */
	ITEM_ARG0 = 32,    /* text of argument n is ITEM_ARG0 + n */
};

enum file_flag {
	FILE_FLAG_UPPER = 2, /* overlay: in the upper layer; values of ExeFlag in rules/events */
	FILE_FLAG_MEMFD = 4,
	FILE_FLAG_LOWER = 8, /* overlay: only in a lower layer */
	FILE_FLAG_TREELESS = 16, /* in no directory tree: the path is a name alone */
};

struct file_item {
	__u64 inode;
	__u32 dev;
	__u32 mode; /* type and permission bits of the inode */
	__u32 open_flags;
	__u32 flags; /* enum file_flag */
};

struct socket_item {
	__u16 family;
	__u16 type;
	__u16 protocol;
	__u8 state; /* TCP_* of the kernel; TCP_ESTABLISHED marks a connected datagram socket too */
	__u8 pad;
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16]; /* IPv4 in the first four bytes */
	__u8 remote[16];
	__u32 pad2;
	__u64 inode;
};

struct open_how_item {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

enum filter_scope {
	SCOPE_ANY,  /* every process; those in containers for certain, as nobody is surely in one */
	SCOPE_HOST, /* a process that is certainly in no container */
	SCOPES,
};

/*
 * What the loaded rules want, in two copies: the sensor fills the one that is not in use and then
 * turns to it with one store to control.active. Bits of `opens`: failed * 4 + access mode.
 */
struct filter {
	__u64 wanted[SCOPES][MAX_SYSCALLS / 64]; /* bitmap of the numbers in call-numbers.h */
	__u32 opens[SCOPES];        /* opens shipped whatever their path */
	__u32 listed_opens[SCOPES]; /* opens shipped when their path is in the lists */
	__u32 dotted_opens[SCOPES]; /* opens shipped when the caller wrote the path with two dots */
	__u32 opens_differ;         /* the three above are not the same in both scopes */
	__u32 environment;          /* ship the environment at exec */
};

#define MAX_PREFIX 64 /* bytes of a path that the list of prefixes compares */
#define MAX_SUFFIX 32 /* the same from its end, within the last component and the slash before it */
#define MAX_LISTED 1024 /* entries of a list */

/* Kept by the sensor; the agent may only read it. */
struct control {
	__u32 active;          /* which filter is in use: 0 or 1 */
	__u32 enabled;         /* system calls are reported; process life always is */
	__u32 uring_completes; /* io_uring results are seen: wait for them */
	__u32 tampered;        /* how often the kernel side had to be put right again */
	__u32 ignored[2];      /* thread groups never reported: sensor and agent */
	__u64 quiet;           /* wake at once after this much silence, nanoseconds */
	__u64 wake_bytes;      /* wake whenever this much more lies in the ring; a power of two */
	__u64 epoch;           /* CLOCK_REALTIME - CLOCK_BOOTTIME, kept up to date by the sensor */
};

/* Written by the kernel side, one cache line apart from what it reads. */
struct progress {
	__u64 next_seq;
	__u64 last_time;
	__u64 lost[LOSS_CLASSES];
	__u64 compat_unmapped; /* 32-bit calls without a native counterpart, wanted or not */
	__u64 last_wake;
};

/* One a CPU. */
struct cpu_counters {
	__u64 seen;            /* wanted system calls */
	__u64 rejected;        /* of these, dropped by the in-kernel filters: the sum of all reasons */
	__u64 rejected_scope;  /* wanted in containers only, or on hosts only */
	__u64 rejected_class;  /* opens of a kind that no rule wants */
	__u64 rejected_path;   /* opens of paths that no rule wants */
	__u64 pad[3];
};

_Static_assert(sizeof(struct event) == 72, "update collector/agent/layout.ts");
_Static_assert(sizeof(struct call_event) == 120, "update collector/agent/layout.ts");
_Static_assert(sizeof(struct process_event) == 208, "update collector/agent/layout.ts");
_Static_assert(sizeof(struct file_item) == 24, "update collector/agent/layout.ts");
_Static_assert(sizeof(struct socket_item) == 56, "update collector/agent/layout.ts");
