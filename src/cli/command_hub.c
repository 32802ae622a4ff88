/* yagura hub: the sensors that the options name, and the hub around them. */
#include "cli/command_hub.h"
#include "cli/modules.h"
#include "cli/paths.h"
#include "cli/whole_file.h"

#include "observe/telescope/sensor.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/limits.h"
#include "sys/prefix_board.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct option_spec hub_own_option_table[] = {
	{"simulate", OPTION_FLAG, OPTION_AT(struct command_hub_options, simulate),
	 .help = "watch a generated country of traffic", .help_ja = "模擬の一国分の通信を観測する"},
	{"darknet-place", OPTION_TEXT, OPTION_AT(struct command_hub_options, place), "35.68,139.69",
	 .argument = "LAT,LON", .help = "where the darknet is drawn on the map",
	 .help_ja = "地図上のダークネットの位置(緯度,経度)"},
	{"darknet-label", OPTION_TEXT, OPTION_AT(struct command_hub_options, label), .argument = "TEXT",
	 .help = "what the darknet is called on the map (default: its first prefix)",
	 .help_ja = "地図上のダークネットの名前(既定値は最初のプレフィックス)"},
	{"flow-listen", OPTION_TEXTS, OPTION_AT(struct command_hub_options, flow.listen), .argument = "ADDR:PORT",
	 .help = "address and UDP port that routers send flow information to; may be given again",
	 .help_ja = "ルーターがフロー情報を送るアドレスと UDP ポート(繰り返し指定できる)"},
	{"flow-keep", OPTION_DURATION, OPTION_AT(struct command_hub_options, flow.keep_ns), "30d", .min = NS_PER_MINUTE,
	 .max = 3650 * NS_PER_DAY, .argument = "TIME", .help = "remove flows that are older",
	 .help_ja = "これより古いフローを消す"},
	{"flow-keep-size", OPTION_SIZE, OPTION_AT(struct command_hub_options, flow.keep_bytes), .min = 1 << 20,
	 .max = INT64_C(1) << 50, .argument = "SIZE", .help = "remove the oldest flows beyond so much",
	 .help_ja = "この量を超えたら古いフローから消す"},
	{NULL},
};
enum { WORKERS_MAX = 64, FLOW_BUFFER_BYTES = 64 << 20 };

/* One sensor, or one for each worker that shares an interface. */
static size_t hub_sensors(struct command_hub_options *options, struct pool *pool, struct hub_sensor *sensors)
{
	size_t count = (size_t)options->telescope.workers;
	options->telescope.fanout_id = (uint16_t)(getpid() & 0xffff ? getpid() & 0xffff : 1);
	for (size_t i = 0; i < count; i++) {
		struct telescope_sensor_options *own = pool_alloc(pool, sizeof *own);
		char name[32];
		if (!own)
			return 0;
		*own = options->telescope;
		own->sensor = (uint16_t)(i + 1);
		snprintf(name, sizeof name, count > 1 ? "telescope-%zu" : "telescope", i + 1);
		sensors[i] = (struct hub_sensor){.module = &telescope_module,
						 .options = own,
						 .name = pool_text(pool, name),
						 .live = options->telescope.interface != NULL};
		if (own->follow || own->captures.count) {
			const char **paths = pool_array(pool, own->captures.count + 1, sizeof *paths);
			for (size_t c = 0; paths && c < own->captures.count; c++)
				paths[c] = own->captures.items[c];
			sensors[i].read_paths = paths;
		}
	}
	return count;
}

static volatile sig_atomic_t flow_stop_asked;

static void flow_stop_ask(int number)
{
	(void)number;
	flow_stop_asked = 1;
}

/* The collector's process. */
static int flow_run(void *context, uid_t uid, gid_t gid, struct err *err)
{
	struct flow_collect_options *options = context;
	const struct sigaction stop = {.sa_handler = flow_stop_ask};
	const struct timespec step = {0, 100 * NS_PER_MS};
	struct flow_collect *collect = NULL;
	bool failed = false;
	options->uid = uid;
	options->gid = gid;
	sigaction(SIGTERM, &stop, NULL);
	int result = flow_collect_start(options, &collect, err);
	if (result < 0) {
		LOG(LOG_ERROR, "flow.failed", err->text);
		return result;
	}
	while (!flow_stop_asked && !failed) {
		nanosleep(&step, NULL);
		failed = flow_collect_look(collect);
	}
	result = flow_collect_stop(collect, err);
	flow_collect_free(collect);
	return result;
}

