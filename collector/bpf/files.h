/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the kernel itself knows of a file or socket, so that no user pointer can lie about it. */
#pragma once
#include "record.h"

static __always_inline struct file *file_of(struct task_struct *task, s64 fd)
{
	struct fdtable *table = task->files->fdt;
	struct file *file = 0;

	if (fd < 0 || fd >= table->max_fds)
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
	return file;
}

/* One walk from a leaf to the root of its task, a component a step. */
struct walk {
	struct scratch *scratch;
	struct dentry *dentry, *top, *root_dentry;
	struct vfsmount *vfs, *root_vfs;
	struct mount *mount;
	u32 at, used;
};

/*
 * A step either crosses from the root of a mount to its mount point or adds one name. `used` is at
 * most MAX_ENV - MAX_COMPONENT before a name of at most MAX_COMPONENT is added, so the write ends
 * inside the item (see SCRATCH_MASK).
 */
static long walk_step(u32 step, struct walk *w)
{
	struct dentry *d = w->dentry;
	u32 used = w->used;

	if ((d == w->root_dentry && w->vfs == w->root_vfs) || used > MAX_ENV - MAX_COMPONENT)
		return 1;
	if (d == w->top) {
		struct mount *mount = w->mount;
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);
		if (above && above != mount) {
			w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			w->mount = above;
			w->top = BPF_CORE_READ(above, mnt.mnt_root);
			w->vfs = (void *)above + bpf_core_field_offset(struct mount, mnt);
			return 0;
		}
	}
	struct dentry *parent = BPF_CORE_READ(d, d_parent);
	if (d == parent && used)
		return 1;
	long n = bpf_probe_read_kernel_str(
		&w->scratch->data[(w->at & SCRATCH_MASK) + sizeof(struct item) + (used & (MAX_ENV - 1))],
		MAX_COMPONENT, BPF_CORE_READ(d, d_name.name));
	if (n <= 0)
		return 1;
	w->used = used + n;
	w->dentry = parent;
	return d == parent;
}

/*
 * Adds the components of a `struct path`, leaf first, up to the task's own root: the path as the
 * task sees it. A file without a place in any tree (memfd, anonymous inode) gives its name alone.
 */
static __noinline u32 put_path(const struct path *path, struct task_struct *task, u32 at, u32 kind)
{
	struct walk w = { .scratch = scratch_for(kind), .at = at };
	struct path p = {}, root = {};
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	if (!w.scratch || bpf_probe_read_kernel(&p, sizeof(p), path))
		return at;
	if (fs)
		bpf_core_read(&root, sizeof(root), &fs->root);
	w.dentry = p.dentry;
	w.vfs = p.mnt;
	struct vfsmount *vfs = p.mnt;
	w.top = BPF_CORE_READ(vfs, mnt_root);
	w.mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
	w.root_dentry = root.dentry;
	w.root_vfs = root.mnt;
	bpf_loop(MAX_COMPONENTS, walk_step, &w, 0);
	put_item(w.scratch, at, kind, w.used);
	return after_item(at, w.used);
}

static __always_inline u32 overlay_layer(struct inode *inode)
{
	struct dentry *upper = 0;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_MAGIC)
		return 0;
	/* struct ovl_inode is in no header; __upperdentry follows the embedded struct inode */
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper ? FILE_FLAG_UPPER : FILE_FLAG_LOWER;
}

static __always_inline u32 file_flags(struct file *file, struct inode *inode)
{
	char name[8] = {};
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

	bpf_probe_read_kernel_str(name, 7, BPF_CORE_READ(dentry, d_name.name));
	bool treeless = BPF_CORE_READ(dentry, d_parent) == dentry && name[0] != '/';
	bool memfd = name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
		     name[4] == 'd' && name[5] == ':';
	return overlay_layer(inode) | (treeless ? FILE_FLAG_TREELESS : 0) |
	       (memfd && !BPF_CORE_READ(inode, i_nlink) ? FILE_FLAG_MEMFD : 0);
}

static __always_inline u32 put_unix(struct scratch *s, u32 at, struct sock *sk)
{
	struct unix_address *address = BPF_CORE_READ((struct unix_sock *)sk, addr);

	if (!address) {
		struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
		if (peer)
			address = BPF_CORE_READ((struct unix_sock *)peer, addr);
	}
	if (!address)
		return at;
	/* sun_family, then the path; an abstract name starts with a zero and shows as @name */
	char *path = (char *)address + bpf_core_field_offset(struct unix_address, name) + 2;
	char first = 0;
	bpf_probe_read_kernel(&first, 1, path);
	return put_kernel_text(s, at, ITEM_UNIX, first ? path : path + 1, 108);
}

static __always_inline u32 put_socket(struct scratch *s, u32 at, struct file *file,
				      struct inode *inode)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);

	at &= SCRATCH_MASK;
	struct socket_item *item = (void *)&s->data[at + sizeof(struct item)];
	__builtin_memset(item, 0, sizeof(*item));
	item->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	item->type = BPF_CORE_READ(sk, sk_type);
	item->protocol = BPF_CORE_READ(sk, sk_protocol);
	item->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	item->inode = BPF_CORE_READ(inode, i_ino);
	put_item(s, at, ITEM_SOCKET, sizeof(*item));
	u32 next = after_item(at, sizeof(*item));
	if (item->family == AF_UNIX)
		return put_unix(s, next, sk);
	item->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	item->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (item->family == AF_INET) {
		bpf_core_read(item->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(item->remote, 4, &sk->__sk_common.skc_daddr);
	} else if (item->family == AF_INET6) {
		bpf_core_read(item->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(item->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
	return next;
}

/* Describes an open file: a socket by its endpoints, anything else by inode and path. */
static __always_inline u32 put_file(struct scratch *s, u32 at, struct task_struct *task,
				    struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 mode = BPF_CORE_READ(inode, i_mode);

	if ((mode & S_IFMT) == S_IFSOCK)
		return put_socket(s, at, file, inode);
	at &= SCRATCH_MASK;
	struct file_item *item = (void *)&s->data[at + sizeof(struct item)];
	item->inode = BPF_CORE_READ(inode, i_ino);
	item->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	item->mode = mode;
	item->open_flags = BPF_CORE_READ(file, f_flags);
	item->flags = file_flags(file, inode);
	put_item(s, at, ITEM_FILE, sizeof(*item));
	return put_path(&file->f_path, task, after_item(at, sizeof(*item)), ITEM_PATH);
}

/* Where a relative name starts: the directory of `dirfd`, or the working directory. */
static __always_inline u32 put_base(struct task_struct *task, u32 at, s32 dirfd, u32 kind)
{
	if (dirfd == AT_FDCWD)
		return put_path(&task->fs->pwd, task, at, kind);
	struct file *file = file_of(task, dirfd);
	if (!file)
		return at;
	return put_path(&file->f_path, task, at, kind);
}
