/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanner-actor STEP [ARGUMENT...] [-- STEP ...]: plays suspicious behaviour, harmlessly.
 *
 * Steps run one after the other in one process; a step that changes the stage (another name, user,
 * namespace, container) does so for all that follow. Nothing leaves this machine and every file that
 * a step makes is removed again. Used by `lanner simulate` and by the live tests.
 */
#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *self;

void die(const char *what)
{
	fprintf(stderr, "lanner-actor: %s: %s\n", what, strerror(errno));
	exit(3);
}

static const struct step {
	const char *name;
	void (*run)(char **args, int count);
	const char *usage;
} steps[] = {
	{ "named", step_named, "NAME: go on as a process called NAME" },
	{ "user", step_user, "UID: go on as this user" },
	{ "child", step_child, ": the rest runs in a child" },
	{ "wait", step_wait, "SECONDS" },
	{ "exec", step_exec, "PROGRAM [ARGUMENT...]" },
	{ "terminal", step_terminal, ": the rest runs on a terminal of its own" },
	{ "container", step_container, ": the rest runs in namespaces, an overlay root and a cgroup named like a container's" },
	{ "cgroup", step_cgroup, "PATH: the rest runs in this cgroup, made and removed again" },
	{ "containers", step_containers, "COUNT: one after the other, each with namespaces, cgroup and one program" },
	{ "network", step_network, "IP: the rest runs in a network of its own that owns this address" },
	{ "capability", step_capability, "NUMBER: keep a capability over a change of user" },
	{ "open", step_open, "PATH r|w|t: for reading, writing (removed again if made), truncating" },
	{ "open-uring", step_open_uring, "PATH: for reading, through io_uring" },
	{ "connect-uring", step_connect_uring, "IP PORT" },
	{ "open-int80", step_open_int80, "PATH: for reading, by a 32-bit system call" },
	{ "connect", step_connect, "IP PORT: to a listener that this step makes" },
	{ "hold", step_hold, "IP PORT [write|sendfile|splice|nothing]: connects to a listener that this step makes, and sends until its input ends" },
	{ "datagram", step_datagram, "IP PORT: sends one" },
	{ "packet-socket", step_packet_socket, "" },
	{ "redirect", step_redirect, "FD: makes FD a connection to itself" },
	{ "memfd", step_memfd, "PROGRAM: run it from memory" },
	{ "drop", step_drop, "PATH: write a program there, run it, remove it" },
	{ "ptrace", step_ptrace, "attach|traceme" },
	{ "module", step_module, ": tries to load something that is no kernel module" },
	{ "chmod", step_chmod, "PATH MODE: of a file made for it" },
	{ "link", step_link, "hard|soft TARGET" },
	{ "loop", step_loop, "open|spawn|getppid|connect COUNT: and print nanoseconds taken" },
	{ "paced", step_paced, "COUNT PER_SECOND PATH: opens PATH at this rate" },
	{ "crowd", step_crowd, "COUNT: processes that live at the same time" },
	{ "call", step_call, "NUMBER [ARGUMENT...]: any system call; an argument is a number or a text" },
};

/* Runs the steps from `args` on; each ends at `--`. Also called for the rest by steps that fork. */
void run_steps(char **args)
{
	while (*args) {
		int count = 0;
		const struct step *step = NULL;

		while (args[1 + count] && strcmp(args[1 + count], "--"))
			count++;
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
			if (!strcmp(steps[i].name, args[0]))
				step = &steps[i];
		if (!step) {
			fprintf(stderr, "lanner-actor: no step called %s\n", args[0]);
			exit(2);
		}
		/* `exec` takes all that follows, dashes too */
		step->run(args + 1, count);
		args += 1 + count;
		if (*args)
			args++;
	}
}

int main(int argc, char **argv)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	self = n > 0 ? path : argv[0];
	if (argc < 2) {
		fprintf(stderr, "usage: lanner-actor STEP [ARGUMENT...] [-- STEP ...]\n");
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
			fprintf(stderr, "  %s %s\n", steps[i].name, steps[i].usage);
		return 2;
	}
	run_steps(argv + 1);
	return 0;
}
