/* The thread of alerts. See keeper_alerts.h; the members' prefixes are keeper_members.c. */
#include "hub/keeper_alerts.h"
#include "hub/keeper_notices.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/alerts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { READS_AT_A_TIME = 64, WAIT_MS = 250 };

/* --- open alerts come back ---------------------------------------------------------------------------------------- */

struct restoring {
	struct alerts *alerts;
	json_t *names; /* of columns */
	uint64_t restored, refused;
	struct err why;
};

static int restore_columns(void *context, const json_t *columns)
{
	struct restoring *restoring = context;
	size_t i;
	json_t *column;
	restoring->names = json_array();
	json_array_foreach(columns, i, column) json_array_append(restoring->names, json_object_get(column, "name"));
	return restoring->names ? 0 : -ENOMEM;
}

/* What cannot be understood is left where it is and counted: better one alert that does not end than no hub. */
static int restore_row(void *context, const json_t *row)
{
	struct restoring *restoring = context;
	json_t *finding = json_object(), *value;
	size_t i;
	json_array_foreach(row, i, value)
		json_object_set(finding, json_string_value(json_array_get(restoring->names, i)), value);
	if (livenet_restore(restoring->alerts->livenet, finding, &restoring->why) < 0)
		restoring->refused++;
	else
		restoring->restored++;
	json_decref(finding);
	return 0;
}

static int alerts_restore(struct alerts *alerts, struct err *err)
{
	struct restoring restoring = {.alerts = alerts};
	const struct store_rows rows = {restore_columns, restore_row, &restoring};
	struct query *query = NULL;
	json_t *json = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:i}], s:[{s:s}], s:i}", "kind",
				 "finding", "from", "1970-01-01", "to", "2200-01-01", "filters", "field", "type", "op",
				 "=", "value", "livenet", "field", "ended", "op", "=", "value", 0, "order", "by",
				 "time", "limit", QUERY_LIMIT_MAX);
	int result = json ? query_from_json(json, clock_now_ns(), &query, err) : -ENOMEM;
	json_decref(json);
	if (result == 0)
		result = store_query_rows(alerts->keeper->store, query, &rows, err);
	query_free(query);
	json_decref(restoring.names);
	if (restoring.refused)
		LOG(LOG_WARNING, "alerts.forgotten", restoring.why.text,
		    LOG_NUMBER("alerts", (int64_t)restoring.refused));
	if (result == 0)
		LOG(LOG_INFO, "alerts.restored", "open alerts are followed again",
		    LOG_NUMBER("alerts", (int64_t)restoring.restored));
	return result;
}

/* --- sightings to alerts ------------------------------------------------------------------------------------------ */

/* Findings on their way: gathered, so that they are stored with what they were made of. */
static int gather_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct alerts *alerts = (struct alerts *)((char *)sink - offsetof(struct alerts, gather));
	return batch_append(alerts->gathered, batch, err);
}

static void gathered_show(struct alerts *alerts)
{
	for (uint32_t row = 0; row < alerts->gathered->rows; row++)
		keeper_live_finding(alerts->keeper, alerts->gathered, row);
	keeper_notices_offer(alerts->keeper->notices, alerts->gathered);
	atomic_fetch_add(&alerts->keeper->findings_made, alerts->gathered->rows);
	batch_clear(alerts->gathered);
}

/* Under lock. 0 taken or seen before, -ENOSPC not now. */
static int sightings_take(struct alerts *alerts, const struct batch *sightings, unsigned *ret_news, struct err *err)
{
	struct keeper *keeper = alerts->keeper;
	int result = store_would_take(keeper->store, sightings, err);
	*ret_news = 0;
	if (result == 1)
		atomic_fetch_add(&keeper->batches_doubled, 1);
	if (result != 0)
		return result < 0 ? result : 0;
	int taken = livenet_take(alerts->livenet, sightings, &alerts->findings, ret_news, err);
	if (taken == 0)
		taken = findings_flush(&alerts->findings, err);
	if (taken < 0)
		LOG(LOG_ERROR, "alerts.failed", err->text);
	const struct batch *const batches[] = {sightings, alerts->gathered};
	result = store_put_together(keeper->store, batches, alerts->gathered->rows ? 2 : 1, err);
	if (result == 0)
		atomic_fetch_add(&keeper->batches_taken, 1);
	gathered_show(alerts);
	return result < 0 ? result : 0;
}

