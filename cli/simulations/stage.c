/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that set the stage: name, user, terminal, container, network. */
#define _GNU_SOURCE
#include "actor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **rest(char **args, int count)
{
	return args[count] ? args + count + 1 : args + count;
}

/* Waits for a child and ends with its exit code. */
static void end_with(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

/* Becomes this program anew, under `name`, with the steps that are left. */
static void start_again(const char *path, const char *name, char **steps)
{
	char *argv[256] = { (char *)name };
	int n = 1;

	for (; *steps && n < 255; steps++)
		argv[n++] = *steps;
	execv(path, argv);
	die("start again");
}

/* A process is called by the last part of the path it was started with. */
STEP(named)
{
	char directory[] = "/tmp/lanner-actor-XXXXXX", path[256];

	if (!mkdtemp(directory))
		die("named");
	snprintf(path, sizeof(path), "%s/%s", directory, args[0]);
	if (symlink(self, path) || chmod(directory, 0755))
		die("named");
	pid_t child = fork();
	if (!child)
		start_again(path, path, rest(args, count));
	int status;
	waitpid(child, &status, 0);
	unlink(path);
	rmdir(directory);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

STEP(user)
{
	uid_t uid = atoi(args[0]);

	(void)count;
	if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
		die("user");
}

STEP(capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	int capability = atoi(args[0]);

	(void)count;
	if (!getuid()) {
		/* keep it over the change of user that must come with it */
		prctl(PR_SET_KEEPCAPS, 1);
		if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
			die("capability");
	}
	if (syscall(SYS_capget, &head, data))
		die("capability");
	unsigned bit = 1u << (capability & 31);
	data[capability / 32].inheritable |= bit;
	data[capability / 32].effective |= bit;
	if (syscall(SYS_capset, &head, data) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
		die("capability");
}

STEP(child)
{
	pid_t child = fork();

	if (child)
		end_with(child);
	run_steps(rest(args, count));
	exit(0);
}

STEP(wait)
{
	double seconds = atof(args[0]);
	struct timespec pause = { .tv_sec = (time_t)seconds, .tv_nsec = (seconds - (time_t)seconds) * 1e9 };

	(void)count;
	nanosleep(&pause, NULL);
}

STEP(exec)
{
	(void)count;
	execvp(args[0], args);
	die(args[0]);
}

STEP(terminal)
{
	int terminal;
	char buffer[4096];
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);

	if (child < 0)
		die("terminal");
	if (!child) {
		run_steps(rest(args, count));
		exit(0);
	}
	/* whoever writes to a terminal must be read, or it waits */
	while (read(terminal, buffer, sizeof(buffer)) > 0)
		;
	end_with(child);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* The hierarchy for the container's cgroup: version 2, or the pids controller of version 1. */
static const char *cgroup_root(void)
{
	if (!access("/sys/fs/cgroup/cgroup.procs", W_OK))
		return "/sys/fs/cgroup";
	if (!access("/sys/fs/cgroup/pids/cgroup.procs", W_OK))
		return "/sys/fs/cgroup/pids";
	return "/sys/fs/cgroup/unified";
}

static void enter_overlay_root(const char *base)
{
	char upper[256], work[256], root[256], options[1024], target[512];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("tmpfs", base, "tmpfs", 0, NULL))
		die("container root");
	snprintf(upper, sizeof(upper), "%s/upper", base);
	snprintf(work, sizeof(work), "%s/work", base);
	snprintf(root, sizeof(root), "%s/root", base);
	mkdir(upper, 0755);
	mkdir(work, 0755);
	mkdir(root, 0755);
	snprintf(options, sizeof(options), "lowerdir=/,upperdir=%s,workdir=%s", upper, work);
	if (mount("overlay", root, "overlay", 0, options))
		die("overlay");
	snprintf(target, sizeof(target), "%s/proc", root);
	if (mount("proc", target, "proc", 0, NULL))
		die("container /proc");
	snprintf(target, sizeof(target), "%s/dev", root);
	if (mount("/dev", target, NULL, MS_BIND | MS_REC, NULL))
		die("container /dev");
	snprintf(target, sizeof(target), "%s/tmp", root);
	if (mount("tmpfs", target, "tmpfs", 0, NULL))
		die("container /tmp");
	/* where this program lies may be hidden by the new /tmp: keep it reachable */
	snprintf(target, sizeof(target), "%s/usr/local/bin/lanner-actor", root);
	int fd = open(target, O_CREAT | O_WRONLY, 0755);
	if (fd < 0 || (close(fd), mount(self, target, NULL, MS_BIND, NULL)))
		die("container actor");
	self = "/usr/local/bin/lanner-actor";
	if (chdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		die("pivot_root");
}

/* Makes a cgroup and what lies above it; `path` is below the root of the hierarchy. */
static void make_cgroup(char *full, size_t size, const char *path)
{
	snprintf(full, size, "%s/%s", cgroup_root(), path);
	for (char *at = full + strlen(cgroup_root()) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(full, 0755);
		*at = '/';
	}
	mkdir(full, 0755);
}

static void enter_cgroup(const char *cgroup)
{
	char procs[512], number[16];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	snprintf(number, sizeof(number), "%d", getpid());
	write_text(procs, number);
}

/* Removes it and what is empty above it; the last process may take a moment to leave. */
static void remove_cgroup(char *cgroup)
{
	for (int i = 0; i < 100 && rmdir(cgroup) && errno == EBUSY; i++)
		usleep(10000);
	for (char *slash; (slash = strrchr(cgroup, '/')) && slash > cgroup + strlen(cgroup_root());) {
		*slash = 0;
		if (rmdir(cgroup))
			return;
	}
}

/* Children join it before they exec: what a runtime does, without the rest of a container. */
STEP(cgroup)
{
	char cgroup[400];

	make_cgroup(cgroup, sizeof(cgroup), args[0]);
	pid_t child = fork();
	if (!child) {
		enter_cgroup(cgroup);
		start_again(self, "lanner-actor", rest(args, count));
	}
	int status;
	waitpid(child, &status, 0);
	remove_cgroup(cgroup);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

static int in_short_container(void *cgroup)
{
	enter_cgroup(cgroup);
	execl("/bin/true", "true", NULL);
	return 1;
}

STEP(containers)
{
	static char stack[64 << 10];
	char path[100], cgroup[400];

	(void)count;
	for (long i = 0, times = atol(args[0]); i < times; i++) {
		snprintf(path, sizeof(path), "docker/%064lx", i + 1);
		make_cgroup(cgroup, sizeof(cgroup), path);
		int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_VM | CLONE_VFORK | SIGCHLD;
		pid_t child = clone(in_short_container, stack + sizeof(stack), flags, cgroup);
		if (child < 0)
			die("containers");
		waitpid(child, NULL, 0);
		remove_cgroup(cgroup);
	}
}

STEP(container)
{
	char id[65], path[100], cgroup[400], base[] = "/tmp/lanner-actor-XXXXXX";
	unsigned seed = getpid() * 2654435761u ^ (unsigned)time(NULL);

	for (int i = 0; i < 64; i++)
		id[i] = "0123456789abcdef"[rand_r(&seed) & 15];
	id[64] = 0;
	snprintf(path, sizeof(path), "docker/%s", id);
	make_cgroup(cgroup, sizeof(cgroup), path);
	if (!mkdtemp(base))
		die("container");
	pid_t child = fork();
	if (!child) {
		enter_cgroup(cgroup);
		if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC))
			die("unshare");
		pid_t first = fork();
		if (first)
			end_with(first);
		enter_overlay_root(base);
		start_again(self, "lanner-actor", rest(args, count));
	}
	int status;
	waitpid(child, &status, 0);
	rmdir(base);
	remove_cgroup(cgroup);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

STEP(network)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	struct sockaddr_in *address = (void *)&request.ifr_addr;

	(void)count;
	if (unshare(CLONE_NEWNET))
		die("network");
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(request.ifr_name, "lo");
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		die("network up");
	strcpy(request.ifr_name, "lo:1");
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	if (inet_pton(AF_INET, args[0], &address->sin_addr) != 1 || ioctl(fd, SIOCSIFADDR, &request))
		die("network address");
	close(fd);
}
