/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdio.h>

extern const char *self; /* path of this program */

void die(const char *what);
void run_steps(char **args);

/*
 * Steps get their arguments and how many there are; the rest of the command line follows after
 * `--`, for steps that run it themselves.
 */
#define STEP(name) void step_##name(char **args, int count)
STEP(named);
STEP(user);
STEP(child);
STEP(wait);
STEP(exec);
STEP(terminal);
STEP(container);
STEP(cgroup);
STEP(containers);
STEP(network);
STEP(capability);
STEP(open);
STEP(open_uring);
STEP(connect_uring);
STEP(open_int80);
STEP(connect);
STEP(hold);
STEP(datagram);
STEP(packet_socket);
STEP(redirect);
STEP(memfd);
STEP(drop);
STEP(ptrace);
STEP(module);
STEP(chmod);
STEP(link);
STEP(loop);
STEP(paced);
STEP(crowd);
STEP(call);
