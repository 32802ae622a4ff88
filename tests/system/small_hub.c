/* A hub with one tiny sensor, for the system tests: every 100 ms sparks, every second tuples and health. A tuple's
 * payload names its batch: start of the sensor (32 random bits), then a number that counts from 1.
 *
 *     small_hub [options of the hub and its store] [--seconds N] [--batches N]
 */
#include "core/clock.h"
#include "core/log.h"
#include "hub/hub.h"
#include "record/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct pulse_options {
	int64_t seconds; /* 0: for ever */
	int64_t batches; /* of tuples each second */
};

struct small_options {
	struct hub_options hub;
	struct pulse_options pulse;
};

static const struct option_spec pulse_option_table[] = {
	{.name = "seconds",
	 .type = OPTION_INT,
	 OPTION_AT(struct pulse_options, seconds),
	 .default_text = "0",
	 .help = "end after so many seconds",
	 .help_ja = "この秒数で終わる"},
	{.name = "batches",
	 .type = OPTION_INT,
	 OPTION_AT(struct pulse_options, batches),
	 .default_text = "1",
	 .min = 1,
	 .max = 10,
	 .help = "batches of tuples each second",
	 .help_ja = "毎秒のタプルの束の数"},
	{.name = NULL},
};

struct module_instance {
	const struct pulse_options *options;
	struct sink *sink;
	_Atomic uint64_t *metrics;
	uint64_t boot, sequence, number;
	struct batch *sparks, *tuples, *health;
};

static const char *const anomalies[] = {"ip_truncated", "udp_length", NULL};
static const struct metric_spec pulse_metrics[] = {
	{"packets_total", METRIC_COUNTER, "kind", packet_kind_names, "packets by kind"},
	{"bytes_total", METRIC_COUNTER, NULL, NULL, "bytes"},
	{"last_packet_seconds", METRIC_GAUGE, NULL, NULL, "time of the last packet"},
	{"malformed_total", METRIC_COUNTER, "anomaly", anomalies, "packets with an anomaly"},
	{NULL},
};

static int pulse_open(const void *options, struct pool *pool, struct module_instance **ret_instance, struct err *err)
{
	struct module_instance *pulse = pool_alloc(pool, sizeof *pulse);
	if (!pulse)
		return err_set(err, -ENOMEM, "no memory");
	pulse->options = options;
	pulse->sparks = batch_new(&record_spark, 64);
	pulse->tuples = batch_new(&record_tuple, 64);
	pulse->health = batch_new(&record_health, 8);
	*ret_instance = pulse;
	return getrandom(&pulse->boot, sizeof pulse->boot, 0) == sizeof pulse->boot ? 0 : -EIO;
}

static int pulse_start(struct module_instance *pulse, struct sink *sink, _Atomic uint64_t *metrics, struct err *err)
{
	(void)err;
	pulse->sink = sink;
	pulse->metrics = metrics;
	return 0;
}

static void *column(struct batch *batch, const char *name)
{
	return batch->columns[record_column_index(batch->kind, name)];
}

static int sparks_put(struct module_instance *pulse, int64_t now, struct err *err)
{
	struct batch *batch = pulse->sparks;
	batch_clear(batch);
	for (unsigned i = 0; i < 11; i++) { /* a total, then ten sources */
		unsigned row = batch->rows++;
		((int64_t *)column(batch, "time"))[row] = now;
		((struct addr *)column(batch, "source"))[row] = i ? addr_from_v4(0x08080800 + i) : (struct addr){{0}};
		((struct addr *)column(batch, "target"))[row] = i ? addr_from_v4(0xc6120000 + i) : (struct addr){{0}};
		((uint8_t *)column(batch, "kind"))[row] = PACKET_SCAN;
		((uint8_t *)column(batch, "tool"))[row] = TOOL_MIRAI;
		((uint8_t *)column(batch, "protocol"))[row] = i ? 6 : 0;
		((uint16_t *)column(batch, "port"))[row] = 23;
		((uint32_t *)column(batch, "packets"))[row] = i ? 1 : 10;
	}
	atomic_fetch_add(&pulse->metrics[0], 10);
	atomic_fetch_add(&pulse->metrics[PACKET_KINDS], 400);
	atomic_store(&pulse->metrics[PACKET_KINDS + 1], (uint64_t)(now / NS_PER_S));
	return pulse->sink->put(pulse->sink, batch, err);
}

