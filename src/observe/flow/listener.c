/* See listener.h. A lane takes bursts from its sockets in turn and sleeps only when all are empty. */
#include "observe/flow/listener.h"

#include "core/clock.h"
#include "sys/udp.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHERE_MAX = 16, WAIT_MS = 100, DRAIN_BURSTS = 65536 };

struct lane {
	struct sink sink; /* counts, and hands on to the listener's */
	struct listener *listener;
	struct collector *collector;
	struct udp_burst *burst;
	int fds[WHERE_MAX];
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock; /* of the collector: held while a burst is decoded, and by who visits */
	atomic_uint_least64_t datagrams, bytes, records, refused, strange, too_many;
	atomic_bool failed;
	int result;
	struct err err;
	int64_t flushed_ns;
};

struct listener {
	struct listener_options options;
	struct sink *sink;
	struct lane *lanes;
	unsigned count;
	atomic_bool stop;
};

static unsigned cores(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return count < 1 ? 1 : count > UDP_SOCKETS_MAX ? UDP_SOCKETS_MAX : (unsigned)count;
}

static int lane_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct lane *lane = (struct lane *)sink;
	int result = lane->listener->sink->put(lane->listener->sink, batch, err);
	atomic_fetch_add(result < 0 ? &lane->refused : &lane->records, batch->rows);
	return result;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int lane_open(struct lane *lane, struct listener *listener, struct err *err)
{
	lane->listener = listener;
	lane->sink.put = lane_put;
	lane->burst = udp_burst_new();
	if (!lane->burst)
		return err_set(err, -ENOMEM, "no memory for datagrams");
	return collector_new(&listener->options.collector, &lane->sink, &lane->collector, err);
}

static int sockets_open(struct listener *listener, struct err *err)
{
	int fds[UDP_SOCKETS_MAX], result = 0;
	for (size_t i = 0; i < listener->options.where_count && result == 0; i++) {
		result =
			udp_open(listener->options.where[i], listener->count, listener->options.buffer_bytes, fds, err);
		for (unsigned lane = 0; lane < listener->count && result == 0; lane++)
			listener->lanes[lane].fds[i] = fds[lane];
	}
	return result;
}

int listener_open(const struct listener_options *options, struct listener **ret_listener, struct err *err)
{
	if (options->where_count == 0 || options->where_count > WHERE_MAX || options->lanes > UDP_SOCKETS_MAX)
		return err_set(err, -EINVAL, "1 to %d addresses and at most %d sockets of each were expected",
			       WHERE_MAX, UDP_SOCKETS_MAX);
	struct listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		return err_set(err, -ENOMEM, "no memory for a listener");
	listener->options = *options;
	listener->count = options->lanes ? options->lanes : cores();
	listener->lanes = calloc(listener->count, sizeof *listener->lanes);
	if (!listener->lanes) {
		free(listener);
		return err_set(err, -ENOMEM, "no memory for %u lanes", options->lanes);
	}
	for (unsigned i = 0; i < listener->count; i++) {
		pthread_mutex_init(&listener->lanes[i].lock, NULL);
		memset(listener->lanes[i].fds, -1, sizeof listener->lanes[i].fds);
	}
	int result = 0;
	for (unsigned i = 0; i < listener->count && result == 0; i++)
		result = lane_open(&listener->lanes[i], listener, err);
	if (result == 0)
		result = sockets_open(listener, err);
	if (result < 0) {
		listener_free(listener);
		return result;
	}
	*ret_listener = listener;
	return 0;
}

void listener_free(struct listener *listener)
{
	if (!listener)
		return;
	for (unsigned i = 0; i < listener->count; i++) {
		struct lane *lane = &listener->lanes[i];
		collector_free(lane->collector);
		udp_burst_free(lane->burst);
		pthread_mutex_destroy(&lane->lock);
		for (unsigned s = 0; s < WHERE_MAX; s++)
			if (lane->fds[s] >= 0)
				close(lane->fds[s]);
	}
	free(listener->lanes);
	free(listener);
}

/* --- running ----------------------------------------------------------------------------------------------------- */

static int burst_feed(struct lane *lane, const struct udp_datagram *datagrams, int count)
{
	int64_t now_ns = clock_now_ns();
	uint64_t bytes = 0;
	int result = 0;
	pthread_mutex_lock(&lane->lock);
	for (int i = 0; i < count && result == 0; i++) {
		bytes += datagrams[i].bytes;
		result = collector_feed(lane->collector, &datagrams[i].from, datagrams[i].data, datagrams[i].bytes,
					now_ns, &lane->err);
	}
	const struct collector_figures *figures = collector_figures(lane->collector);
	atomic_store(&lane->strange, figures->strange);
	atomic_store(&lane->too_many, figures->too_many);
	pthread_mutex_unlock(&lane->lock);
	atomic_fetch_add(&lane->datagrams, (uint64_t)count);
	atomic_fetch_add(&lane->bytes, bytes);
	return result;
}

