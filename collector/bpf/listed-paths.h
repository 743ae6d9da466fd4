/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Opens that rules want for some paths only: the path from its top against a list of prefixes, its
 * last component against a list of suffixes, and the name as the caller wrote it for two dots. The
 * sensor fills the lists of the filter that is not in use.
 */
#pragma once
#include "files.h"

#define LIST_OF(name, key_type)                          \
	struct name {                                    \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);     \
		__uint(max_entries, MAX_LISTED);         \
		__uint(map_flags, BPF_F_NO_PREALLOC);    \
		__type(key, key_type);                   \
		__type(value, u32);                      \
	}
LIST_OF(prefix_list, struct prefix_key);
LIST_OF(suffix_list, struct suffix_key);

/* One list for each of the two filters. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct prefix_list);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct suffix_list);
} suffixes SEC(".maps");

/* Values of both lists are masks: classes wanted of any process, then those wanted on hosts. */
static __always_inline u32 listed_bit(u32 class, u32 scope)
{
	return class << (scope == SCOPE_HOST ? 8 : 0);
}

struct prefix_copy {
	struct scratch *scratch;
	u32 item, total, used;
};

/* Adds the component that is `step` steps below the top. */
static long add_component(u32 step, struct prefix_copy *c)
{
	struct scratch *s = c->scratch;
	u32 names = s->names;
	u32 used = c->used;

	if (step >= names || step >= MAX_STARTS || used >= MAX_PREFIX)
		return 1;
	u32 number = names - 1 - step;
	u32 start = s->starts[number & (MAX_STARTS - 1)];
	u32 end = step ? s->starts[(number + 1) & (MAX_STARTS - 1)] : c->total;
	u32 length = end - start - 1;
	if (length > MAX_PREFIX - 1)
		length = MAX_PREFIX - 1;
	const u8 *from = &s->data[(c->item & SCRATCH_MASK) + sizeof(struct item) + (start & (MAX_ENV - 1))];
	/* `used` is below MAX_PREFIX and `length` too: the copy ends in `room` at the latest */
	u8 *to = (u8 *)s + __builtin_offsetof(struct scratch, prefix.text) + (used & (MAX_PREFIX - 1));
	*to = '/';
	if (bpf_probe_read_kernel(to + 1, length & (MAX_PREFIX - 1), from))
		return 1;
	c->used = used + 1 + length;
	return 0;
}

static __always_inline bool is_in(void *lists, u32 active, const void *key, u32 bit)
{
	void *list = bpf_map_lookup_elem(lists, &active);
	u32 *mask = list ? bpf_map_lookup_elem(list, key) : 0;

	/* there is always a list; without one, user space decides */
	return !list || (mask && *mask & bit);
}

static __always_inline bool has_prefix(struct scratch *s, u32 path, u32 length, u32 active, u32 bit)
{
	struct prefix_copy copy = { .scratch = s, .item = path, .total = length };

	bpf_loop(MAX_STARTS, add_component, &copy, 0);
	u32 used = copy.used;
	if (used < MAX_PREFIX)
		s->prefix.text[used++ & (MAX_PREFIX - 1)] = 0;
	else
		used = MAX_PREFIX;
	s->prefix.bits = used * 8;
	return is_in(&prefixes, active, &s->prefix, bit);
}

struct suffix_copy {
	struct scratch *scratch;
	u32 path, end;
};

static long add_backwards(u32 step, struct suffix_copy *c)
{
	struct scratch *s = c->scratch;
	const u8 *leaf = &s->data[(c->path & SCRATCH_MASK) + sizeof(struct item)];
	u32 at = step & (MAX_SUFFIX - 1);

	if (step >= c->end) {
		s->suffix.text[at] = '/';
		return 1;
	}
	s->suffix.text[at] = leaf[(c->end - 1 - step) & (MAX_COMPONENT - 1)];
	return 0;
}

static __always_inline bool has_suffix(struct scratch *s, u32 path, u32 length, u32 active, u32 bit)
{
	struct suffix_copy copy = { .scratch = s, .path = path };

	copy.end = s->names > 1 ? s->starts[1] - 1 : length - 1;
	bpf_loop(MAX_SUFFIX, add_backwards, &copy, 0);
	s->suffix.bits = (copy.end < MAX_SUFFIX - 1 ? copy.end + 1 : MAX_SUFFIX) * 8;
	return is_in(&suffixes, active, &s->suffix, bit);
}

/*
 * Whether the file described by the items from `item` on (ITEM_FILE, then ITEM_PATH) is on a list.
 * What is no ordinary path counts as listed: user space decides. `active` is the filter that the event
 * is judged by: the one in use may be another by now.
 */
static __noinline bool is_listed(u32 item, u32 active, u32 bit)
{
	struct scratch *s = scratch_for(0);

	if (!s)
		return true;
	item &= SCRATCH_MASK;
	struct item *head = (void *)&s->data[item];
	struct file_item *file = (void *)&s->data[item + sizeof(*head)];
	if (head->kind != ITEM_FILE || file->flags & FILE_FLAG_TREELESS || !s->names)
		return true;
	u32 path = after_item(item, sizeof(*file)) & SCRATCH_MASK;
	head = (void *)&s->data[path];
	if (head->kind != ITEM_PATH)
		return true;
	u32 length = head->length;
	active &= 1;
	return has_prefix(s, path, length, active, bit) || has_suffix(s, path, length, active, bit);
}

/* High bits of the bytes of `word` that are a dot. */
static __always_inline u64 dots_in(u64 word)
{
	const u64 low = 0x7f7f7f7f7f7f7f7full;
	u64 others = word ^ 0x2e2e2e2e2e2e2e2eull;

	return ~(((others & low) + low) | others | low);
}

struct dot_search {
	struct scratch *scratch;
	u32 at, length;
	u64 last; /* whether the word before ended with a dot, in the lowest byte */
	bool found;
};

static long find_dots(u32 step, struct dot_search *d)
{
	u32 from = step * 8;

	if (from >= d->length)
		return 1;
	u64 word = *(u64 *)&d->scratch->data[(d->at & SCRATCH_MASK) + (from & (MAX_NAME - 1))];
	if (d->length - from < 8)
		word &= (1ull << (d->length - from) * 8) - 1;
	u64 dots = dots_in(word);
	if (dots & (dots << 8 | d->last)) {
		d->found = true;
		return 1;
	}
	d->last = dots >> 56;
	return 0;
}

/* Whether the text in the item at `at` has two dots in a row. */
static __noinline bool has_two_dots(u32 at)
{
	struct dot_search search = { .scratch = scratch_for(0), .at = at + sizeof(struct item) };

	if (!search.scratch)
		return true;
	search.length = ((struct item *)&search.scratch->data[at & SCRATCH_MASK])->length;
	bpf_loop(MAX_NAME / 8, find_dots, &search, 0);
	return search.found;
}
