/* A sensor's process. See sensor.h.
 *
 * Its sink encodes batches into a ring: sparks into the small live ring, which loses rather than waits; sightings of
 * members into one of their own, so that they stand behind nothing; everything else into the large one, where a sensor
 * that reads files waits for the keeper as long as it takes, and a live one for some seconds, because its own capture
 * ring holds about as much.
 */
#include "hub/sensor.h"

#include "core/log.h"
#include "record/batch.h"
#include "sys/child.h"
#include "sys/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_WAIT_MS = 5000 };

struct ring_sink {
	struct sink sink;
	const struct sensor_setup *setup;
	uint8_t *room;
	size_t room_bytes;
};

static _Atomic bool sensor_stop;

static void stop_on_signal(int number)
{
	(void)number;
	atomic_store(&sensor_stop, true);
}

static int ring_sink_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct ring_sink *own = (struct ring_sink *)sink;
	size_t bytes = batch_encoded_bytes(batch);
	if (bytes > own->room_bytes) {
		uint8_t *grown = realloc(own->room, bytes);
		if (!grown)
			return err_set(err, -ENOMEM, "no memory for a batch of %zu bytes", bytes);
		own->room = grown;
		own->room_bytes = bytes;
	}
	batch_encode(batch, own->room);
	if (batch->kind == &record_spark) {
		(void)!ring_write(own->setup->live_ring, own->room, bytes, 0, NULL);
		return 0;
	}
	struct ring *ring = batch->kind == &record_sighting && own->setup->sighting_ring ? own->setup->sighting_ring
											 : own->setup->ring;
	return ring_write(ring, own->room, bytes, own->setup->sensor->live ? LIVE_WAIT_MS : -1, err);
}

static int sensor_confine(const struct sensor_setup *setup, struct err *err)
{
	const struct confine_policy policy = {.read_paths = setup->sensor->read_paths,
					      .threads = true,
					      .raw = setup->sensor->module->needs.raw_sockets,
					      .uid = setup->uid,
					      .gid = setup->gid};
	int result = confine(&policy, setup->unconfined, err);
	if (result == 1)
		LOG(LOG_WARNING, "sensor.unconfined", "the kernel lacks Landlock or seccomp; running without");
	return result < 0 ? result : 0;
}

int sensor_run(const struct sensor_setup *setup, struct err *err)
{
	const struct module *module = setup->sensor->module;
	struct ring_sink sink = {.sink = {.put = ring_sink_put}, .setup = setup};
	struct module_instance *instance = NULL;
	int keep[6];
	unsigned kept = 4;
	log_setup(setup->sensor->name, LOG_INFO, -1);
	ring_fds(setup->ring, keep);
	ring_fds(setup->live_ring, keep + 2);
	if (setup->sighting_ring) {
		ring_fds(setup->sighting_ring, keep + 4);
		kept = 6;
		ring_produce(setup->sighting_ring);
	}
	child_keep_only(keep, kept);
	ring_produce(setup->ring);
	ring_produce(setup->live_ring);
	const struct sigaction stop = {.sa_handler = stop_on_signal};
	sigaction(SIGTERM, &stop, NULL);
	struct pool *pool = pool_new(NULL, module->name);
	int result = pool ? module->open(setup->sensor->options, pool, &instance, err) : -ENOMEM;
	if (result == 0)
		result = sensor_confine(setup, err);
	if (result == 0)
		result = module->start(instance, &sink.sink, setup->metrics, err);
	if (result == 0) {
		LOG(LOG_INFO, "sensor.started", "the sensor observes", LOG_TEXT("sensor", setup->sensor->name));
		result = module->run(instance, &sensor_stop, err);
	}
	if (result < 0)
		LOG(LOG_ERROR, "sensor.failed", err->text, LOG_TEXT("sensor", setup->sensor->name));
	if (instance)
		module->close(instance);
	pool_free(pool);
	free(sink.room);
	return result;
}
