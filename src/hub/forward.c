/* A sensor whose hub is elsewhere. See forward.h.
 *
 * A batch leaves the ring when it lies in the spool. While the spool takes none (it is full, or its disk is) the ring
 * fills; then the sensor loses batches, and the ring counts them.
 */
#include "hub/forward.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/limits.h"
#include "hub/sensor.h"
#include "record/batch.h"
#include "sys/child.h"
#include "sys/ring.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { LOOK_MS = 250, RETRY_MS = 1000 };

struct forward {
	const struct forward_setup *setup;
	struct sensor_setup sensor;
	struct child child;
	struct remote_sink *remote;
	_Atomic uint64_t *metrics;
	size_t metrics_bytes;
	struct err *why;       /* shared: what ended the sensor */
	struct batch *waiting; /* for the spool to take it */
	int64_t retry_ns;
};

static int sensor_main(void *context, struct err *err)
{
	struct forward *forward = context;
	int result = sensor_run(&forward->sensor, err);
	if (result < 0)
		*forward->why = *err;
	return result;
}

static void figures_fill(const struct forward *forward, struct forward_figures *figures)
{
	const struct metric_spec *table = forward->setup->sensor->module->metrics;
	figures->outside = metric_sum(table, forward->metrics, "outside_total");
	figures->packets = metric_sum(table, forward->metrics, "packets_total") + figures->outside;
	figures->bytes = metric_sum(table, forward->metrics, "bytes_total");
	figures->lost = metric_sum(table, forward->metrics, "lost_total");
	figures->lost_batches = ring_counters(forward->sensor.ring).lost_records;
	figures->remote = remote_sink_counters(forward->remote);
}

/* The next batch of the ring. False: none. */
static bool batch_next(struct forward *forward)
{
	const void *data;
	size_t bytes;
	struct err err = {""};
	int result;
	while (!forward->waiting && (result = ring_take(forward->sensor.ring, &data, &bytes, &err)) != 0) {
		if (result == 1)
			result = batch_decode(data, bytes, &forward->waiting, &err);
		if (result < 0)
			LOG(LOG_WARNING, "batch.refused", err.text);
	}
	return forward->waiting;
}

static void ring_drain(struct forward *forward)
{
	struct sink *sink = remote_sink_of(forward->remote);
	struct err err = {""};
	while (batch_next(forward)) {
		bool again = forward->retry_ns != 0;
		if (clock_monotonic_ns() < forward->retry_ns)
			return;
		int result = sink->put(sink, forward->waiting, &err);
		if (result < 0) {
			if (!again)
				LOG(LOG_ERROR, "spool.refuses", err.text);
			forward->retry_ns = clock_monotonic_ns() + RETRY_MS * NS_PER_MS;
			return;
		}
		if (again)
			LOG(LOG_INFO, "spool.resumed", "batches are spooled again");
		forward->retry_ns = 0;
		batch_free(forward->waiting);
		forward->waiting = NULL;
		ring_release(forward->sensor.ring);
	}
}

/* Until the sensor ends, by itself or because it was told to. */
static int forward_watch(struct forward *forward, struct err *err)
{
	struct forward_figures figures;
	int64_t told = clock_monotonic_ns();
	bool stopping = false;
	for (;;) {
		struct pollfd fds[] = {
			{.fd = forward->waiting ? -1 : ring_fd(forward->sensor.ring), .events = POLLIN},
			{.fd = child_fd(&forward->child), .events = POLLIN},
		};
		if (poll(fds, 2, LOOK_MS) > 0 && fds[0].revents)
			ring_quiet(forward->sensor.ring);
		if (*forward->setup->stop && !stopping) {
			kill(forward->child.pid, SIGTERM);
			stopping = true;
		}
		int ended = child_check(&forward->child, err);
		ring_drain(forward);
		if (ended)
			break;
		if (clock_monotonic_ns() - told >= forward->setup->every_ns) {
			told = clock_monotonic_ns();
			figures_fill(forward, &figures);
			forward->setup->tell(forward->setup->context, &figures);
		}
	}
	if (forward->child.state == CHILD_ENDED)
		return 0;
	char how[96];
	child_describe(&forward->child, how, sizeof how);
	if (forward->why->text[0])
		*err = *forward->why;
	else
		err_set(err, -EIO, "the sensor died: %s", how);
	return -EIO;
}

static int forward_open(struct forward *forward, struct err *err)
{
	const struct forward_setup *setup = forward->setup;
	forward->metrics_bytes = metric_count(setup->sensor->module->metrics) * sizeof(uint64_t);
	size_t bytes = sizeof *forward->why + forward->metrics_bytes;
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return err_set(err, -errno, "no shared memory: %s", strerror(errno));
	forward->metrics = page;
	forward->why = (struct err *)((char *)page + forward->metrics_bytes);
	forward->sensor = (struct sensor_setup){
		.sensor = setup->sensor, .metrics = forward->metrics, .unconfined = setup->unconfined};
	int result = ring_new(LIMIT_RING_BYTES, &forward->sensor.ring, err);
	if (result == 0)
		result = ring_new(LIMIT_LIVE_RING_BYTES, &forward->sensor.live_ring, err);
	if (result < 0)
		return result;
	forward->child = (struct child){
		.name = setup->sensor->name, .run = sensor_main, .context = forward, .may_end = true, .fd = -1};
	result = child_start(&forward->child, err); /* before the sender's thread */
	if (result == 0)
		ring_consume(forward->sensor.ring);
	return result < 0 ? result : remote_sink_open(&setup->remote, &forward->remote, err);
}

int forward_run(const struct forward_setup *setup, struct forward_figures *ret_figures, struct err *err)
{
	struct forward forward = {.setup = setup, .child = {.fd = -1}};
	struct err unsent = {""};
	int result = forward_open(&forward, err);
	if (result == 0) {
		result = forward_watch(&forward, err);
		if (forward.waiting)
			LOG(LOG_ERROR, "batches.lost", "what the spool had no room for is lost");
		if (remote_sink_drain(forward.remote, setup->drain_ms, &unsent) < 0)
			LOG(LOG_WARNING, "remote.waiting", unsent.text);
		figures_fill(&forward, ret_figures);
	}
	child_end(&forward.child, LOOK_MS);
	remote_sink_close(forward.remote);
	batch_free(forward.waiting);
	ring_free(forward.sensor.ring);
	ring_free(forward.sensor.live_ring);
	if (forward.metrics)
		munmap((void *)forward.metrics, forward.metrics_bytes + sizeof *forward.why);
	return result;
}
