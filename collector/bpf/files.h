/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the kernel itself knows of a file or socket, so that no user pointer can lie about it. */
#pragma once
#include "record.h"

static __always_inline struct file *file_of(struct task_struct *task, s64 fd)
{
	struct fdtable *table = task->files->fdt;

	if (fd < 0 || fd >= table->max_fds)
		return 0;
	struct hlist_head *slot = TYPED(struct hlist_head, table->fd + fd);
	u64 file = (u64)READ(slot, first);
	return file ? TYPED(struct file, file) : 0;
}

/* One walk from a leaf to the root of its task, a component a step; kernel addresses as numbers. */
struct walk {
	struct scratch *scratch;
	u64 dentry, top, root_dentry;
	u64 vfs, root_vfs;
	u64 mount;
	u32 at, used;
};

/*
 * A step either crosses from the root of a mount to its mount point or adds one name. `used` is at
 * most MAX_ENV - MAX_COMPONENT before a name of at most MAX_COMPONENT is added, so the write ends
 * inside the item (see SCRATCH_MASK).
 */
static long walk_step(u32 step, struct walk *w)
{
	struct dentry *d = TYPED(struct dentry, w->dentry);
	u32 used = w->used;

	if ((w->dentry == w->root_dentry && w->vfs == w->root_vfs) || used > MAX_ENV - MAX_COMPONENT)
		return 1;
	if (w->dentry == w->top) {
		struct mount *mount = TYPED(struct mount, w->mount);
		u64 above = (u64)READ(mount, mnt_parent);
		if (above && above != w->mount) {
			w->dentry = (u64)READ(mount, mnt_mountpoint);
			w->mount = above;
			mount = TYPED(struct mount, above);
			w->top = (u64)READ(mount, mnt.mnt_root);
			w->vfs = above + bpf_core_field_offset(struct mount, mnt);
			return 0;
		}
	}
	u64 parent = (u64)READ(d, d_parent);
	bool is_top = parent == w->dentry;
	if (is_top && used)
		return 1;
	/* the kernel knows the length: copying words beats looking for the end */
	u32 length = READ(d, d_name.len);
	if (length >= MAX_COMPONENT)
		length = MAX_COMPONENT - 1;
	u8 *to = &w->scratch->data[(w->at & SCRATCH_MASK) + sizeof(struct item) + (used & (MAX_ENV - 1))];
	if (bpf_probe_read_kernel(to, length, READ(d, d_name.name)))
		return 1;
	to[length] = 0;
	w->scratch->starts[w->scratch->names++ & (MAX_STARTS - 1)] = used;
	w->used = used + length + 1;
	w->dentry = parent;
	return is_top;
}

/*
 * Adds the components of a place in the file system, leaf first, up to the task's own root: the path
 * as the task sees it. A file in no tree (memfd, anonymous inode) gives its name alone.
 */
static __noinline u32 put_path(u64 dentry, u64 vfs, struct task_struct *task, u32 at, u32 kind)
{
	struct walk w = { .scratch = scratch_for(kind), .at = at, .dentry = dentry, .vfs = vfs };
	struct fs_struct *fs = READ(task, fs);
	struct vfsmount *mount = TYPED(struct vfsmount, vfs);

	if (!w.scratch || !dentry || !vfs)
		return at;
	if (fs) {
		w.root_dentry = (u64)READ(fs, root.dentry);
		w.root_vfs = (u64)READ(fs, root.mnt);
	}
	w.scratch->names = 0;
	w.top = (u64)READ(mount, mnt_root);
	w.mount = vfs - bpf_core_field_offset(struct mount, mnt);
	bpf_loop(MAX_COMPONENTS, walk_step, &w, 0);
	put_item(w.scratch, at, kind, w.used);
	return after_item(at, w.used);
}

static __always_inline u32 put_file_path(struct file *file, struct task_struct *task, u32 at, u32 kind)
{
	return put_path((u64)READ(file, f_path.dentry), (u64)READ(file, f_path.mnt), task, at, kind);
}

static __always_inline u32 put_cwd(struct task_struct *task, u32 at, u32 kind)
{
	struct fs_struct *fs = READ(task, fs);

	if (!fs)
		return at;
	return put_path((u64)READ(fs, pwd.dentry), (u64)READ(fs, pwd.mnt), task, at, kind);
}