/* One burst of each socket: 1; 0: nothing was there. */
static int lane_turn(struct lane *lane)
{
	int some = 0;
	for (size_t i = 0; i < lane->listener->options.where_count; i++) {
		const struct udp_datagram *datagrams;
		int count = udp_receive(lane->burst, lane->fds[i], &datagrams, &lane->err);
		int result = count > 0 ? burst_feed(lane, datagrams, count) : count;
		if (result < 0)
			return result;
		some |= count > 0;
	}
	return some;
}

static int lane_flush(struct lane *lane)
{
	lane->flushed_ns = clock_monotonic_ns();
	pthread_mutex_lock(&lane->lock);
	int result = collector_flush(lane->collector, &lane->err);
	pthread_mutex_unlock(&lane->lock);
	return result;
}

static void lane_sleep(const struct lane *lane)
{
	struct pollfd polls[WHERE_MAX];
	size_t count = lane->listener->options.where_count;
	for (size_t i = 0; i < count; i++)
		polls[i] = (struct pollfd){.fd = lane->fds[i], .events = POLLIN};
	(void)poll(polls, count, WAIT_MS);
}

static void *lane_run(void *argument)
{
	struct lane *lane = argument;
	int result = 0;
	lane->flushed_ns = clock_monotonic_ns();
	while (result >= 0 && !atomic_load(&lane->listener->stop)) {
		result = lane_turn(lane);
		if (result == 0)
			lane_sleep(lane);
		if (result >= 0 && clock_monotonic_ns() - lane->flushed_ns >= lane->listener->options.flush_ns)
			result = lane_flush(lane);
	}
	for (int i = 0; i < DRAIN_BURSTS && result >= 0 && (i == 0 || result > 0); i++)
		result = lane_turn(lane);
	if (result >= 0)
		result = lane_flush(lane);
	lane->result = result < 0 ? result : 0;
	atomic_store(&lane->failed, result < 0);
	return NULL;
}

int listener_recall(struct listener *listener, const struct exporter *remembered, struct err *err)
{
	int result = 0;
	for (unsigned i = 0; i < listener->count && result == 0; i++)
		result = collector_recall(listener->lanes[i].collector, remembered, err);
	return result;
}

int listener_start(struct listener *listener, struct sink *sink, struct err *err)
{
	listener->sink = sink;
	for (unsigned i = 0; i < listener->count; i++) {
		struct lane *lane = &listener->lanes[i];
		int code = pthread_create(&lane->thread, NULL, lane_run, lane);
		if (code != 0) {
			(void)!listener_stop(listener, NULL);
			return err_set(err, -code, "no thread to receive datagrams: %s", strerror(code));
		}
		lane->is_started = true;
	}
	return 0;
}

int listener_stop(struct listener *listener, struct err *err)
{
	int result = 0;
	atomic_store(&listener->stop, true);
	for (unsigned i = 0; i < listener->count; i++) {
		struct lane *lane = &listener->lanes[i];
		if (lane->is_started)
			pthread_join(lane->thread, NULL);
		lane->is_started = false;
		if (result == 0 && lane->result < 0)
			result = err_set(err, lane->result, "%s", lane->err.text);
	}
	return result;
}

/* --- figures ----------------------------------------------------------------------------------------------------- */

struct listener_figures listener_figures(const struct listener *listener)
{
	struct listener_figures sums = {0};
	for (unsigned i = 0; i < listener->count; i++) {
		const struct lane *lane = &listener->lanes[i];
		sums.datagrams += atomic_load(&lane->datagrams);
		sums.bytes += atomic_load(&lane->bytes);
		sums.records += atomic_load(&lane->records);
		sums.refused += atomic_load(&lane->refused);
		sums.strange += atomic_load(&lane->strange);
		sums.too_many += atomic_load(&lane->too_many);
		sums.failed |= atomic_load(&lane->failed);
		for (size_t s = 0; s < listener->options.where_count; s++)
			sums.dropped += udp_dropped(lane->fds[s]);
	}
	return sums;
}

unsigned listener_port(const struct listener *listener, size_t number)
{
	return udp_port(listener->lanes[0].fds[number]);
}

int64_t listener_buffer_bytes(const struct listener *listener)
{
	return udp_buffer_bytes(listener->lanes[0].fds[0]);
}

int listener_visit(struct listener *listener, int (*each)(void *context, const struct exporter *exporter),
		   void *context)
{
	int result = 0;
	for (unsigned i = 0; i < listener->count && result == 0; i++) {
		struct lane *lane = &listener->lanes[i];
		pthread_mutex_lock(&lane->lock);
		for (size_t e = 0; e < collector_exporters(lane->collector) && result == 0; e++)
			result = each(context, collector_exporter(lane->collector, e));
		pthread_mutex_unlock(&lane->lock);
	}
	return result;
}
