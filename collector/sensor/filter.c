/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a filter of the agent's into the copy that is not in use, with fresh lists, and turns to it.
 * An event is judged by the old filter or by the new one, never by a mixture.
 */
#include "sensor.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The keys of ../bpf/record.h: a length in bits, then the text. */
struct prefix_key {
	__u32 bits;
	__u8 text[MAX_PREFIX];
};
struct suffix_key {
	__u32 bits;
	__u8 text[MAX_SUFFIX];
};

static int new_list(const char *name, size_t key_size)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);

	return bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, name, key_size, sizeof(__u32), MAX_LISTED, &options);
}

static int add_entry(int prefixes, int suffixes, const struct list_entry *entry, const char *text)
{
	struct prefix_key key = { .bits = entry->length * 8 };
	__u32 mask = entry->mask;
	bool is_prefix = entry->list == LIST_PREFIX;

	if (entry->length > (is_prefix ? MAX_PREFIX : MAX_SUFFIX))
		return -EINVAL;
	memcpy(key.text, text, entry->length); /* the longer key serves both */
	return bpf_map_update_elem(is_prefix ? prefixes : suffixes, &key, &mask, BPF_ANY);
}

static int fill_lists(int prefixes, int suffixes, unsigned count, const char *at, const char *end)
{
	for (unsigned i = 0; i < count; i++) {
		struct list_entry entry;
		if (end - at < (long)sizeof(entry))
			return -EINVAL;
		memcpy(&entry, at, sizeof(entry));
		at += sizeof(entry);
		if (end - at < entry.length)
			return -EINVAL;
		int failed = add_entry(prefixes, suffixes, &entry, at);
		if (failed)
			return failed;
		at += entry.length;
	}
	return at == end ? 0 : -EINVAL;
}

/* Returns 0 or a negative errno; then the filter in use stays as it was. */
int filter_apply(struct kernel_side *k, const void *message, size_t length)
{
	const struct request *head = message;
	const char *body = (const char *)message + sizeof(*head);
	__u32 next = !(k->control_page->active & 1);
	int status = -ENOMEM;

	if (length < sizeof(*head) + sizeof(struct filter))
		return -EINVAL;
	int prefixes = new_list("prefixes", sizeof(struct prefix_key));
	int suffixes = new_list("suffixes", sizeof(struct suffix_key));
	if (prefixes >= 0 && suffixes >= 0)
		status = fill_lists(prefixes, suffixes, head->pid, body + sizeof(struct filter),
				    (const char *)message + length);
	if (!status)
		status = bpf_map_update_elem(bpf_object__find_map_fd_by_name(k->object, "prefixes"), &next,
					     &prefixes, BPF_ANY);
	if (!status)
		status = bpf_map_update_elem(bpf_object__find_map_fd_by_name(k->object, "suffixes"), &next,
					     &suffixes, BPF_ANY);
	if (!status) {
		memcpy(&k->wanted, body, sizeof(k->wanted));
		k->filters_page[next] = k->wanted;
		__atomic_store_n(&k->control_page->active, next, __ATOMIC_RELEASE);
	}
	/* the outer maps hold what they need */
	if (prefixes >= 0)
		close(prefixes);
	if (suffixes >= 0)
		close(suffixes);
	return status;
}
