/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The kernel's structs, cut down to the fields touched here. CO-RE finds each field's real place
 * at load time by name, so only names and the kind of a field have to be right. A field that was
 * renamed has a `___flavour` for each name, with the version that changed it.
 */
#pragma once
#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
	s32 syscallno;
};
struct thread_info {
	unsigned long flags;
};
#else
struct pt_regs {
	unsigned long r10, r9, r8, bp, bx, cx, dx, si, di, orig_ax;
};
struct thread_info {
	u32 status;
};
#endif

struct ns_common {
	unsigned int inum;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
};
struct user_namespace {
	struct ns_common ns;
};
struct pid_namespace {
	struct task_struct *child_reaper;
	struct ns_common ns;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

typedef struct {
	unsigned int val;
} kuid_t;
typedef struct {
	unsigned int val;
} kgid_t;

/* Since 6.3 one 64-bit value, before that two 32-bit words: read as eight bytes either way. */
struct kernel_cap {
	u64 val;
};
struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
	struct kernel_cap cap_inheritable, cap_permitted, cap_effective, cap_bset;
	struct user_namespace *user_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct tty_driver {
	int major;
	int minor_start;
};
struct tty_struct {
	int index;
	struct tty_driver *driver;
};

struct qstr {
	u32 len;
	const unsigned char *name;
};
struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};
struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
};
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};
struct inode___split { /* since 6.11 */
	s64 i_mtime_sec, i_ctime_sec;
	u32 i_mtime_nsec, i_ctime_nsec;
};
struct inode___underscored { /* 6.6 (ctime) and 6.7 (mtime) to 6.10 */
	struct timespec64 __i_mtime, __i_ctime;
};
struct inode___plain {
	struct timespec64 i_mtime, i_ctime;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	void *private_data;
	struct inode *f_inode;
	unsigned int f_flags;
	struct path f_path;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct hlist_head { /* stands for any pointer in memory: see file_of */
	struct hlist_node *first;
};
struct files_struct {
	struct fdtable *fdt;
};
struct fs_struct {
	struct path root, pwd;
};

struct in6_addr {
	u8 bytes[16];
};
struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	u16 sk_type, sk_protocol;
};
struct socket {
	struct sock *sk;
};
struct sockaddr_un {
	unsigned short sun_family;
};
struct unix_address {
	int len;
	struct sockaddr_un name[1];
};
struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct kernfs_node {
	const char *name;
};
struct kernfs_node___new { /* since 6.15 */
	struct kernfs_node *__parent;
};
struct kernfs_node___old {
	struct kernfs_node *parent;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

typedef struct {
	int counter;
} atomic_t;
struct signal_struct {
	atomic_t live;
	unsigned int is_child_subreaper : 1;
	struct pid *pids[4];
	struct tty_struct *tty;
	int group_exit_code;
};
struct seccomp {
	int mode;
};
struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};
struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct mm_struct *mm;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid;
	struct seccomp seccomp;
	struct css_set *cgroups;
};
struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
};

struct open_how {
	u64 flags, mode, resolve;
};
struct filename {
	const char *name;
};
struct io_cqe {
	s32 res;
	int fd; /* of the request, until it completes */
};
struct io_kiocb {
	struct file *file;
	u8 opcode;
	struct io_cqe cqe;
	void *async_data;
};
struct io_open { /* overlays the start of struct io_kiocb */
	int dfd;
	struct filename *filename;
	struct open_how how;
};
struct delayed_filename {
	struct filename *__incomplete_filename;
};
struct io_open___delayed { /* since 7.0 */
	struct delayed_filename filename;
};
struct io_connect {
	int addr_len;
};
struct __kernel_sockaddr_storage {
	unsigned short ss_family;
};
struct io_async_msghdr { /* since 6.10 also the address of a connect */
	struct __kernel_sockaddr_storage addr;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };
enum cgroup_subsys_id { cgroup_subsys_unknown };

#pragma clang attribute pop

#define TS_COMPAT 0x0002 /* x86 */
#define TIF_32BIT (1 << 22) /* arm64 */
#define X32_SYSCALL_BIT 0x40000000
#define PF_KTHREAD 0x00200000
#define OVERLAYFS_MAGIC 0x794c7630
#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AT_FDCWD -100