static __always_inline u32 overlay_layer(struct inode *inode)
{
	struct super_block *sb = READ(inode, i_sb);
	struct dentry *upper = 0;

	if (READ(sb, s_magic) != OVERLAYFS_MAGIC)
		return 0;
	/* struct ovl_inode is in no header; __upperdentry follows the embedded struct inode */
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper ? FILE_FLAG_UPPER : FILE_FLAG_LOWER;
}

static __always_inline u32 file_flags(struct file *file, struct inode *inode)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	char name[8] = {};

	if (READ(dentry, d_parent) != dentry)
		return overlay_layer(inode);
	bpf_probe_read_kernel_str(name, 7, READ(dentry, d_name.name));
	if (name[0] == '/')
		return overlay_layer(inode);
	bool memfd = name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
		     name[4] == 'd' && name[5] == ':';
	return FILE_FLAG_TREELESS | (memfd && !READ(inode, i_nlink) ? FILE_FLAG_MEMFD : 0);
}

static __always_inline u32 put_unix(struct scratch *s, u32 at, u64 sk, u32 kind)
{
	struct unix_sock *own = TYPED(struct unix_sock, sk);
	struct unix_address *address = READ(own, addr);

	if (!address) {
		struct sock *peer = READ(own, peer);
		if (peer) {
			struct unix_sock *other = TYPED(struct unix_sock, peer);
			address = READ(other, addr);
		}
	}
	if (!address)
		return at;
	/* sun_family, then the path; an abstract name starts with a zero and shows as @name */
	char *path = (char *)address + bpf_core_field_offset(struct unix_address, name) + 2;
	char first = 0;
	bpf_probe_read_kernel(&first, 1, path);
	return put_kernel_text(s, at, kind, first ? path : path + 1, 108);
}

static __always_inline u32 put_socket(struct scratch *s, u32 at, struct file *file,
				      struct inode *inode, u32 kind, u32 name_kind)
{
	struct socket *socket = TYPED(struct socket, READ(file, private_data));
	u64 sk_address = (u64)READ(socket, sk);
	struct sock *sk = TYPED(struct sock, sk_address);

	at &= SCRATCH_MASK;
	struct socket_item *item = (void *)&s->data[at + sizeof(struct item)];
	__builtin_memset(item, 0, sizeof(*item));
	item->family = READ(sk, __sk_common.skc_family);
	item->type = READ(sk, sk_type);
	item->protocol = READ(sk, sk_protocol);
	item->state = READ(sk, __sk_common.skc_state);
	item->inode = READ(inode, i_ino);
	put_item(s, at, kind, sizeof(*item));
	u32 next = after_item(at, sizeof(*item));
	if (item->family == AF_UNIX)
		return put_unix(s, next, sk_address, name_kind);
	item->local_port = READ(sk, __sk_common.skc_num);
	item->remote_port = __builtin_bswap16(READ(sk, __sk_common.skc_dport));
	if (item->family == AF_INET) {
		bpf_core_read(item->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(item->remote, 4, &sk->__sk_common.skc_daddr);
	} else if (item->family == AF_INET6) {
		bpf_core_read(item->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(item->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
	return next;
}

static __always_inline void fill_file(struct file_item *item, struct file *file, struct inode *inode)
{
	struct super_block *sb = READ(inode, i_sb);

	item->inode = READ(inode, i_ino);
	item->dev = READ(sb, s_dev);
	item->mode = READ(inode, i_mode);
	item->open_flags = READ(file, f_flags);
	item->flags = file_flags(file, inode);
}

/* Describes an open file: a socket by its endpoints, anything else by inode and path. */
static __always_inline u32 put_file(struct scratch *s, u32 at, struct task_struct *task,
				    struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	u32 mode = READ(inode, i_mode);

	if ((mode & S_IFMT) == S_IFSOCK)
		return put_socket(s, at, file, inode, ITEM_SOCKET, ITEM_UNIX);
	at &= SCRATCH_MASK;
	fill_file((void *)&s->data[at + sizeof(struct item)], file, inode);
	put_item(s, at, ITEM_FILE, sizeof(struct file_item));
	return put_file_path(file, task, after_item(at, sizeof(struct file_item)), ITEM_PATH);
}

/* Where a relative name starts: the directory of `dirfd`, or the working directory. */
static __always_inline u32 put_base(struct task_struct *task, u32 at, s32 dirfd, u32 kind)
{
	if (dirfd == AT_FDCWD)
		return put_cwd(task, at, kind);
	struct file *file = file_of(task, dirfd);
	if (!file)
		return at;
	return put_file_path(file, task, at, kind);
}
