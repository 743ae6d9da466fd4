/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that do one thing a rule may look for. */
#define _GNU_SOURCE
#include "actor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

STEP(open)
{
	bool read_only = count < 2 || args[1][0] == 'r';
	bool exists = !access(args[0], F_OK);
	int flags = read_only ? O_RDONLY : O_WRONLY | O_CREAT | (args[1][0] == 't' ? O_TRUNC : 0);
	int fd = open(args[0], flags, 0600);

	if (fd >= 0)
		close(fd);
	if (!read_only && !exists)
		unlink(args[0]);
}

struct uring {
	int fd;
	char *submissions, *completions;
	struct io_uring_params params;
	struct io_uring_sqe *entries;
};

static struct uring uring_open(void)
{
	struct uring u = {};
	int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;

	u.fd = syscall(SYS_io_uring_setup, 4, &u.params);
	if (u.fd < 0)
		die("io_uring_setup");
	u.submissions = mmap(NULL, u.params.sq_off.array + u.params.sq_entries * 4, protection, flags,
			     u.fd, IORING_OFF_SQ_RING);
	u.completions = mmap(NULL, u.params.cq_off.cqes + u.params.cq_entries * sizeof(struct io_uring_cqe),
			     protection, flags, u.fd, IORING_OFF_CQ_RING);
	u.entries = mmap(NULL, u.params.sq_entries * sizeof(*u.entries), protection, flags, u.fd,
			 IORING_OFF_SQES);
	return u;
}

/* Submits the first entry and gives its result. */
static int uring_submit(struct uring *u)
{
	((unsigned *)(u->submissions + u->params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(u->submissions + u->params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		die("io_uring_enter");
	return ((struct io_uring_cqe *)(u->completions + u->params.cq_off.cqes))->res;
}

STEP(open_uring)
{
	struct uring u = uring_open();

	(void)count;
	u.entries[0] = (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD,
					      .addr = (unsigned long)args[0], .open_flags = O_RDONLY };
	if (uring_submit(&u) < 0)
		die("open through io_uring");
}

static struct sockaddr_in address_of(char **args)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(args[1])) };

	if (inet_pton(AF_INET, args[0], &a.sin_addr) != 1)
		die(args[0]);
	return a;
}

static int listener(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	socklen_t size = sizeof(*address);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)address, size) || listen(fd, 4) || getsockname(fd, (void *)address, &size))
		die("listen");
	return fd;
}

STEP(connect_uring)
{
	struct uring u = uring_open();
	struct sockaddr_in address = address_of(args);
	int server = listener(&address), fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)count;
	u.entries[0] = (struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = fd,
					      .addr = (unsigned long)&address, .off = sizeof(address) };
	int result = uring_submit(&u);
	close(server);
	if (result < 0)
		die("connect through io_uring");
}

STEP(open_int80)
{
	(void)count;
#ifdef __x86_64__
	/* 32-bit calls take 32-bit pointers */
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int result;
	strncpy(low, args[0], 4095);
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(5), "b"((int)(long)low), "c"(O_RDONLY), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	if (result < 0) {
		errno = -result;
		die("int 0x80 open");
	}
#else
	errno = ENOSYS;
	die(args[0]);
#endif
}

STEP(connect)
{
	struct sockaddr_in address = address_of(args);
	int server = listener(&address), fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)count;
	if (connect(fd, (void *)&address, sizeof(address)))
		die("connect");
	close(accept(server, NULL, NULL));
	close(fd);
	close(server);
}

/* Sends one byte, by the call of this name. */
static bool send_by(const char *call, int to)
{
	if (!strcmp(call, "sendfile")) {
		int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		bool sent = sendfile(to, file, NULL, 1) == 1;
		close(file);
		return sent;
	}
	if (!strcmp(call, "splice")) {
		int ends[2];
		if (pipe(ends) || write(ends[1], ".", 1) != 1)
			die("pipe");
		bool sent = splice(ends[0], NULL, to, NULL, 1, 0) == 1;
		close(ends[0]);
		close(ends[1]);
		return sent;
	}
	return write(to, ".", 1) == 1;
}

