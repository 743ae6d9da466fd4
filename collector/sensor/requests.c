/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs privilege on the agent's behalf: two named files of a container's root, a count of its
 * devices, a new snapshot, a new filter. A file is read by a child with a second to live, because a container may
 * answer with a file system that hangs.
 */
#define _GNU_SOURCE
#include "sensor.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Opens `path` below the root of process `pid`; no link on the way leads out of it. */
static int open_in_root(pid_t pid, const char *path, int flags)
{
	char root_path[64];
	struct open_how how = { .flags = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	snprintf(root_path, sizeof(root_path), "/proc/%d/root", pid);
	int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	int result = fd < 0 ? -errno : fd;
	close(root);
	return result;
}

static int read_file(pid_t pid, const char *path, char *to, size_t max)
{
	struct stat info;
	int fd = open_in_root(pid, path, O_RDONLY);
	size_t used = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &info) || !S_ISREG(info.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	for (ssize_t n; used < max && (n = read(fd, to + used, max - used)) > 0;)
		used += n;
	close(fd);
	return used;
}

/* Device nodes of the host that a container should not see: disks, memory, the kernel log. */
static int count_devices(pid_t pid)
{
	int fd = open_in_root(pid, "dev", O_RDONLY | O_DIRECTORY);
	int count = 0;

	if (fd < 0)
		return fd;
	DIR *directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -errno;
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat info;
		if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW))
			continue;
		bool kernel_memory = S_ISCHR(info.st_mode) &&
				     (!strcmp(entry->d_name, "mem") || !strcmp(entry->d_name, "kmsg"));
		count += S_ISBLK(info.st_mode) || kernel_memory;
	}
	closedir(directory);
	return count;
}

static void send_reply(int socket, int status, __u32 size)
{
	struct reply reply = { .status = status, .size = size };

	send(socket, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* In the child: answers, or dies of the alarm and leaves the answer to the parent. */
static void read_for_agent(int socket, const struct request *r)
{
	static char buffer[sizeof(struct reply) + MAX_REPLY];
	struct reply *reply = (void *)buffer;
	char *data = buffer + sizeof(*reply);

	alarm(1);
	int n = r->kind == REQUEST_PASSWD ? read_file(r->pid, "etc/passwd", data, MAX_REPLY) :
		r->kind == REQUEST_GROUP  ? read_file(r->pid, "etc/group", data, MAX_REPLY) :
					    count_devices(r->pid);
	reply->status = n < 0 ? n : 0;
	reply->size = n < 0 ? 0 : n;
	size_t length = sizeof(*reply) + (r->kind == REQUEST_DEVICES ? 0 : reply->size);
	_exit(send(socket, buffer, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : 1);
}

void answer_request(const struct agent *a, struct kernel_side *k)
{
	static char message[MAX_REQUEST] __attribute__((aligned(8)));
	ssize_t length = recv(a->requests, message, sizeof(message), MSG_DONTWAIT);
	struct request r;

	if (length < (ssize_t)sizeof(r))
		return;
	memcpy(&r, message, sizeof(r));
	switch (r.kind) {
	case REQUEST_FILTER:
		send_reply(a->requests, filter_apply(k, message, length), 0);
		return;
	case REQUEST_SNAPSHOT: {
		bool ok = kernel_side_snapshot(k);
		k->control_page->enabled = 1;
		k->watching = true;
		send_reply(a->requests, ok ? 0 : -EIO, 0);
		return;
	}
	case REQUEST_PASSWD:
	case REQUEST_GROUP:
	case REQUEST_DEVICES: {
		pid_t child = fork();
		if (!child)
			read_for_agent(a->requests, &r);
		if (child < 0)
			send_reply(a->requests, -EAGAIN, 0);
		return; /* main.c answers for a reader that died: see reader_ended */
	}
	default:
		send_reply(a->requests, -EINVAL, 0);
	}
}
