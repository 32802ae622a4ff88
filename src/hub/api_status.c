/* How the system is: store, sensors, processes, live stream; and the same as metrics. */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "hub/keeper_alerts.h"
#include "sys/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *instant(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];
	return time_ns > 0 ? json_string(time_format(time_ns, text)) : json_null();
}

static void anomaly_add(json_t *object, const char *name, uint64_t packets)
{
	if (packets)
		json_object_set_new(object, name, json_integer((json_int_t)packets));
}

/* Malformed packets by name: of a sensor here the figures that it keeps with the label "anomaly", of one elsewhere what
 * its health records said. */
static json_t *malformed_json(struct keeper *keeper, const struct sensor_state *sensor, size_t i)
{
	json_t *object = json_object();
	if (!sensor->local) {
		pthread_mutex_lock(&keeper->sensors_lock);
		for (size_t a = 0; a < LIMIT_ANOMALIES && sensor->anomalies[a].name[0]; a++)
			anomaly_add(object, sensor->anomalies[a].name, sensor->anomalies[a].packets);
		pthread_mutex_unlock(&keeper->sensors_lock);
		return object;
	}
	const struct module *module = keeper->setup->hub->sensors[i].module;
	const _Atomic uint64_t *value = keeper->setup->metrics[i];
	for (const struct metric_spec *metric = module->metrics; metric && metric->name; metric++) {
		bool wanted = metric->label && strcmp(metric->label, "anomaly") == 0;
		size_t places = metric_places(metric);
		for (size_t place = 0; wanted && place < places; place++)
			anomaly_add(object, metric->label_values[place],
				    atomic_load_explicit(&value[place], memory_order_relaxed));
		value += places;
	}
	return object;
}

static json_t *sensor_json(struct api_call *call, const struct sensor_state *sensor, size_t i)
{
	static const char *const states[] = {"lost", "running", "restarting", "ended"};
	const struct keeper_setup *setup = call->keeper->setup;
	uint64_t packets = atomic_load(&sensor->packets), bytes = atomic_load(&sensor->bytes);
	uint64_t outside = atomic_load(&sensor->outside), lost = atomic_load(&sensor->lost), restarts = 0;
	int64_t last_ns = atomic_load(&sensor->last_ns);
	const char *state = clock_now_ns() - last_ns < 5 * NS_PER_MINUTE ? "running" : "lost";
	if (sensor->local) {
		const struct hub_process *process = &setup->shared->processes[PROCESS_SENSORS + i];
		const struct module *module = setup->hub->sensors[i].module;
		struct ring_counters ring = ring_counters(setup->rings[i]);
		state = states[atomic_load(&process->state) & 3];
		restarts = atomic_load(&process->restarts);
		outside = metric_sum(module->metrics, setup->metrics[i], "outside_total");
		packets = metric_sum(module->metrics, setup->metrics[i], "packets_total") + outside;
		bytes = metric_sum(module->metrics, setup->metrics[i], "bytes_total");
		lost = metric_sum(module->metrics, setup->metrics[i], "lost_total");
		last_ns = (int64_t)metric_sum(module->metrics, setup->metrics[i], "last_packet_seconds") * NS_PER_S;
		if (last_ns == 0)
			last_ns = atomic_load(&sensor->last_ns);
		return json_pack("{s:i, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:b, s:I, s:I}", "id",
				 (int)sensor->number, "name", sensor->name, "state", state, "last_packet",
				 instant(last_ns), "packets", (json_int_t)packets, "bytes", (json_int_t)bytes, "pps",
				 (json_int_t)atomic_load(&sensor->rate), "lost", (json_int_t)lost, "outside",
				 (json_int_t)outside, "malformed", malformed_json(call->keeper, sensor, i), "restarts",
				 (json_int_t)restarts, "remote", 0, "ring_waiting_bytes",
				 (json_int_t)ring.waiting_bytes, "ring_lost_batches", (json_int_t)ring.lost_records);
	}
	return json_pack("{s:i, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:b}", "id", (int)sensor->number,
			 "name", sensor->name, "state", state, "last_packet", instant(last_ns), "packets",
			 (json_int_t)packets, "bytes", (json_int_t)bytes, "pps", (json_int_t)0, "lost",
			 (json_int_t)lost, "outside", (json_int_t)outside, "malformed",
			 malformed_json(call->keeper, sensor, i), "restarts", (json_int_t)0, "remote", 1);
}

static json_t *sensors_json(struct api_call *call)
{
	json_t *array = json_array();
	uint32_t count = atomic_load(&call->keeper->sensor_count);
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(array, sensor_json(call, &call->keeper->sensors[i], i));
	return array;
}

static json_t *processes_json(const struct keeper_setup *setup)
{
	json_t *array = json_array();
	for (uint32_t i = 0; i < setup->shared->process_count; i++) {
		const struct hub_process *process = &setup->shared->processes[i];
		int32_t pid = atomic_load(&process->pid), state = atomic_load(&process->state);
		int64_t rss = pid ? atomic_load(&process->rss_bytes) : 0;
		json_array_append_new(array, json_pack("{s:s, s:i, s:s, s:i, s:o}", "name", process->name, "pid",
						       (int)pid, "state", child_state_names[state & 3], "restarts",
						       (int)atomic_load(&process->restarts), "rss_bytes",
						       rss <= 0 ? json_null() : json_integer(rss)));
	}
	return array;
}

static json_t *darknet_json(const struct hub_setup *hub)
{
	json_t *array = json_array();
	for (size_t i = 0; hub->darknet && i < hub->darknet->count; i++) {
		const struct prefix *prefix = &hub->darknet->items[i];
		char text[PREFIX_TEXT_BYTES];
		unsigned free_bits = 128U - prefix->bits;
		json_t *addresses = free_bits < 62 ? json_integer((json_int_t)1 << free_bits) : json_null();
		json_array_append_new(
			array, json_pack("{s:s, s:o}", "prefix", prefix_format(prefix, text), "addresses", addresses));
	}
	return array;
}

int api_status_get(struct api_call *call, struct err *err)
{
	struct keeper *keeper = call->keeper;
	const struct keeper_setup *setup = keeper->setup;
	json_t *store = NULL;
	int64_t now = clock_now_ns(), started = setup->shared->started_ns;
	int result = store_status(keeper->store, &store, err);
	if (result < 0)
		return result;
	json_t *live = json_pack("{s:I, s:I, s:I}", "clients", (json_int_t)atomic_load(&setup->fronts[0]->live_clients),
				 "latency_ms", (json_int_t)atomic_load(&keeper->latency_ms), "pps",
				 (json_int_t)atomic_load(&keeper->rate));
	return api_json(call, 200,
			json_pack("{s:s, s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "version",
				  HUB_VERSION, "started", instant(started), "now", instant(now), "uptime_s",
				  (json_int_t)((now - started) / NS_PER_S), "mode", setup->hub->mode, "store", store,
				  "sensors", sensors_json(call), "processes", processes_json(setup), "live", live,
				  "livenet", alerts_status(keeper->alerts), "darknet", darknet_json(setup->hub),
				  "confined", !setup->options->unconfined));
}

int api_live_get(struct api_call *call, struct err *err)
{
	(void)err;
	if (call->door != 0)
		return api_refuse(call, 404, "not_found", "the live stream is served over HTTP only",
				  "ライブ配信は HTTP でのみ提供しています");
	/* The front knows this type: from here on it streams what the live thread sends it. */
	return api_text(call, 200, "text/event-stream", "", 0);
}
