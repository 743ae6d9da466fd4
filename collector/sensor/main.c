/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanner-sensor [--remove DIR] [--pass PREFIX]... -- NODE [ARGUMENT...]
 * lanner-sensor --probe
 * lanner-sensor --own DIR
 *
 * Loads the kernel side, starts NODE with the given arguments as an unprivileged agent, and stays to
 * serve and supervise it. An agent that dies of a signal or a crash is started again at the same
 * place in the ring; one that ends by itself ends the sensor, with its exit code. DIR, the directory
 * that the agent's program was staged in, is removed at the end. PREFIX names variables of the
 * environment that the agent gets, too.
 *
 * --probe loads and attaches the kernel side, prints what this kernel can do, and ends. --own makes DIR
 * and gives it to the agent's user: what needs CHOWN happens before, and not in, the process that stays.
 */
#define _GNU_SOURCE
#include "sensor.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RESTARTS 5 /* within RESTART_WINDOW seconds; then give up, loudly */
#define RESTART_WINDOW 60
#define CHECK_INTERVAL_MS 5000 /* how long a step of the wall clock, or tampering, may go unnoticed */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *level)
{
	(void)info, (void)type, (void)level;
	return remove(path);
}

/* Too many restarts in a short time mean that another one will not help. */
static bool may_restart(int restarts)
{
	static time_t times[MAX_RESTARTS];
	time_t now = time(NULL);
	time_t *oldest = &times[restarts % MAX_RESTARTS];
	bool ok = now - *oldest > RESTART_WINDOW;

	*oldest = now;
	return ok;
}

/* Whether CHECK_INTERVAL_MS have passed since this was last true. */
static bool is_due(time_t *last)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - *last < CHECK_INTERVAL_MS / 1000)
		return false;
	*last = now.tv_sec;
	return true;
}

/* A reader of requests.c that failed to answer: the agent is waiting, so answer for it. */
static void reader_ended(const struct agent *a, int status)
{
	struct reply reply = { .status = -ETIMEDOUT };

	if (status)
		send(a->requests, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Returns the exit code to end with, or -1 to go on. */
static int agent_ended(struct agent *a, struct kernel_side *k, int status, bool stopping,
		       int node_fd, char **argv)
{
	close(a->requests);
	if (WIFEXITED(status) && WEXITSTATUS(status) < 64)
		return WEXITSTATUS(status);
	if (stopping)
		return 0;
	complain("agent %d ended by %s %d\n", a->pid, WIFSIGNALED(status) ? "signal" : "exit code",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (!may_restart(a->restarts)) {
		complain("%d restarts within %d seconds: giving up\n", MAX_RESTARTS, RESTART_WINDOW);
		return EXIT_AGENT_LOST;
	}
	a->restarts++;
	complain("restart %d, %lu bytes of events wait in the ring\n", a->restarts,
		 kernel_side_ring_used(k));
	return agent_start(a, k, node_fd, argv) ? -1 : EXIT_AGENT_LOST;
}

static int supervise(struct kernel_side *k, struct agent *a, int node_fd, char **argv)
{
	sigset_t watched;
	bool stopping = false;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	sigaddset(&watched, SIGCHLD);
	int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);

	for (time_t checked = 0;;) {
		struct pollfd ready[] = { { .fd = signals, .events = POLLIN },
					  { .fd = a->requests, .events = POLLIN } };
		struct signalfd_siginfo info;
		int status, code;

		kernel_side_set_epoch(k);
		poll(ready, 2, CHECK_INTERVAL_MS);
		if (is_due(&checked))
			guard_check(k);
		if (ready[1].revents & POLLIN)
			answer_request(a, k);
		while (read(signals, &info, sizeof(info)) == sizeof(info)) {
			if (info.ssi_signo == SIGCHLD)
				continue;
			/* a terminal signals the whole group, kill(1) only us: twice does no harm */
			stopping = true;
			kill(a->pid, info.ssi_signo == SIGINT ? SIGINT : SIGTERM);
		}
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
			if (pid != a->pid) {
				reader_ended(a, status);
				continue;
			}
			code = agent_ended(a, k, status, stopping, node_fd, argv);
			if (code >= 0)
				return code;
		}
		/* the agent closed its end but lives on: do not spin on the hang-up */
		if (ready[1].revents & (POLLHUP | POLLERR))
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
}

static int probe(void)
{
	struct kernel_side kernel;

	if (!kernel_side_load(&kernel))
		return EXIT_UNUSABLE;
	features_print(&kernel.features);
	return 0;
}

int main(int argc, char **argv)
{
	struct kernel_side kernel;
	struct agent agent = {};
	const char *staged = NULL;
	sigset_t blocked;
	int i = 1, code = EXIT_UNUSABLE;

	if (argc == 2 && !strcmp(argv[1], "--probe"))
		return probe();
	if (argc == 3 && !strcmp(argv[1], "--own"))
		return agent_own_directory(argv[2]) ? 0 : EXIT_UNUSABLE;
	for (; i + 1 < argc && strcmp(argv[i], "--"); i += 2) {
		if (!strcmp(argv[i], "--remove"))
			staged = argv[i + 1];
		else if (strcmp(argv[i], "--pass") || !agent_pass(argv[i + 1]))
			break;
	}
	if (i + 1 >= argc || strcmp(argv[i], "--")) {
		complain("usage: lanner-sensor [--remove DIR] [--pass PREFIX]... -- NODE [ARGUMENT...]\n");
		return EXIT_UNUSABLE;
	}
	char **agent_argv = argv + i + 1;
	int node_fd = open(agent_argv[0], O_PATH | O_CLOEXEC);
	if (node_fd < 0) {
		complain("cannot open %s: %s\n", agent_argv[0], strerror(errno));
		goto out;
	}
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	if (kernel_side_load(&kernel) && keep_few_capabilities() &&
	    agent_start(&agent, &kernel, node_fd, agent_argv))
		code = supervise(&kernel, &agent, node_fd, agent_argv);
out:
	if (staged)
		nftw(staged, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return code;
}
