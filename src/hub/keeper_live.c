/* The live thread: sparks of all sensors -> one frame each 100 ms -> the front. Findings and greetings go the same way.
 *
 * Sparks come by rings of their own, so that a minute's worth of tuples being stored never delays the picture. A frame
 * is built only when somebody looks. What the front does not take at once is dropped: the next frame is newer anyway.
 */
#include "hub/keeper.h"

#include "analyze/finding.h"
#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, ARC_BYTES_MAX = 224 };

struct spark_columns {
	const int64_t *time;
	const struct addr *source, *target;
	const uint8_t *kind, *tool, *protocol;
	const uint16_t *port;
	const uint32_t *packets;
};

struct frame_work {
	uint64_t kinds[PACKET_KINDS];
	uint64_t ring[10]; /* packets of the last ten ticks */
	unsigned tick, arcs;
	int64_t newest_ns;
	size_t used;
	char arcs_text[LIMIT_LIVE_ARCS * ARC_BYTES_MAX];
	char text[LIMIT_LIVE_ARCS * ARC_BYTES_MAX + 512];
};

void keeper_live_send(struct keeper *keeper, enum live_event event, const char *json, size_t bytes)
{
	if (bytes > LIMIT_MESSAGE_BYTES)
		return;
	pthread_mutex_lock(&keeper->live_lock);
	/* Microseconds: grows over restarts too. */
	uint64_t number = (uint64_t)clock_now_ns() / 1000, last = atomic_load(&keeper->live_number);
	if (number <= last)
		number = last + 1;
	atomic_store(&keeper->live_number, number);
	const struct message_head head = {.type = MESSAGE_LIVE, .number = event, .id = number};
	(void)!message_send(keeper->setup->live_fd, &head, json, bytes, 0);
	pthread_mutex_unlock(&keeper->live_lock);
}

static void live_json(struct keeper *keeper, enum live_event event, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	json_decref(json);
	if (text)
		keeper_live_send(keeper, event, text, strlen(text));
	free(text);
}

static json_t *names_json(const char *const *names)
{
	json_t *array = json_array();
	for (size_t i = 0; names[i]; i++)
		json_array_append_new(array, json_string(names[i]));
	return array;
}

void keeper_live_hello(struct keeper *keeper)
{
	const struct hub_setup *hub = keeper->setup->hub;
	live_json(keeper, LIVE_HELLO,
		  json_pack("{s:{s:f, s:f, s:s}, s:o, s:o, s:i, s:I}", "darknet", "latitude", hub->darknet_latitude,
			    "longitude", hub->darknet_longitude, "label", hub->darknet_label ? hub->darknet_label : "",
			    "kinds", names_json(packet_kind_names), "tools", names_json(scan_tool_names), "tick_ms",
			    TICK_MS, "now", (json_int_t)(clock_now_ns() / NS_PER_MS)));
}

json_t *finding_json(const struct batch *batch, uint32_t row)
{
	json_t *json = json_object();
	for (size_t i = 0; batch->kind->columns[i].name; i++) {
		const struct column *column = &batch->kind->columns[i];
		const struct text *text = (const struct text *)batch->columns[i] + row;
		json_t *value = NULL;
		switch (column->type) {
		case COLUMN_TIME:
			value = json_time(((const int64_t *)batch->columns[i])[row]);
			break;
		case COLUMN_CODE:
			value = json_string(column->codes[((const uint8_t *)batch->columns[i])[row]]);
			break;
		case COLUMN_U8: /* `ended` */
			value = json_boolean(((const uint8_t *)batch->columns[i])[row]);
			break;
		case COLUMN_U16:
			value = json_integer(((const uint16_t *)batch->columns[i])[row]);
			break;
		case COLUMN_U32:
			value = json_integer(((const uint32_t *)batch->columns[i])[row]);
			break;
		case COLUMN_U64:
			value = json_integer((json_int_t)((const uint64_t *)batch->columns[i])[row]);
			break;
		case COLUMN_F64:
			value = json_real(((const double *)batch->columns[i])[row]);
			break;
		case COLUMN_JSON:
			value = json_loadb(text->bytes, text->length, 0, NULL);
			break;
		case COLUMN_TEXT:
			value = json_stringn(text->bytes, text->length);
			break;
		case COLUMN_ADDR:
		case COLUMN_BLOB:
			break; /* findings have none */
		}
		json_object_set_new(json, column->name, value ? value : json_null());
	}
	return json;
}

void keeper_live_finding(struct keeper *keeper, const struct batch *batch, uint32_t row)
{
	json_t *finding = finding_json(batch, row), *ground = json_object_get(finding, "ground");
	if (json_object_get(ground, "derive") && !json_object_get(ground, "command"))
		json_object_set(ground, "command", json_object_get(ground, "derive"));
	live_json(keeper, LIVE_FINDING, finding);
}

static void arc_add(struct keeper *keeper, struct frame_work *work, const struct spark_columns *columns, uint32_t row)
{
	struct place place;
	char source[ADDR_TEXT_BYTES], target[ADDR_TEXT_BYTES], country[3];
	places_find(keeper->places, &columns->source[row], &place);
	if (work->arcs >= LIMIT_LIVE_ARCS)
		return;
	int bytes = snprintf(work->arcs_text + work->used, ARC_BYTES_MAX,
			     "%s[\"%s\",%.2f,%.2f,\"%s\",%u,%u,%u,%u,%u,%u,\"%s\"]", work->arcs ? "," : "",
			     addr_format(&columns->source[row], source), (double)place.latitude,
			     (double)place.longitude, country_format(place.country, country), place.network,
			     columns->kind[row], columns->tool[row], columns->protocol[row], columns->port[row],
			     columns->packets[row], addr_format(&columns->target[row], target));
	if (bytes <= 0 || bytes >= ARC_BYTES_MAX)
		return;
	work->used += (size_t)bytes;
	work->arcs++;
}