STEP(hold)
{
	struct sockaddr_in address = address_of(args);
	int server = listener(&address), fd = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char unread[256];

	const char *call = count > 2 ? args[2] : "write";
	bool silent = !strcmp(call, "nothing");
	/* from another address than the listener's, so that it is no talk with itself */
	struct sockaddr_in other = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (silent && bind(fd, (void *)&other, sizeof(other)))
		die("bind");
	/* nobody takes the connection or reads: what is sent waits with the listener */
	if (connect(fd, (void *)&address, sizeof(address)))
		die("connect");
	for (;;) {
		if (poll(&input, 1, 200) > 0 && read(STDIN_FILENO, unread, sizeof(unread)) <= 0)
			break;
		if (!silent && !send_by(call, fd))
			die("hold");
	}
	close(fd);
	close(server);
}

STEP(datagram)
{
	struct sockaddr_in address = address_of(args);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)count;
	if (sendto(fd, "hello", 5, 0, (void *)&address, sizeof(address)) < 0)
		die("sendto");
	close(fd);
}

STEP(packet_socket)
{
	(void)args, (void)count;
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (fd >= 0)
		close(fd);
}

STEP(redirect)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = listener(&address), fd = socket(AF_INET, SOCK_STREAM, 0);
	int target = atoi(args[0]);

	(void)count;
	if (connect(fd, (void *)&address, sizeof(address)) || dup2(fd, target) < 0)
		die("redirect");
	close(fd);
	close(server);
}

static void copy_program(const char *from, int to)
{
	char buffer[65536];
	int fd = open(from, O_RDONLY);

	if (fd < 0)
		die(from);
	for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;)
		if (write(to, buffer, n) != n)
			die("copy");
	close(fd);
}

static void run_and_wait(const char *path, int fd, char **argv)
{
	extern char **environ;
	pid_t child = fork();

	if (!child) {
		if (path)
			execv(path, argv);
		else
			fexecve(fd, argv, environ);
		die("run");
	}
	waitpid(child, NULL, 0);
}

STEP(memfd)
{
	int fd = memfd_create("lanner-actor", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd_create");
	copy_program(args[0], fd);
	run_and_wait(NULL, fd, (char *[]){ args[0], count > 1 ? args[1] : NULL, NULL });
	close(fd);
}

STEP(drop)
{
	int fd = open(args[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	(void)count;
	if (fd < 0)
		die(args[0]);
	copy_program("/bin/true", fd);
	close(fd);
	run_and_wait(args[0], -1, (char *[]){ args[0], NULL });
	unlink(args[0]);
}

STEP(ptrace)
{
	pid_t child;

	(void)count;
	if (!strcmp(args[0], "traceme")) {
		child = fork();
		if (!child) {
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		return;
	}
	child = fork();
	if (!child)
		for (;;)
			pause();
	if (ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0) {
		waitpid(child, NULL, 0);
		ptrace(PTRACE_DETACH, child, NULL, NULL);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

STEP(module)
{
	(void)args, (void)count;
	static char nothing[64];
	syscall(SYS_init_module, nothing, sizeof(nothing), "");
}

STEP(chmod)
{
	int fd = open(args[0], O_WRONLY | O_CREAT | O_EXCL, 0600);

	(void)count;
	if (fd < 0)
		die(args[0]);
	close(fd);
	if (chmod(args[0], strtol(args[1], NULL, 8)))
		die("chmod");
	unlink(args[0]);
}

STEP(link)
{
	char path[] = "/tmp/lanner-actor-XXXXXX/link";
	char *slash = strrchr(path, '/');

	(void)count;
	*slash = 0;
	if (!mkdtemp(path))
		die("link");
	*slash = '/';
	/* another file system refuses a hard link; the attempt is what counts */
	int failed = args[0][0] == 's' ? symlink(args[1], path) : link(args[1], path);
	if (!failed)
		unlink(path);
	*slash = 0;
	rmdir(path);
}

STEP(call)
{
	long numbers[7] = {};

	for (int i = 0; i < count && i < 7; i++) {
		char *end;
		long number = strtol(args[i], &end, 0);
		numbers[i] = *args[i] && !*end ? number : (long)args[i];
	}
	syscall(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]);
}