static void sensor_number_set(struct batch *batch, uint16_t number)
{
	for (uint32_t row = 0; row < batch->rows; row++)
		BATCH_COLUMN(batch, uint16_t, 1)[row] = number;
}

/* What is read of a sensor's ring. */
struct reading {
	struct batch *waiting; /* the store takes nothing */
	bool unflushed;
};

/* How old new sightings are when they are stored. */
static void fresh_note(struct alerts *alerts, const struct batch *batch)
{
	for (uint32_t row = 0; row < batch->rows; row++)
		if (BATCH_COLUMN(batch, uint8_t, 6)[row] && alerts->fresh_count < ALERTS_FRESH_MAX)
			alerts->fresh_ns[alerts->fresh_count++] = BATCH_COLUMN(batch, int64_t, 0)[row];
}

static bool ring_drain(struct alerts *alerts, unsigned sensor, struct reading *reading)
{
	struct keeper *keeper = alerts->keeper;
	struct ring *ring = keeper->setup->sighting_rings[sensor];
	struct err err = {""};
	for (unsigned i = 0; i < READS_AT_A_TIME; i++) {
		const void *data;
		size_t bytes;
		unsigned news;
		struct batch *batch = reading->waiting;
		int result = batch ? 1 : ring_take(ring, &data, &bytes, &err);
		if (result == 0)
			return false;
		if (result == 1 && !batch)
			result = batch_decode(data, bytes, &batch, &err);
		reading->waiting = NULL;
		if (result >= 0 && batch->kind != &record_sighting)
			result = err_set(&err, -EINVAL, "%s among sightings", batch->kind->name);
		if (result >= 0) {
			sensor_number_set(batch, keeper->sensors[sensor].number);
			pthread_mutex_lock(&alerts->lock);
			result = sightings_take(alerts, batch, &news, &err);
			pthread_mutex_unlock(&alerts->lock);
		}
		if (result == -ENOSPC) {
			reading->waiting = batch;
			return false;
		}
		if (result == 0 && keeper->setup->hub->sensors[sensor].live)
			fresh_note(alerts, batch);
		batch_free(batch);
		reading->unflushed = true;
		if (result < 0) {
			atomic_fetch_add(&keeper->batches_damaged, 1);
			LOG(LOG_WARNING, "batch.refused", err.text, LOG_TEXT("sensor", keeper->sensors[sensor].name));
		}
	}
	return true;
}

static void delays_note(struct alerts *alerts)
{
	int64_t now = clock_now_ns();
	pthread_mutex_lock(&alerts->lock);
	for (unsigned i = 0; i < alerts->fresh_count; i++)
		alerts->delays_ns[alerts->delay_count++ % ALERTS_DELAYS] = now - alerts->fresh_ns[i];
	pthread_mutex_unlock(&alerts->lock);
	alerts->fresh_count = 0;
}

/* True: all that was taken stands. */
static bool flush(struct alerts *alerts, struct reading *readings)
{
	struct keeper *keeper = alerts->keeper;
	struct err err = {""};
	int result = store_flush_urgent(keeper->store, &err);
	if (result < 0) {
		LOG(LOG_ERROR, "store.flush", err.text);
		return false;
	}
	delays_note(alerts);
	for (size_t i = 0; i < keeper->setup->hub->sensor_count; i++) {
		if (readings[i].unflushed && !readings[i].waiting)
			ring_release(keeper->setup->sighting_rings[i]);
		readings[i].unflushed = readings[i].unflushed && readings[i].waiting;
	}
	return true;
}

/* --- the end of alerts -------------------------------------------------------------------------------------------- */

