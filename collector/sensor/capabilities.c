/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "sensor.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/*
 * After loading: BPF and PERFMON run the snapshot again after an agent restart, SETUID and SETGID
 * drop the agent's user, SYS_PTRACE and DAC_READ_SEARCH open a container's root, KILL signals the
 * agent. Nothing else, and the bounding set shrinks with it.
 */
bool keep_few_capabilities(void)
{
	static const int kept[] = { CAP_BPF, CAP_PERFMON, CAP_SETUID, CAP_SETGID,
				    CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_KILL };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2], data[2] = {};
	unsigned long long mask = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		mask |= 1ull << kept[i];
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(mask >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap);
	if (syscall(SYS_capget, &head, have))
		goto failed;
	for (int word = 0; word < 2; word++) {
		data[word].permitted = have[word].permitted & (unsigned)(mask >> (32 * word));
		data[word].effective = data[word].permitted;
	}
	if (!syscall(SYS_capset, &head, data))
		return true;
failed:
	complain("cannot give up capabilities: %s\n", strerror(errno));
	return false;
}
