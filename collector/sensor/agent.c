/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the agent: an ordinary user without a single capability, with six descriptors. */
#define _GNU_SOURCE
#include "sensor.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

/* Nothing of the operator's environment but what a terminal program needs, and our own settings. */
static const char *const passed_on[] = { "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "TZ",
					 "COLUMNS", "LINES", "FALCO_HOSTNAME", NULL };

/* Beginnings of further names: see --pass. */
static const char *prefixes[8];

bool agent_pass(const char *prefix)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!prefixes[i]) {
			prefixes[i] = prefix;
			return true;
		}
	return false;
}

static bool is_passed(const char *entry)
{
	for (const char *const *name = passed_on; *name; name++) {
		size_t length = strlen(*name);
		if (!strncmp(entry, *name, length) && entry[length] == '=')
			return true;
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes) && prefixes[i]; i++)
		if (!strncmp(entry, prefixes[i], strlen(prefixes[i])))
			return true;
	return !strncmp(entry, "LANNER_", 7) && strncmp(entry, "LANNER_AGENT_RESTARTS=", 22);
}

static char **environment(int restarts)
{
	extern char **environ;
	static char *kept[64];
	static char count[48];
	int n = 0;

	snprintf(count, sizeof(count), "LANNER_AGENT_RESTARTS=%d", restarts);
	kept[n++] = count;
	for (char **entry = environ; *entry && n < 63; entry++)
		if (is_passed(*entry))
			kept[n++] = *entry;
	kept[n] = NULL;
	return kept;
}

/* Makes a directory, below one that is there, and gives it to the agent's user. */
bool agent_own_directory(const char *path)
{
	if (mkdir(path, 0750) && errno != EEXIST) {
		complain("cannot make %s: %s\n", path, strerror(errno));
		return false;
	}
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fchown(directory, NOBODY, NOBODY)) {
		complain("cannot give %s to user %d: %s\n", path, NOBODY, strerror(errno));
		return false;
	}
	close(directory);
	return true;
}

static void become_agent(const struct kernel_side *k, int requests, int node_fd, int restarts,
			 char **argv)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* the sources may themselves have numbers from FD_RING on: move them out of the way first */
	int sources[] = { k->ring, k->control, k->progress, k->counters, k->kept, requests };
	for (int i = 0; i < 6; i++)
		sources[i] = fcntl(sources[i], F_DUPFD, 64);
	int node = fcntl(node_fd, F_DUPFD_CLOEXEC, 64);
	for (int i = 0; i < 6; i++)
		if (sources[i] < 0 || dup2(sources[i], FD_RING + i) < 0)
			_exit(EXIT_AGENT_LOST);
	close_range(3, FD_RING - 1, 0);
	/* everything above but the node binary, which execveat needs and then closes */
	close_range(FD_REQUESTS + 1, node - 1, 0);
	close_range(node + 1, ~0u, 0);
	if (!getuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			  setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(EXIT_AGENT_LOST);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing user cleared it */
	/* by descriptor: the agent's user may not be able to walk to the binary's directory */
	syscall(SYS_execveat, node, "", argv, environment(restarts), AT_EMPTY_PATH);
	complain("cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_AGENT_LOST);
}

bool agent_start(struct agent *a, const struct kernel_side *k, int node_fd, char **argv)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		complain("cannot make the request channel: %s\n", strerror(errno));
		return false;
	}
	int space = MAX_REPLY + 4096;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &space, sizeof(space));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &space, sizeof(space));
	fflush(NULL);
	a->pid = fork();
	if (!a->pid)
		become_agent(k, pair[1], node_fd, a->restarts, argv);
	close(pair[1]);
	if (a->pid < 0) {
		complain("cannot start the agent: %s\n", strerror(errno));
		close(pair[0]);
		return false;
	}
	a->requests = pair[0];
	k->control_page->ignored[1] = a->pid;
	return true;
}