/* Until when each sensor has observed. One of this hub says so itself; one elsewhere by what it hands in. */
static void observed_follow(struct alerts *alerts)
{
	struct keeper *keeper = alerts->keeper;
	const struct keeper_setup *setup = keeper->setup;
	uint32_t count = atomic_load(&keeper->sensor_count);
	for (uint32_t i = 0; i < count; i++) {
		const struct sensor_state *sensor = &keeper->sensors[i];
		const struct hub_sensor *own = sensor->local ? &setup->hub->sensors[i] : NULL;
		int64_t until_ns = atomic_load(&sensor->last_ns);
		if (own)
			until_ns =
				(int64_t)metric_sum(own->module->metrics, setup->metrics[i], "observed_milliseconds") *
				NS_PER_MS;
		struct observed *observed = &alerts->observed[i];
		/* a capture has no gaps but those of its packets, and was observed from its beginning */
		bool whole = own && !own->live;
		int64_t gap_ns = !own ? ALERTS_FAR_GAP_NS : whole ? INT64_MAX : ALERTS_GAP_NS;
		if (until_ns == 0 || until_ns <= observed->until_ns)
			continue;
		if (observed->until_ns == 0 || until_ns - observed->until_ns > gap_ns)
			observed->since_ns = whole ? 0 : until_ns;
		observed->until_ns = until_ns;
	}
}

static bool observed_of(void *context, uint16_t number, int64_t *ret_since_ns, int64_t *ret_until_ns)
{
	const struct alerts *alerts = context;
	uint32_t count = atomic_load(&alerts->keeper->sensor_count);
	for (uint32_t i = 0; i < count; i++) {
		if (alerts->keeper->sensors[i].number != number)
			continue;
		*ret_since_ns = alerts->observed[i].since_ns;
		*ret_until_ns = alerts->observed[i].until_ns;
		return alerts->observed[i].until_ns != 0;
	}
	return false;
}

/* What is quiet ends. True: something did. */
static bool alerts_tick(struct alerts *alerts)
{
	struct err err = {""};
	unsigned ended = 0;
	pthread_mutex_lock(&alerts->lock);
	observed_follow(alerts);
	int result = livenet_tick(alerts->livenet, observed_of, alerts, &alerts->findings, &ended, &err);
	if (result == 0)
		result = findings_flush(&alerts->findings, &err);
	if (result == 0 && alerts->gathered->rows) {
		const struct batch *const batches[] = {alerts->gathered};
		result = store_put_together(alerts->keeper->store, batches, 1, &err);
	}
	gathered_show(alerts);
	pthread_mutex_unlock(&alerts->lock);
	if (result < 0)
		LOG(LOG_ERROR, "alerts.failed", err.text);
	return ended > 0;
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static void rings_wait(struct keeper *keeper, const struct reading *readings)
{
	struct pollfd fds[LIMIT_SENSORS];
	size_t count = keeper->setup->hub->sensor_count;
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = readings[i].waiting ? -1 : ring_fd(keeper->setup->sighting_rings[i]),
					 .events = POLLIN};
	if (poll(fds, count, WAIT_MS) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (fds[i].revents)
			ring_quiet(keeper->setup->sighting_rings[i]);
}

void *alerts_main(void *context)
{
	struct keeper *keeper = context;
	struct alerts *alerts = keeper->alerts;
	size_t sensors = keeper->setup->hub->sensor_count;
	struct reading readings[LIMIT_SENSORS] = {{0}};
	int64_t ticked = 0;
	pthread_setname_np(pthread_self(), "alerts");
	for (bool last = false; !last;) {
		last = atomic_load(&keeper->stop);
		bool more = false, unflushed = false;
		for (unsigned i = 0; i < sensors; i++) {
			more = ring_drain(alerts, i, &readings[i]) || more;
			unflushed = unflushed || readings[i].unflushed;
		}
		if (clock_monotonic_ns() - ticked > NS_PER_S) {
			ticked = clock_monotonic_ns();
			unflushed = alerts_tick(alerts) || unflushed;
		}
		if (unflushed && !flush(alerts, readings) && !last)
			poll(NULL, 0, WAIT_MS);
		if (!more && !last)
			rings_wait(keeper, readings);
		last = last && !more;
	}
	for (unsigned i = 0; i < sensors; i++)
		batch_free(readings[i].waiting);
	return NULL;
}

/* --- for others --------------------------------------------------------------------------------------------------- */

int alerts_take_named(struct alerts *alerts, const struct batch *sightings, struct err *err)
{
	unsigned news;
	pthread_mutex_lock(&alerts->lock);
	int result = sightings_take(alerts, sightings, &news, err);
	pthread_mutex_unlock(&alerts->lock);
	return result == 0 ? store_flush_urgent(alerts->keeper->store, err) : result;
}

void alerts_forget(struct alerts *alerts, const char *finding_id)
{
	pthread_mutex_lock(&alerts->lock);
	(void)livenet_forget(alerts->livenet, finding_id);
	pthread_mutex_unlock(&alerts->lock);
}

static int delay_compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return a < b ? -1 : a > b;
}