/* FILE... after --capture FILE: the shell has spread a pattern. */
static int hub_captures(const struct command_call *call, struct command_hub_options *options, struct err *err)
{
	if (call->operand_count && options->telescope.captures.count == 0)
		return err_set(err, -EINVAL, "'%.64s' was not expected: captures come after --capture",
			       call->operands[0]);
	for (int i = 0; i < call->operand_count; i++) {
		int result = option_set(telescope_sensor_option_table, &options->telescope, call->pool, "capture",
					call->operands[i], err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* The members whose addresses the simulation uses are read here: the keeper opens no file that lies elsewhere. */
static int hub_simulation(struct command_hub_options *options, struct pool *pool, struct hub_setup *setup,
			  struct err *err)
{
	struct simulation_feed made;
	struct whole_file members;
	int result = simulation_feed_new(&options->simulation, pool, &made, err);
	if (result < 0)
		return result;
	options->telescope.feed = made.feed;
	options->telescope.darknet = made.darknet;
	if (!made.members)
		return 0;
	result = whole_file_open(made.members, &members, err);
	if (result < 0)
		return result;
	char *text = pool_alloc(pool, members.bytes + 1);
	if (text) {
		setup->first_members = memcpy(text, members.text, members.bytes);
		setup->first_members_bytes = members.bytes;
	}
	whole_file_close(&members);
	return text ? 0 : err_set(err, -ENOMEM, "no memory for the members");
}

static int hub_source(struct command_hub_options *options, struct pool *pool, struct hub_setup *setup, struct err *err)
{
	options->telescope.surveys = path_shared(pool, options->telescope.surveys, "data/survey-organisations.yaml");
	if (options->simulate) {
		if (options->telescope.interface || options->telescope.captures.count)
			return err_set(err, -EINVAL, "--simulate goes with neither --interface nor --capture");
		options->telescope.darknet = (struct prefix_list){NULL, 0};
		options->simulation.data = path_shared(
			pool, strcmp(options->simulation.data, "data") ? options->simulation.data : NULL, "data");
		options->simulation.deps = path_shared(
			pool, strcmp(options->simulation.deps, "deps") ? options->simulation.deps : NULL, "deps");
		setup->mode = "simulate";
		/* A first start shows a past to look at; a later one has its own. */
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/observations.duckdb", options->hub.data);
		if (options->simulation.history_ns == 0 && access(path, F_OK) < 0)
			options->simulation.history_ns = 6 * NS_PER_HOUR;
		return hub_simulation(options, pool, setup, err);
	}
	setup->mode = options->telescope.interface ? "live" : "capture";
	if (!options->telescope.interface && options->telescope.captures.count == 0)
		return 0; /* a hub for sensors elsewhere */
	if (options->telescope.captures.count && options->telescope.darknet.count == 0) {
		/* A capture without a darknet given: everything in it is taken for darknet. */
		int result = option_set(telescope_sensor_option_table, &options->telescope, pool, "darknet",
					"0.0.0.0/0", err);
		if (result == 0)
			result = option_set(telescope_sensor_option_table, &options->telescope, pool, "darknet", "::/0",
					    err);
		if (result < 0)
			return result;
	}
	return telescope_module.check(&options->telescope, err);
}

int command_hub(const struct command_call *call, struct err *err)
{
	struct command_hub_options options = *(const struct command_hub_options *)call->options;
	struct hub_sensor sensors[WORKERS_MAX];
	struct hub_setup setup = {.sensors = sensors, .modules = modules};
	char label[PREFIX_TEXT_BYTES];
	if (hub_captures(call, &options, err) < 0 || hub_source(&options, call->pool, &setup, err) < 0)
		return EXIT_USAGE;
	if (sscanf(options.place, "%lf,%lf", &setup.darknet_latitude, &setup.darknet_longitude) != 2) {
		err_set(err, -EINVAL, "--darknet-place: '%.64s' was given, LATITUDE,LONGITUDE was expected",
			options.place);
		return EXIT_USAGE;
	}
	options.hub.web = path_shared(call->pool, options.hub.web, "web/dist");
	options.hub.warninglists = path_shared(call->pool, options.hub.warninglists, "data/warninglists");
	options.hub.notice.texts = path_shared(call->pool, options.hub.notice.texts, "data");
	options.hub.deps = path_shared(call->pool, options.hub.deps, "deps");
	setup.darknet = &options.telescope.darknet;
	setup.darknet_label = options.label ? options.label
			      : options.telescope.darknet.count
				      ? prefix_format(&options.telescope.darknet.items[0], label)
				      : "darknet";
	if (prefix_board_new(LIMIT_MEMBER_PREFIXES, &setup.members, err) < 0)
		return EXIT_FAILED;
	options.telescope.members = setup.members;
	if (options.telescope.feed || options.telescope.interface || options.telescope.captures.count)
		setup.sensor_count = hub_sensors(&options, call->pool, sensors);
	char archive[PATH_MAX];
	snprintf(archive, sizeof archive, "%s/" HUB_FLOW_DIR, options.hub.data);
	options.flow.archive = archive;
	if (pseudonym_file_read(&options.pseudonyms, call->pool, &options.flow.pseudonyms, err) < 0)
		return EXIT_FAILED;
	options.flow.buffer_bytes = FLOW_BUFFER_BYTES;
	options.flow.unconfined = options.hub.unconfined;
	const struct hub_service service = {.name = "flow", .run = flow_run, .context = &options.flow};
	setup.services = &service;
	setup.service_count = options.flow.listen.count > 0;
	int result = hub_run(&options.hub, &setup, err);
	prefix_board_free(setup.members);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
