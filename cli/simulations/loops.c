/* SPDX-License-Identifier: Apache-2.0 */
/* Tight loops and paced opens, for measuring. */
#define _GNU_SOURCE
#include "actor.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void spawn_true(void)
{
	extern char **environ;
	pid_t child;

	if (posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){ "true", NULL }, environ))
		die("spawn");
	waitpid(child, NULL, 0);
}

STEP(loop)
{
	const char *what = args[0];
	long times = atol(args[1]);
	const char *path = count > 2 ? args[2] : "/dev/null";
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	long long start = now(CLOCK_MONOTONIC);

	for (long i = 0; i < times; i++) {
		if (!strcmp(what, "open")) {
			close(open(path, O_RDONLY));
		} else if (!strcmp(what, "spawn")) {
			spawn_true();
		} else if (!strcmp(what, "connect")) {
			int fd = socket(AF_INET, SOCK_DGRAM, 0);
			connect(fd, (void *)&address, sizeof(address));
			close(fd);
		} else {
			syscall(SYS_getppid);
		}
	}
	long long wall = now(CLOCK_MONOTONIC) - start;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	long long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ll +
			(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ll;
	printf("{\"wall_ns\":%lld,\"cpu_ns\":%lld,\"count\":%ld}\n", wall, cpu, times);
	fflush(stdout);
}

static volatile sig_atomic_t asked_to_end;

static void ask_to_end(int signal)
{
	(void)signal;
	asked_to_end = 1;
}

/*
 * One open each 1/rate s by absolute deadlines; busy-waits above 2,000/s, where sleeping is too coarse.
 * Ends early on SIGTERM. Prints how many it made, and how many of them succeeded.
 */
STEP(paced)
{
	long times = atol(args[0]), rate = atol(args[1]), made = 0, opened = 0;
	long long step = 1000000000ll / rate, next = now(CLOCK_MONOTONIC);

	(void)count;
	signal(SIGTERM, ask_to_end);
	for (; made < times && !asked_to_end; made++, next += step) {
		struct timespec at = { .tv_sec = next / 1000000000ll, .tv_nsec = next % 1000000000ll };
		if (rate <= 2000)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		else
			while (now(CLOCK_MONOTONIC) < next)
				;
		int fd = open(args[2], O_RDONLY);
		if (fd >= 0) {
			opened++;
			close(fd);
		}
	}
	printf("{\"made\":%ld,\"opened\":%ld}\n", made, opened);
	fflush(stdout);
}

/* They wait for the end of a pipe, so that the last is there before the first goes. */
STEP(crowd)
{
	long times = atol(args[0]), made = 0;
	int pipe_fds[2];
	char byte;

	(void)count;
	if (pipe(pipe_fds))
		die("pipe");
	for (; made < times; made++) {
		pid_t child = fork();
		if (child < 0)
			break;
		if (!child) {
			close(pipe_fds[1]);
			_exit(read(pipe_fds[0], &byte, 1) < 0);
		}
	}
	close(pipe_fds[1]);
	while (wait(NULL) > 0)
		;
	printf("%ld\n", made);
	fflush(stdout);
}