json_t *alerts_status(struct alerts *alerts)
{
	static const int64_t none;
	int64_t delays[ALERTS_DELAYS];
	pthread_mutex_lock(&alerts->lock);
	size_t count = alerts->delay_count < ALERTS_DELAYS ? alerts->delay_count : ALERTS_DELAYS;
	memcpy(delays, alerts->delays_ns, count * sizeof *delays);
	size_t open = livenet_open(alerts->livenet);
	uint64_t refused = livenet_refused(alerts->livenet);
	pthread_mutex_unlock(&alerts->lock);
	qsort(delays, count, sizeof *delays, delay_compare);
	const int64_t *p50 = count ? &delays[count / 2] : &none,
		      *p99 = count ? &delays[(count * 99 + 99) / 100 - 1] : &none;
	const int64_t *most = count ? &delays[count - 1] : &none;
	return json_pack("{s:I, s:I, s:I, s:I, s:{s:I, s:f, s:f, s:f}}", "open", (json_int_t)open, "refused",
			 (json_int_t)refused, "prefixes", (json_int_t)atomic_load(&alerts->prefixes), "published",
			 (json_int_t)atomic_load(&alerts->published), "stored_ms", "count", (json_int_t)count, "p50",
			 (double)*p50 / 1e6, "p99", (double)*p99 / 1e6, "most", (double)*most / 1e6);
}

int alerts_open(struct keeper *keeper, struct alerts **ret_alerts, struct err *err)
{
	struct alerts *alerts = calloc(1, sizeof *alerts);
	if (!alerts)
		return err_set(err, -ENOMEM, "no memory for alerts");
	alerts->keeper = keeper;
	alerts->gather.put = gather_put;
	pthread_mutex_init(&alerts->lock, NULL);
	pthread_rwlock_init(&alerts->list_lock, NULL);
	alerts->pool = pool_new(NULL, "livenet");
	alerts->gathered = batch_new(&record_finding, 256);
	int result = alerts->pool && alerts->gathered && findings_init(&alerts->findings, &alerts->gather) == 0
			     ? 0
			     : err_set(err, -ENOMEM, "no memory for alerts");
	if (result == 0)
		result = livenet_new(&keeper->setup->options->livenet, alerts->pool, &alerts->livenet, err);
	if (result == 0)
		result = alerts_restore(alerts, err);
	for (size_t i = 0; i < keeper->setup->hub->sensor_count && result == 0; i++)
		ring_consume(keeper->setup->sighting_rings[i]);
	if (result < 0) {
		alerts_close(alerts);
		return result;
	}
	*ret_alerts = alerts;
	return 0;
}

void alerts_close(struct alerts *alerts)
{
	if (!alerts)
		return;
	findings_done(&alerts->findings);
	batch_free(alerts->gathered);
	batch_free(alerts->far);
	pool_free(alerts->pool);
	pool_free(alerts->list_pool);
	pthread_mutex_destroy(&alerts->lock);
	pthread_rwlock_destroy(&alerts->list_lock);
	free(alerts);
}
