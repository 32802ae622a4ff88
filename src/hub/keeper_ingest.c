/* The ingest thread: rings and handed-in batches -> places -> store -> detectors -> findings.
 *
 * What was read from a ring is given back only after store_flush(): a keeper that is killed leaves the rest to its
 * successor, and what was stored twice the store tells by boot and sequence. While the store takes nothing (no room on
 * the disk) reading stops, the rings fill, live sensors count what they lose and the others wait.
 */
#include "hub/keeper.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/keeper_alerts.h"
#include "sys/child.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READS_AT_A_TIME = 64, FLUSH_MS = 1000 };

static int detectors_begin(struct keeper *keeper, struct err *err)
{
	struct vantage vantage = {0};
	const struct prefix_list *darknet = keeper->setup->hub->darknet;
	for (size_t i = 0; darknet && i < darknet->count; i++)
		if (addr_is_v4(&darknet->items[i].addr) && darknet->items[i].bits >= 96)
			vantage.darknet_addresses += UINT64_C(1) << (128 - darknet->items[i].bits);
	pool_free(keeper->detectors_pool);
	keeper->detectors_pool = pool_new(NULL, "detectors");
	return detectors_new(NULL, &vantage, &keeper->findings, keeper->detectors_pool, &keeper->detectors, err);
}

static void detectors_figures(struct keeper *keeper)
{
	for (size_t i = 0; i < detectors_count() && i < 32; i++) {
		atomic_store(&keeper->detector_findings[i], detectors_findings(keeper->detectors, i));
		atomic_store(&keeper->detector_refused[i], detectors_refused(keeper->detectors, i));
		atomic_store(&keeper->detector_bytes[i], detectors_bytes(keeper->detectors, i));
	}
}

static void sensor_column_set(struct batch *batch, uint16_t number)
{
	int column = record_column_index(batch->kind, "sensor");
	for (uint32_t row = 0; column >= 0 && row < batch->rows; row++)
		BATCH_COLUMN(batch, uint16_t, column)[row] = number;
}

/* Names are a stranger's: only those that could be ours. */
static void anomaly_take(struct sensor_state *sensor, const struct text *text, uint64_t packets)
{
	static const char prefix[] = "malformed.";
	size_t skipped = sizeof prefix - 1;
	if (text->length <= skipped || memcmp(text->bytes, prefix, skipped) != 0)
		return;
	const char *name = text->bytes + skipped;
	size_t length = text->length - skipped;
	if (length >= sizeof sensor->anomalies->name)
		return;
	for (size_t i = 0; i < length; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name[i]) || !name[i])
			return;
	for (size_t i = 0; i < LIMIT_ANOMALIES; i++) {
		struct sensor_anomaly *anomaly = &sensor->anomalies[i];
		if (!anomaly->name[0])
			memcpy(anomaly->name, name, length);
		if (strlen(anomaly->name) == length && memcmp(anomaly->name, name, length) == 0) {
			anomaly->packets += packets;
			return;
		}
	}
}

static void health_take(struct keeper *keeper, struct sensor_state *sensor, const struct batch *batch)
{
	static const char *const names[] = {"packets", "bytes", "outside", "lost"};
	_Atomic uint64_t *const figures[] = {&sensor->packets, &sensor->bytes, &sensor->outside, &sensor->lost};
	const struct text *texts = batch->columns[record_column_index(batch->kind, "name")];
	const uint64_t *values = batch->columns[record_column_index(batch->kind, "value")];
	pthread_mutex_lock(&keeper->sensors_lock);
	for (uint32_t row = 0; row < batch->rows; row++) {
		for (unsigned i = 0; i < 4; i++)
			if (texts[row].length == strlen(names[i]) &&
			    memcmp(texts[row].bytes, names[i], texts[row].length) == 0)
				atomic_fetch_add(figures[i], values[row]);
		anomaly_take(sensor, &texts[row], values[row]);
	}
	pthread_mutex_unlock(&keeper->sensors_lock);
}

static void sensor_last(struct sensor_state *sensor, const struct batch *batch)
{
	int column = record_column_index(batch->kind, "last");
	int64_t newest = atomic_load(&sensor->last_ns);
	for (uint32_t row = 0; column >= 0 && row < batch->rows; row++)
		if (BATCH_COLUMN(batch, int64_t, column)[row] > newest)
			newest = BATCH_COLUMN(batch, int64_t, column)[row];
	atomic_store(&sensor->last_ns, newest);
}