static void sparks_take(struct keeper *keeper, struct sensor_state *sensor, struct frame_work *work,
			const struct batch *batch, bool arcs)
{
	static const struct addr nobody;
	struct spark_columns columns = {
		.time = batch->columns[record_column_index(batch->kind, "time")],
		.source = batch->columns[record_column_index(batch->kind, "source")],
		.target = batch->columns[record_column_index(batch->kind, "target")],
		.kind = batch->columns[record_column_index(batch->kind, "kind")],
		.tool = batch->columns[record_column_index(batch->kind, "tool")],
		.protocol = batch->columns[record_column_index(batch->kind, "protocol")],
		.port = batch->columns[record_column_index(batch->kind, "port")],
		.packets = batch->columns[record_column_index(batch->kind, "packets")],
	};
	for (uint32_t row = 0; row < batch->rows; row++) {
		if (columns.time[row] > work->newest_ns)
			work->newest_ns = columns.time[row];
		if (columns.time[row] > atomic_load(&sensor->last_ns))
			atomic_store(&sensor->last_ns, columns.time[row]);
		if (addr_compare(&columns.source[row], &nobody) == 0) {
			work->kinds[columns.kind[row]] += columns.packets[row];
			sensor->rate_ticks[work->tick % 10] += columns.packets[row];
		} else if (arcs) {
			arc_add(keeper, work, &columns, row);
		}
	}
}

static void live_rings_drain(struct keeper *keeper, struct frame_work *work, bool arcs)
{
	struct err err = {""};
	for (size_t i = 0; i < keeper->setup->hub->sensor_count; i++) {
		struct ring *ring = keeper->setup->live_rings[i];
		const void *data;
		size_t bytes;
		int result;
		for (unsigned reads = 0; reads < 64 && (result = ring_take(ring, &data, &bytes, &err)) != 0; reads++) {
			struct batch *batch = NULL;
			if (result == 1)
				result = batch_decode(data, bytes, &batch, &err);
			if (result >= 0 && batch->kind == &record_spark)
				sparks_take(keeper, &keeper->sensors[i], work, batch, arcs);
			else
				atomic_fetch_add(&keeper->batches_damaged, 1);
			batch_free(batch);
		}
		ring_release(ring);
		ring_quiet(ring);
	}
}

static void rates_move(struct keeper *keeper, struct frame_work *work)
{
	uint64_t tick = 0, all = 0;
	for (unsigned i = 0; i < PACKET_KINDS; i++)
		tick += work->kinds[i];
	work->ring[work->tick % 10] = tick;
	for (unsigned i = 0; i < 10; i++)
		all += work->ring[i];
	atomic_store(&keeper->rate, all);
	work->tick++;
	for (size_t s = 0; s < keeper->setup->hub->sensor_count; s++) {
		struct sensor_state *sensor = &keeper->sensors[s];
		uint64_t sum = 0;
		for (unsigned i = 0; i < 10; i++)
			sum += sensor->rate_ticks[i];
		atomic_store(&sensor->rate, sum);
		sensor->rate_ticks[work->tick % 10] = 0;
	}
}

/* Packets of now: how old the newest of a frame is. Those of a capture file have no such age. */
static void latency_measure(struct keeper *keeper, const struct frame_work *work)
{
	int64_t latency = (clock_now_ns() - work->newest_ns) / NS_PER_MS;
	if (work->newest_ns != 0)
		atomic_store(&keeper->latency_ms, latency >= 0 && latency <= 60000 ? latency : 0);
}

static void frame_send(struct keeper *keeper, struct frame_work *work)
{
	int64_t now = clock_now_ns(), latency = atomic_load(&keeper->latency_ms);
	const uint64_t *k = work->kinds;
	int bytes = snprintf(work->text, sizeof work->text,
			     "{\"t\":%lld,\"pps\":%llu,\"kinds\":[%llu,%llu,%llu,%llu,%llu,%llu],\"latency_ms\":%lld,"
			     "\"arcs\":[%.*s]}",
			     (long long)(now / NS_PER_MS), (unsigned long long)atomic_load(&keeper->rate),
			     (unsigned long long)k[0], (unsigned long long)k[1], (unsigned long long)k[2],
			     (unsigned long long)k[3], (unsigned long long)k[4], (unsigned long long)k[5],
			     (long long)latency, (int)work->used, work->arcs_text);
	_Static_assert(PACKET_KINDS == 6, "a frame lists every kind");
	keeper_live_send(keeper, LIVE_FRAME, work->text, (size_t)bytes);
}

void *keeper_live_main(void *context)
{
	struct keeper *keeper = context;
	struct frame_work *work = calloc(1, sizeof *work);
	pthread_setname_np(pthread_self(), "live");
	if (!work)
		return NULL;
	keeper_live_hello(keeper);
	int64_t next = clock_monotonic_ns();
	while (!atomic_load(&keeper->stop)) {
		next += TICK_MS * NS_PER_MS;
		int64_t now = clock_monotonic_ns();
		if (next < now - 10 * TICK_MS * NS_PER_MS)
			next = now;
		struct timespec until = {.tv_sec = next / NS_PER_S, .tv_nsec = next % NS_PER_S};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		bool watched = atomic_load(&keeper->setup->fronts[0]->live_clients) > 0;
		live_rings_drain(keeper, work, watched);
		rates_move(keeper, work);
		latency_measure(keeper, work);
		if (watched)
			frame_send(keeper, work);
		memset(work->kinds, 0, sizeof work->kinds);
		work->arcs = 0;
		work->used = 0;
		work->newest_ns = 0;
	}
	free(work);
	return NULL;
}
