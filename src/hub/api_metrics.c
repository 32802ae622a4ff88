/* /metrics: figures of modules (shared memory, summed over sensors of one kind), of the store, of the hub itself, in
 * Prometheus' text exposition format 0.0.4.
 */
#include "hub/api.h"
#include "hub/api_flow.h"

#include "hub/keeper.h"
#include "sys/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int family(struct text_buffer *text, const char *name, const char *type, const char *help)
{
	return text_add(text, "# HELP yagura_hub_%s %s\n# TYPE yagura_hub_%s %s\n", name, help, name, type);
}

static int single(struct text_buffer *text, const char *name, const char *type, const char *help, uint64_t value)
{
	int result = family(text, name, type, help);
	return result < 0 ? result : text_add(text, "yagura_hub_%s %llu\n", name, (unsigned long long)value);
}

/* Sensors of one module are one set of series: a counter's sum is what people ask for. */
static int modules_metrics(const struct keeper_setup *setup, struct text_buffer *text)
{
	int result = 0;
	for (size_t i = 0; i < setup->hub->sensor_count && result == 0; i++) {
		const struct module *module = setup->hub->sensors[i].module;
		bool first = true;
		for (size_t j = 0; j < i; j++)
			first = first && setup->hub->sensors[j].module != module;
		if (!first)
			continue;
		size_t count = metric_count(module->metrics);
		_Atomic uint64_t *sums = calloc(count + 1, sizeof *sums);
		if (!sums)
			return -ENOMEM;
		for (size_t j = i; j < setup->hub->sensor_count; j++)
			for (size_t k = 0; setup->hub->sensors[j].module == module && k < count; k++)
				atomic_fetch_add(&sums[k], atomic_load(&setup->metrics[j][k]));
		result = metrics_format(module, sums, text);
		free((void *)sums);
	}
	return result;
}

static int processes_metrics(const struct keeper_setup *setup, struct text_buffer *text)
{
	int result = family(text, "process_restarts_total", "counter", "deaths that a process was restarted after");
	for (uint32_t i = 0; i < setup->shared->process_count && result == 0; i++)
		result = text_add(text, "yagura_hub_process_restarts_total{process=\"%s\"} %u\n",
				  setup->shared->processes[i].name, atomic_load(&setup->shared->processes[i].restarts));
	if (result == 0)
		result = family(text, "process_up", "gauge", "1 while a process runs");
	for (uint32_t i = 0; i < setup->shared->process_count && result == 0; i++)
		result = text_add(text, "yagura_hub_process_up{process=\"%s\"} %d\n", setup->shared->processes[i].name,
				  atomic_load(&setup->shared->processes[i].state) == CHILD_RUNNING);
	return result;
}

static int rings_metrics(const struct keeper_setup *setup, struct text_buffer *text)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} figures[] = {
		{"ring_waiting_bytes", "gauge", "records between sensor and store",
		 offsetof(struct ring_counters, waiting_bytes)},
		{"ring_batches_total", "counter", "batches handed over", offsetof(struct ring_counters, records)},
		{"ring_lost_batches_total", "counter", "batches lost for want of room",
		 offsetof(struct ring_counters, lost_records)},
		{"ring_damaged_total", "counter", "times a sensor wrote nonsense",
		 offsetof(struct ring_counters, damaged)},
	};
	int result = 0;
	for (size_t f = 0; f < sizeof figures / sizeof *figures && result == 0; f++) {
		result = family(text, figures[f].name, figures[f].type, figures[f].help);
		for (size_t i = 0; i < setup->hub->sensor_count && result == 0; i++) {
			struct ring_counters counters = ring_counters(setup->rings[i]);
			uint64_t value;
			memcpy(&value, (const char *)&counters + figures[f].offset, sizeof value);
			result = text_add(text, "yagura_hub_%s{sensor=\"%s\"} %llu\n", figures[f].name,
					  setup->hub->sensors[i].name, (unsigned long long)value);
		}
	}
	return result;
}

static int front_metrics(const struct front_shared *front, struct text_buffer *text)
{
	int result = single(text, "http_requests_total", "counter", "HTTP requests", atomic_load(&front->requests));
	if (result == 0)
		result = family(text, "http_answers_total", "counter", "HTTP answers by class of status");
	for (unsigned i = 2; i < 6 && result == 0; i++)
		result = text_add(text, "yagura_hub_http_answers_total{status=\"%uxx\"} %llu\n", i,
				  (unsigned long long)atomic_load(&front->answers[i]));
	if (result == 0)
		result = single(text, "live_clients", "gauge", "clients of the live stream",
				atomic_load(&front->live_clients));
	if (result == 0)
		result = single(text, "live_skipped_total", "counter", "frames that slow clients skipped",
				atomic_load(&front->live_skipped));
	return result;
}

