/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probes: makes one system call of each kind that the sensor describes, on any architecture, with values
 * that probes.yaml knows. Prints what could not be made, so that a call that was not seen is told from one
 * that this kernel does not have.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET "/tmp/probe-target"

static void expect(const char *name, long result)
{
	if (result < 0)
		printf("UNMADE %s: %s\n", name, strerror(errno));
}

/* Runs a program (or ends at once) in a child. */
static int in_child(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		body();
		_exit(3);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

static void run_child(void)
{
	char *const args[] = { "probe-child", "exit", "argument 4711", NULL };
	char *const environment[] = { "PROBE=yes", "OTHER=x", NULL };

	execve("/probes", args, environment);
}

static void run_missing(void)
{
	char *const args[] = { "x", NULL };

	execve("/missing-4711", args, args + 1);
	_exit(0);
}

static void run_memfd(void)
{
	static char buffer[1 << 16];
	char *const args[] = { "probe-memory", "exit", NULL };
	int from = open("/probes", O_RDONLY), fd = memfd_create("probe-memfd", MFD_CLOEXEC);

	for (ssize_t n; (n = read(from, buffer, sizeof(buffer))) > 0;)
		if (write(fd, buffer, n) != n)
			_exit(3);
	fexecve(fd, args, args + 2);
}

static void trace_me(void)
{
	_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 3 : 0);
}

static void become_user(void)
{
	_exit(setuid(4714) ? 3 : 0);
}

static void new_namespace(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY);

	_exit(unshare(CLONE_NEWUTS) || setns(fd, CLONE_NEWUTS) ? 3 : 0);
}

static void make_group(void)
{
	_exit(setsid() < 0 ? 3 : 0);
}

static void files(void)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY, .resolve = RESOLVE_NO_MAGICLINKS };

	close(open(TARGET, O_WRONLY | O_CREAT, 0640));
	expect("open", open(TARGET, O_RDONLY));
	expect("symlink", symlink(TARGET, "/tmp/probe-link"));
	expect("chdir", chdir("/tmp"));
	expect("open by a link", open("probe-link", O_RDONLY));
	expect("open a directory", open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	expect("openat2", syscall(SYS_openat2, AT_FDCWD, "/tmp/.", &how, sizeof(how)));
	open("/nowhere-4711", O_RDONLY);
	expect("rename", rename(TARGET, "/tmp/probe-renamed"));
	expect("link", link("/tmp/probe-renamed", "/tmp/probe-hard"));
	expect("chmod", chmod("/tmp/probe-renamed", 04755));
	expect("chown", chown("/tmp/probe-renamed", 4712, 4713));
	expect("unlink", unlink("/tmp/probe-renamed"));
	expect("mkdir", mkdir("/tmp/probe-directory", 0750));
	expect("mount", mount("probe-device", "/tmp/probe-directory", "tmpfs", MS_NOEXEC, ""));
	expect("umount", umount2("/tmp/probe-directory", MNT_DETACH));
	expect("rmdir", rmdir("/tmp/probe-directory"));
	/* fails: the file is no module */
	syscall(SYS_finit_module, open("/probes", O_RDONLY), "probe=1", 0);
}

static void network(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(4711), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in datagram = v4;
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(4712), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/tmp/probe-socket" };
	int on = 1, server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	expect("bind", bind(server, (void *)&v4, sizeof(v4)));
	expect("listen", listen(server, 7));
	expect("connect", connect(client, (void *)&v4, sizeof(v4)));
	int accepted = accept(server, NULL, NULL);
	expect("accept", accepted);
	expect("dup", dup2(accepted, 77));
	int server6 = socket(AF_INET6, SOCK_STREAM, 0), client6 = socket(AF_INET6, SOCK_STREAM, 0);
	expect("bind6", bind(server6, (void *)&v6, sizeof(v6)));
	expect("listen6", listen(server6, 1));
	expect("connect6", connect(client6, (void *)&v6, sizeof(v6)));
	int server_un = socket(AF_UNIX, SOCK_STREAM, 0), client_un = socket(AF_UNIX, SOCK_STREAM, 0);
	expect("bind to a path", bind(server_un, (void *)&un, sizeof(un)));
	expect("listen at a path", listen(server_un, 1));
	expect("connect to a path", connect(client_un, (void *)&un, sizeof(un)));
	datagram.sin_port = htons(4713);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	expect("datagram", sendto(udp, "x", 1, 0, (void *)&datagram, sizeof(datagram)));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	if (argc > 2 && !strcmp(argv[1], "older")) { /* runs before the sensor: waits for a file, then opens it */
		prctl(PR_SET_NAME, "probe-older");
		while (access(argv[2], F_OK))
			usleep(50000);
		return open(argv[2], O_RDONLY) < 0;
	}
	expect("exec", in_child(run_child));
	expect("failed exec", in_child(run_missing));
	expect("memfd", in_child(run_memfd));
	expect("ptrace", in_child(trace_me));
	expect("setuid", in_child(become_user));
	expect("setns", in_child(new_namespace));
	expect("setsid", in_child(make_group));
	files();
	network();
	printf("MADE\n");
	return 0;
}
