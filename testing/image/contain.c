/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contain ROOT DIRECTORY PROGRAM [ARGUMENT...]: runs PROGRAM as a container of the DaemonSet would: ROOT as its
 * root, read-only, in a mount namespace of its own but among the node's processes; the seven capabilities of
 * README and no new ones; DIRECTORY writable at its own path, which stands for the pod's volumes. Of what
 * stands after "agent --config PATH", only PATH goes on to the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(const char *what, int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "contain: %s: %s\n", what, strerror(errno));
	exit(4);
}

static void mount_in(const char *root, const char *type, const char *source, const char *path, unsigned long flags)
{
	char at[512];

	snprintf(at, sizeof(at), "%s%s", root, path);
	must(path, mount(source, at, type, flags, NULL));
}

int main(int argc, char **argv)
{
	static const int kept[] = { 39 /* BPF */, 38 /* PERFMON */, CAP_SETUID, CAP_SETGID, CAP_KILL,
				    CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH };
	const char *root = argv[1], *directory = argc > 2 ? argv[2] : "";
	unsigned long long mask = 0;

	if (argc < 4)
		return 2;
	must("unshare", unshare(CLONE_NEWNS));
	must("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mount_in(root, NULL, root, "", MS_BIND);
	mount_in(root, "proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	mount_in(root, NULL, "/sys", "/sys", MS_BIND | MS_REC);
	mount_in(root, "tmpfs", "dev", "/dev", MS_NOSUID);
	if (directory[0] == '/')
		mount_in(root, NULL, directory, directory, MS_BIND);
	must("read-only", mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	must("chroot", chroot(root));
	must("chdir", chdir("/"));
	must("no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		mask |= 1ull << kept[i];
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(mask >> cap & 1))
			must("drop a capability", prctl(PR_CAPBSET_DROP, cap));
	for (char **arg = argv + 3; *arg; arg++)
		if (!strcmp(arg[0], "agent") && arg[1] && !strcmp(arg[1], "--config")) {
			arg[0] = arg[2];
			arg[1] = NULL;
			break;
		}
	execv(argv[3], argv + 3);
	must(argv[3], -1);
}
