/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever has root on the node can empty a map or take a program away, and the sensor would be blind
 * without knowing. So it looks: at what it wrote, and whether a system call of its own is counted.
 */
#define _GNU_SOURCE
#include "sensor.h"
#include <string.h>
#include <unistd.h>

static unsigned long long calls_seen(const struct kernel_side *k)
{
	unsigned long long sum = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		sum += k->counters_page[cpu].seen;
	return sum;
}

/* The agent always asks for chdir, see stateCalls in ../agent/rule-needs.ts. */
static bool dispatcher_lives(const struct kernel_side *k)
{
	unsigned long long before = calls_seen(k);

	for (int attempt = 0; attempt < 3; attempt++)
		if (!chdir("/") && calls_seen(k) != before)
			return true;
	return false;
}

static void put_right(struct kernel_side *k, const char *what)
{
	complain("%s from outside: put right\n", what);
	k->control_page->tampered++;
}

void guard_check(struct kernel_side *k)
{
	struct control *control = k->control_page;

	if (!k->watching)
		return;
	if (control->active > 1 || memcmp(&k->filters_page[control->active & 1], &k->wanted, sizeof(k->wanted))) {
		control->active &= 1;
		k->filters_page[control->active] = k->wanted;
		put_right(k, "the filter was changed");
	}
	if (!control->enabled || control->uring_completes != k->features.uring_completes ||
	    control->ignored[0] != (__u32)getpid()) {
		control->uring_completes = k->features.uring_completes;
		control->ignored[0] = getpid();
		control->enabled = 1;
		put_right(k, "the settings of the kernel side were changed");
	}
	if (!handlers_are_whole(k->object)) {
		fill_handlers(k->object);
		put_right(k, "the table of handlers was changed");
	}
	if (!dispatcher_lives(k)) {
		put_right(k, "the programs were detached");
		kernel_side_attach(k);
	}
}