/* One batch on its way. 0 taken (or seen before), -ENOSPC not now, other negative: it cannot be taken. */
static int batch_take(struct keeper *keeper, struct sensor_state *sensor, struct batch *batch, struct err *err)
{
	if (batch->kind == &record_spark || batch->kind == &record_rollup || batch->kind == &record_finding ||
	    batch->kind == &record_sighting)
		return err_set(err, -EINVAL, "a sensor does not hand in records of kind %s", batch->kind->name);
	sensor_column_set(batch, sensor->number);
	int far = alerts_take_far(keeper->alerts, sensor, batch, err);
	if (far == -ENOSPC)
		return far;
	if (far < 0)
		LOG(LOG_ERROR, "alerts.failed", err->text);
	if (batch->kind == &record_tuple) {
		const struct addr *sources = batch->columns[record_column_index(batch->kind, "source")];
		places_find_many(keeper->places, sources, batch->rows,
				 batch->columns[record_column_index(batch->kind, "country")],
				 batch->columns[record_column_index(batch->kind, "network")]);
	}
	int result = store_put(keeper->store, batch, err);
	if (result == 1)
		atomic_fetch_add(&keeper->batches_doubled, 1);
	if (result != 0)
		return result < 0 ? result : 0;
	atomic_fetch_add(&keeper->batches_taken, 1);
	sensor_last(sensor, batch);
	if (batch->kind == &record_health)
		health_take(keeper, sensor, batch);
	result = detectors_take(keeper->detectors, batch, err);
	if (result < 0)
		LOG(LOG_ERROR, "detectors.failed", err->text);
	return 0;
}

static void intake_stop(struct keeper *keeper, const struct err *err)
{
	if (keeper->stopped)
		return;
	keeper->stopped = true;
	LOG(LOG_ERROR, "intake.stopped", err->text);
	keeper_alarm(keeper, "store", "hub.intake", SEVERITY_HIGH, false,
		     json_pack("{s:s, s:s}", "reason", err->text, "command", "yagura status"));
}

static void intake_resume(struct keeper *keeper)
{
	if (!keeper->stopped)
		return;
	keeper->stopped = false;
	LOG(LOG_INFO, "intake.resumed", "the store takes records again");
	keeper_alarm(keeper, "store", "hub.intake", SEVERITY_HIGH, true,
		     json_pack("{s:s}", "command", "yagura status"));
}

/* What is read of a sensor's ring but could not be put yet waits here. */
struct intake {
	struct batch *waiting;
	bool unflushed;
};

/* Up to some records of one ring. True: there may be more. */
static bool ring_drain(struct keeper *keeper, unsigned sensor, struct intake *intake)
{
	struct ring *ring = keeper->setup->rings[sensor];
	struct err err = {""};
	for (unsigned i = 0; i < READS_AT_A_TIME; i++) {
		const void *data;
		size_t bytes;
		struct batch *batch = intake->waiting;
		int result = batch ? 1 : ring_take(ring, &data, &bytes, &err);
		if (result == 0)
			return false;
		if (result == 1 && !batch)
			result = batch_decode(data, bytes, &batch, &err);
		intake->waiting = NULL;
		if (result >= 0)
			result = batch_take(keeper, &keeper->sensors[sensor], batch, &err);
		if (result == -ENOSPC) {
			intake->waiting = batch;
			intake_stop(keeper, &err);
			return false;
		}
		batch_free(batch);
		intake->unflushed = true;
		if (result < 0) {
			atomic_fetch_add(&keeper->batches_damaged, 1);
			LOG(LOG_WARNING, "batch.refused", err.text, LOG_TEXT("sensor", keeper->sensors[sensor].name));
		}
	}
	return true;
}

/* All of a request or nothing to tell it by: batches that were stored and sent again are doubles. */
static void handed_take(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->handed_lock);
	struct handed_in *list = keeper->handed;
	keeper->handed = NULL;
	keeper->handed_end = &keeper->handed;
	pthread_mutex_unlock(&keeper->handed_lock);
	if (!list)
		return;
	for (struct handed_in *handed = list; handed; handed = handed->next) {
		struct sensor_state *sensor = keeper_sensor(keeper, handed->name);
		handed->result = sensor ? 0 : err_set(&handed->err, -EBUSY, "there are too many sensors");
		for (size_t i = 0; i < handed->count && handed->result == 0; i++)
			handed->result = batch_take(keeper, sensor, handed->batches[i], &handed->err);
	}
	struct err err = {""};
	int flushed = store_flush(keeper->store, &err);
	pthread_mutex_lock(&keeper->handed_lock);
	for (struct handed_in *handed = list, *next; handed; handed = next) {
		next = handed->next;
		if (handed->result == 0 && flushed < 0) {
			handed->result = flushed;
			handed->err = err;
		}
		handed->done = true;
		keeper->handed_count--;
	}
	pthread_cond_broadcast(&keeper->handed_done);
	pthread_mutex_unlock(&keeper->handed_lock);
}

