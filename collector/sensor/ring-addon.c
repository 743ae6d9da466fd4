/* SPDX-License-Identifier: Apache-2.0 */
/*
 * N-API addon of the agent: maps the inherited ring buffer and pages into JavaScript, and calls
 * back when there is something to read. No parsing here, and no dependency but libc.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <malloc.h>
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * While events come, look again after 1, 2, 4 and 8 ms; then sleep until the kernel wakes us, but not
 * for ever: records that never wake (see WAKE_NEVER) are to be read some time, too.
 */
#define FIRST_PAUSE_MS 1
#define LAST_PAUSE_MS 8
#define SLEEP_MS 1000

static int ring_fd, stop_fd;
static uint64_t *consumer, *producer;
static uint64_t reader; /* how far the main thread has read: never behind the consumer position */
static napi_threadsafe_function wake;
static pthread_t waiter;
static atomic_bool stopping, pending;

static napi_value fail(napi_env env, const char *what)
{
	napi_throw_error(env, strerror(errno), what);
	return NULL;
}

static bool numbers(napi_env env, napi_callback_info info, size_t count, int64_t *out)
{
	napi_value args[4];

	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		if (napi_get_value_int64(env, args[i], &out[i]) != napi_ok)
			return false;
	return true;
}

/* mapRing(fd, bytes): [page with the consumer position, page with the producer's + data twice, reader] */
static napi_value map_ring(napi_env env, napi_callback_info info)
{
	int64_t args[2];
	napi_value result, buffer;

	if (!numbers(env, info, 2, args))
		return fail(env, "mapRing(fd, bytes)");
	ring_fd = args[0];
	size_t page = sysconf(_SC_PAGESIZE), data = page + 2 * args[1];
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	producer = mmap(NULL, data, PROT_READ, MAP_SHARED, ring_fd, page);
	if (consumer == MAP_FAILED || producer == MAP_FAILED)
		return fail(env, "cannot map the ring buffer");
	reader = *consumer;
	napi_create_array_with_length(env, 3, &result);
	napi_create_external_arraybuffer(env, consumer, page, NULL, NULL, &buffer);
	napi_set_element(env, result, 0, buffer);
	napi_create_external_arraybuffer(env, producer, data, NULL, NULL, &buffer);
	napi_set_element(env, result, 1, buffer);
	napi_create_external_arraybuffer(env, &reader, sizeof(reader), NULL, NULL, &buffer);
	napi_set_element(env, result, 2, buffer);
	return result;
}

/* mapPage(fd, bytes, writable): the memory of a BPF array */
static napi_value map_page(napi_env env, napi_callback_info info)
{
	int64_t args[3];
	napi_value buffer;

	if (!numbers(env, info, 3, args))
		return fail(env, "mapPage(fd, bytes, writable)");
	void *page = mmap(NULL, args[1], PROT_READ | (args[2] ? PROT_WRITE : 0), MAP_SHARED, args[0], 0);
	if (page == MAP_FAILED)
		return fail(env, "cannot map the page");
	napi_create_external_arraybuffer(env, page, args[1], NULL, NULL, &buffer);
	return buffer;
}

static bool has_events(void)
{
	return __atomic_load_n(producer, __ATOMIC_ACQUIRE) != __atomic_load_n(&reader, __ATOMIC_ACQUIRE);
}

static void *wait_for_events(void *unused)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	/* edge-triggered: most records do not wake, and a level would then spin */
	struct epoll_event ring_event = { .events = EPOLLIN | EPOLLET };
	struct epoll_event stop_event = { .events = EPOLLIN }, happened;
	int pause = FIRST_PAUSE_MS;

	(void)unused;
	epoll_ctl(epoll, EPOLL_CTL_ADD, ring_fd, &ring_event);
	epoll_ctl(epoll, EPOLL_CTL_ADD, stop_fd, &stop_event);
	while (!stopping) {
		if (has_events()) {
			pause = FIRST_PAUSE_MS;
			if (!atomic_exchange(&pending, true))
				napi_call_threadsafe_function(wake, NULL, napi_tsfn_nonblocking);
		} else {
			pause = pause < LAST_PAUSE_MS ? pause * 2 : SLEEP_MS;
		}
		epoll_wait(epoll, &happened, 1, pause);
	}
	close(epoll);
	napi_release_threadsafe_function(wake, napi_tsfn_release);
	return NULL;
}

static void call_js(napi_env env, napi_value callback, void *context, void *data)
{
	napi_value undefined;

	(void)context, (void)data;
	if (!env)
		return;
	atomic_store(&pending, false);
	napi_get_undefined(env, &undefined);
	napi_call_function(env, undefined, callback, 0, NULL, NULL);
}

/* start(callback): calls back, on the main thread, when the ring has events */
static napi_value start(napi_env env, napi_callback_info info)
{
	size_t count = 1;
	napi_value callback, name;

	napi_get_cb_info(env, info, &count, &callback, NULL, NULL);
	stop_fd = eventfd(0, EFD_CLOEXEC);
	napi_create_string_utf8(env, "ring", 4, &name);
	if (napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, call_js,
					    &wake) != napi_ok)
		return fail(env, "cannot make the wake-up function");
	if (pthread_create(&waiter, NULL, wait_for_events, NULL))
		return fail(env, "cannot start the waiting thread");
	return NULL;
}

static napi_value stop(napi_env env, napi_callback_info info)
{
	uint64_t one = 1;

	(void)env, (void)info;
	stopping = true;
	if (write(stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(waiter, NULL);
	return NULL;
}

/* trim(): gives memory that was freed back to the system, which malloc does not do by itself */
static napi_value trim(napi_env env, napi_callback_info info)
{
	(void)env, (void)info;
	malloc_trim(0);
	return NULL;
}

NAPI_MODULE_INIT()
{
	const struct {
		const char *name;
		napi_callback function;
	} functions[] = { { "mapRing", map_ring }, { "mapPage", map_page }, { "start", start }, { "stop", stop },
			{ "trim", trim } };

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		napi_value function;
		napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL,
				     &function);
		napi_set_named_property(env, exports, functions[i].name, function);
	}
	return exports;
}