static int detectors_metrics(const struct keeper *keeper, struct text_buffer *text)
{
	int result = family(text, "detector_findings_total", "counter", "findings by detector");
	for (size_t i = 0; i < detectors_count() && i < 32 && result == 0; i++)
		result = text_add(text, "yagura_hub_detector_findings_total{detector=\"%s\"} %llu\n",
				  detector_table[i]->name,
				  (unsigned long long)atomic_load(&keeper->detector_findings[i]));
	if (result == 0)
		result = family(text, "detector_bytes", "gauge", "memory by detector");
	for (size_t i = 0; i < detectors_count() && i < 32 && result == 0; i++)
		result = text_add(text, "yagura_hub_detector_bytes{detector=\"%s\"} %llu\n", detector_table[i]->name,
				  (unsigned long long)atomic_load(&keeper->detector_bytes[i]));
	return result;
}

static int store_metrics(struct keeper *keeper, struct text_buffer *text)
{
	static const char *const names[][2] = {{"bytes", "bytes on the disk"},
					       {"free_bytes", "free space on the disk"}};
	json_t *status = NULL;
	int result = store_status(keeper->store, &status, NULL);
	if (result < 0)
		return result;
	for (size_t i = 0; i < 2 && result == 0; i++)
		result = text_add(text,
				  "# HELP yagura_store_%s %s\n# TYPE yagura_store_%s gauge\nyagura_store_%s %lld\n",
				  names[i][0], names[i][1], names[i][0], names[i][0],
				  (long long)json_integer_value(json_object_get(status, names[i][0])));
	const char *state = json_string_value(json_object_get(status, "state"));
	if (result == 0)
		result = text_add(text,
				  "# HELP yagura_store_stopped 1 while intake is stopped\n"
				  "# TYPE yagura_store_stopped gauge\nyagura_store_stopped %d\n",
				  state && strcmp(state, "ok") != 0);
	if (result == 0)
		result = text_add(text, "# HELP yagura_store_rows Rows kept\n# TYPE yagura_store_rows gauge\n");
	const char *kind;
	json_t *value;
	json_object_foreach(json_object_get(status, "kinds"), kind, value) if (result == 0) result =
		text_add(text, "yagura_store_rows{kind=\"%s\"} %lld\n", kind,
			 (long long)json_integer_value(json_object_get(value, "rows")));
	json_decref(status);
	return result;
}

int api_metrics_get(struct api_call *call, struct err *err)
{
	struct keeper *keeper = call->keeper;
	struct text_buffer text = {0};
	(void)err;
	int result = modules_metrics(keeper->setup, &text);
	if (result == 0)
		result = processes_metrics(keeper->setup, &text);
	if (result == 0)
		result = rings_metrics(keeper->setup, &text);
	if (result == 0)
		result = front_metrics(keeper->setup->fronts[0], &text);
	if (result == 0)
		result = detectors_metrics(keeper, &text);
	if (result == 0)
		result = store_metrics(keeper, &text);
	if (result == 0)
		result = flow_metrics(keeper, &text);
	if (result == 0)
		result = single(&text, "live_latency_milliseconds", "gauge", "age of the newest packet in a live frame",
				(uint64_t)atomic_load(&keeper->latency_ms));
	if (result == 0)
		result = single(&text, "packets_per_second", "gauge", "packets in the last second",
				atomic_load(&keeper->rate));
	if (result == 0)
		result = single(&text, "batches_total", "counter", "batches stored",
				atomic_load(&keeper->batches_taken));
	if (result == 0)
		result = single(&text, "batches_doubled_total", "counter", "batches that were stored before",
				atomic_load(&keeper->batches_doubled));
	if (result == 0)
		result = single(&text, "batches_refused_total", "counter", "batches that could not be taken",
				atomic_load(&keeper->batches_damaged));
	if (result == 0)
		result = single(&text, "findings_total", "counter", "findings made",
				atomic_load(&keeper->findings_made));
	if (result == 0)
		result = api_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", text.bytes, text.used);
	free(text.bytes);
	return result;
}