int keeper_hand_in(struct keeper *keeper, struct handed_in *handed)
{
	pthread_mutex_lock(&keeper->handed_lock);
	if (keeper->handed_count >= LIMIT_INGEST_QUEUE || atomic_load(&keeper->stop)) {
		pthread_mutex_unlock(&keeper->handed_lock);
		return err_set(&handed->err, -EBUSY, "the hub is behind; send it again in a moment");
	}
	handed->next = NULL;
	*keeper->handed_end = handed;
	keeper->handed_end = &handed->next;
	keeper->handed_count++;
	uint64_t one = 1;
	(void)!write(keeper->handed_fd, &one, sizeof one);
	while (!handed->done)
		pthread_cond_wait(&keeper->handed_done, &keeper->handed_lock);
	pthread_mutex_unlock(&keeper->handed_lock);
	return handed->result;
}

static void flush(struct keeper *keeper, struct intake *intakes)
{
	struct err err = {""};
	keeper_owed_put(keeper);
	int result = store_flush(keeper->store, &err);
	if (result == -ENOSPC)
		intake_stop(keeper, &err);
	else if (result < 0)
		LOG(LOG_ERROR, "store.flush", err.text);
	if (result < 0)
		return;
	bool waiting = false;
	for (size_t i = 0; i < keeper->setup->hub->sensor_count; i++) {
		if (intakes[i].waiting)
			waiting = true;
		else if (intakes[i].unflushed)
			ring_release(keeper->setup->rings[i]);
		intakes[i].unflushed = false;
	}
	if (!waiting)
		intake_resume(keeper);
	detectors_figures(keeper);
}

/* When the last sensor that can end (a capture file) has ended and its ring is empty, what is still open is said. */
static void ended_check(struct keeper *keeper, struct err *err)
{
	bool news = false, all = true;
	for (size_t i = 0; i < keeper->setup->hub->sensor_count; i++) {
		const struct hub_process *process = &keeper->setup->shared->processes[PROCESS_SENSORS + i];
		bool ended = atomic_load(&process->state) == CHILD_ENDED &&
			     ring_counters(keeper->setup->rings[i]).waiting_bytes == 0;
		all = all && ended;
		news = news || (ended && !keeper->sensors[i].ended_done);
		if (ended && all)
			keeper->sensors[i].ended_done = true;
	}
	if (!all || !news)
		return;
	if (detectors_finish(keeper->detectors, err) < 0 || detectors_begin(keeper, err) < 0)
		LOG(LOG_ERROR, "detectors.failed", err->text);
	if (store_flush(keeper->store, err) == 0 && store_roll_up(keeper->store, clock_now_ns(), err) == 0)
		LOG(LOG_INFO, "sensors.ended", "every sensor has come to its end; all of it is stored");
}

static void rings_wait(struct keeper *keeper, const struct intake *intakes, int wait_ms)
{
	struct pollfd fds[LIMIT_SENSORS + 1];
	size_t count = keeper->setup->hub->sensor_count;
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = intakes[i].waiting ? -1 : ring_fd(keeper->setup->rings[i]),
					 .events = POLLIN};
	fds[count] = (struct pollfd){.fd = keeper->handed_fd, .events = POLLIN};
	if (poll(fds, count + 1, wait_ms) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (fds[i].revents)
			ring_quiet(keeper->setup->rings[i]);
	uint64_t signalled;
	if (fds[count].revents)
		(void)!read(keeper->handed_fd, &signalled, sizeof signalled);
}

void *keeper_ingest_main(void *context)
{
	struct keeper *keeper = context;
	size_t sensors = keeper->setup->hub->sensor_count;
	struct intake intakes[LIMIT_SENSORS] = {{0}};
	struct err err = {""};
	pthread_setname_np(pthread_self(), "ingest");
	if (detectors_begin(keeper, &err) < 0) {
		LOG(LOG_ERROR, "detectors.failed", err.text);
		_exit(1);
	}
	int64_t flushed = 0;
	for (bool last = false; !last;) {
		last = atomic_load(&keeper->stop);
		bool more = false, half_full = false;
		for (unsigned i = 0; i < sensors; i++) {
			if (!intakes[i].waiting || clock_monotonic_ns() - flushed > FLUSH_MS * NS_PER_MS)
				more = ring_drain(keeper, i, &intakes[i]) || more;
			struct ring_counters counters = ring_counters(keeper->setup->rings[i]);
			half_full = half_full || counters.waiting_bytes > counters.room_bytes / 2;
		}
		handed_take(keeper);
		if (last || half_full || clock_monotonic_ns() - flushed > FLUSH_MS * NS_PER_MS) {
			flush(keeper, intakes);
			flushed = clock_monotonic_ns();
			ended_check(keeper, &err);
		}
		if (!more && !last)
			rings_wait(keeper, intakes, FLUSH_MS / 4);
		last = last && !more;
	}
	for (unsigned i = 0; i < sensors; i++)
		batch_free(intakes[i].waiting);
	handed_take(keeper);
	detectors_free(keeper->detectors);
	pool_free(keeper->detectors_pool);
	batch_free(keeper->owed);
	free(keeper->closed);
	return NULL;
}