static int tuples_put(struct module_instance *pulse, int64_t now, struct err *err)
{
	struct batch *batch = pulse->tuples;
	uint64_t number = ++pulse->number;
	batch_clear(batch);
	batch->sensor_boot = pulse->boot;
	for (unsigned i = 1; i <= 10; i++) {
		unsigned row = batch->rows++;
		for (size_t c = 0; batch->kind->columns[c].name; c++)
			memset((uint8_t *)batch->columns[c] + row * column_width(batch->kind->columns[c].type), 0,
			       column_width(batch->kind->columns[c].type));
		((int64_t *)column(batch, "minute"))[row] = time_floor(now, NS_PER_MINUTE);
		((struct addr *)column(batch, "source"))[row] = addr_from_v4(0x08080800 + i);
		((uint8_t *)column(batch, "tool"))[row] = TOOL_MIRAI;
		((uint8_t *)column(batch, "protocol"))[row] = 6;
		((uint16_t *)column(batch, "port"))[row] = 23;
		((uint32_t *)column(batch, "packets"))[row] = 10;
		((uint64_t *)column(batch, "bytes"))[row] = 400;
		((uint32_t *)column(batch, "targets"))[row] = 10;
		((int64_t *)column(batch, "first"))[row] = now - NS_PER_S;
		((int64_t *)column(batch, "last"))[row] = now;
		((uint64_t *)column(batch, "payload"))[row] = pulse->boot << 32 | number;
	}
	batch->sequence = ++pulse->sequence;
	return pulse->sink->put(pulse->sink, batch, err);
}

static int health_put(struct module_instance *pulse, int64_t now, struct err *err)
{
	struct batch *health = pulse->health;
	batch_clear(health);
	health->sensor_boot = pulse->boot;
	health->sequence = ++pulse->sequence;
	((int64_t *)column(health, "minute"))[0] = time_floor(now, NS_PER_MINUTE);
	((struct text *)column(health, "name"))[0] = batch_text(health, "malformed.ip_truncated", 22);
	((uint64_t *)column(health, "value"))[0] = 3;
	health->rows = 1;
	atomic_fetch_add(&pulse->metrics[PACKET_KINDS + 2], 3);
	return pulse->sink->put(pulse->sink, health, err);
}

static int pulse_run(struct module_instance *pulse, const _Atomic bool *stop, struct err *err)
{
	int64_t ticks = pulse->options->seconds * 10;
	int result = 0;
	for (int64_t tick = 0; !atomic_load(stop) && result == 0 && (ticks == 0 || tick < ticks); tick++) {
		int64_t now = clock_now_ns();
		result = sparks_put(pulse, now, err);
		if (result == 0 && tick % (10 / pulse->options->batches) == 10 / pulse->options->batches - 1)
			result = tuples_put(pulse, now, err);
		if (result == 0 && tick % 10 == 9)
			result = health_put(pulse, now, err);
		usleep(100000);
	}
	return result;
}

static void pulse_close(struct module_instance *pulse)
{
	batch_free(pulse->sparks);
	batch_free(pulse->tuples);
	batch_free(pulse->health);
}

static const struct module pulse_module = {
	.name = "pulse",
	.summary = "a sensor for tests",
	.summary_ja = "試験用のセンサー",
	.options = pulse_option_table,
	.options_bytes = sizeof(struct pulse_options),
	.metrics = pulse_metrics,
	.open = pulse_open,
	.start = pulse_start,
	.run = pulse_run,
	.close = pulse_close,
};

static size_t table_add(struct option_spec *to, const struct option_spec *from, size_t offset)
{
	size_t i = 0;
	for (; from[i].name; i++) {
		to[i] = from[i];
		to[i].offset += offset;
	}
	return i;
}

int main(int argc, char **argv)
{
	struct option_spec table[128] = {{.name = NULL}};
	struct small_options options = {0};
	struct err err = {""};
	struct prefix darknet;
	struct pool *pool = pool_new(NULL, "main");
	size_t count = table_add(table, hub_option_table, offsetof(struct small_options, hub));
	count += table_add(table + count, store_option_table, offsetof(struct small_options, hub.store));
	count += table_add(table + count, livenet_option_table, offsetof(struct small_options, hub.livenet));
	table_add(table + count, pulse_option_table, offsetof(struct small_options, pulse));
	argc--;
	if (options_init(table, &options, pool, &err) < 0 ||
	    options_take(table, &options, pool, &argc, argv + 1, &err) != 0 ||
	    prefix_parse("198.18.0.0/15", &darknet, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	const struct prefix_list darknets = {&darknet, 1};
	const struct hub_sensor sensor = {.module = &pulse_module, .options = &options.pulse, .live = true};
	const struct module *const modules[] = {&pulse_module, NULL};
	const struct hub_setup setup = {.mode = "live",
					.sensors = &sensor,
					.sensor_count = 1,
					.modules = modules,
					.darknet = &darknets,
					.darknet_label = "test",
					.darknet_latitude = 35.7,
					.darknet_longitude = 139.7};
	int result = hub_run(&options.hub, &setup, &err);
	if (result < 0)
		fprintf(stderr, "%s\n", err.text);
	pool_free(pool);
	return result < 0;
}
