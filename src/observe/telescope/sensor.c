/* The telescope's module: opens its source of frames with privilege, then works confined until the source ends or it is
 * told to stop. See sensor.h.
 */
#include "observe/telescope/sensor.h"

#include "core/clock.h"
#include "observe/telescope/survey.h"
#include "observe/telescope/telescope.h"
#include "sys/capture.h"
#include "sys/frame_source.h"
#include "sys/prefix_board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 50, TIME_ANOMALIES = 2, ANOMALIES = PACKET_ANOMALIES + TRACE_ANOMALIES + TIME_ANOMALIES };

#define MEMBERS_WAIT_NS (10 * NS_PER_S)

const struct option_spec telescope_sensor_option_table[] = {
	{"darknet", OPTION_PREFIXES, OPTION_AT(struct telescope_sensor_options, darknet), .argument = "PREFIX...",
	 .help = "unused addresses that are watched", .help_ja = "観測する未使用アドレス"},
	{"exclude", OPTION_PREFIXES, OPTION_AT(struct telescope_sensor_options, exclude), .argument = "PREFIX...",
	 .help = "addresses inside the darknet that are in use", .help_ja = "ダークネットのうち使用中のアドレス"},
	{"interface", OPTION_TEXT, OPTION_AT(struct telescope_sensor_options, interface), .argument = "IF",
	 .help = "interface to listen on", .help_ja = "聞くインタフェース"},
	{"capture", OPTION_TEXTS, OPTION_AT(struct telescope_sensor_options, captures), .argument = "FILE",
	 .help = "capture file or directory to read instead of an interface",
	 .help_ja = "インタフェースの代わりに読むキャプチャ"},
	{"speed", OPTION_INT, OPTION_AT(struct telescope_sensor_options, speed), "1", .min = 0, .max = 1000000,
	 .help = "captures: so many times real time, as if it were now; 0: at once, with the times they have",
	 .help_ja = "キャプチャの再生速度(いま起きているように実時間の何倍か。0 は元の時刻のまま一気に読む)"},
	{"follow", OPTION_FLAG, OPTION_AT(struct telescope_sensor_options, follow),
	 .help = "captures: wait for more at their end", .help_ja = "キャプチャの終わりで続きを待つ"},
	{"survey-list", OPTION_PATH, OPTION_AT(struct telescope_sensor_options, surveys), .argument = "FILE.yaml",
	 .help = "organisations that survey (default: data/survey-organisations.yaml)",
	 .help_ja = "調査組織の一覧(既定値 data/survey-organisations.yaml)"},
	{"decapsulate", OPTION_FLAG, OPTION_AT(struct telescope_sensor_options, decapsulate),
	 .help = "take mirrored traffic out of GRE, IPIP, VXLAN and GTP-U",
	 .help_ja = "GRE・IPIP・VXLAN・GTP-U で運ばれた複製通信を取り出す"},
	{"raw", OPTION_FLAG, OPTION_AT(struct telescope_sensor_options, raw), "true",
	 .help = "keep the packets themselves in the ring of raw packets",
	 .help_ja = "パケットそのものも環状の保管庫に残す"},
	{"ring-mib", OPTION_INT, OPTION_AT(struct telescope_sensor_options, ring_mib), "64", .min = 1, .max = 4096,
	 .help = "memory for packets between card and sensor, in MiB", .help_ja = "カードとセンサーの間の記憶域(MiB)"},
	{"workers", OPTION_INT, OPTION_AT(struct telescope_sensor_options, workers), "1", .min = 1, .max = 64,
	 .help = "processes that share an interface's packets",
	 .help_ja = "一つのインタフェースを分担するプロセスの数"},
	{NULL},
};

/* As `telescope read` calls them. */
static const char *const time_anomaly_names[TIME_ANOMALIES + 1] = {"time_backwards", "minute_leap"};

/* Places in the metrics array follow this table's order. */
static const struct metric_spec telescope_metrics[] = {
	{"packets_total", METRIC_COUNTER, "kind", packet_kind_names, "packets for the darknet by kind"},
	{"outside_total", METRIC_COUNTER, NULL, NULL, "packets that are not for the darknet"},
	{"bytes_total", METRIC_COUNTER, NULL, NULL, "bytes on the wire"},
	{"lost_total", METRIC_COUNTER, NULL, NULL, "packets that the kernel dropped before they were read"},
	{"tool_packets_total", METRIC_COUNTER, "tool", scan_tool_names, "packets by tool, settled by the minute"},
	{"sources", METRIC_GAUGE, NULL, NULL, "distinct sources since the start"},
	{"table_bytes", METRIC_GAUGE, NULL, NULL, "memory of the tables of sources"},
	{"last_packet_seconds", METRIC_GAUGE, NULL, NULL, "time of the last packet, seconds since 1970"},
	{"malformed_total", METRIC_COUNTER, "anomaly", packet_anomaly_names + ANOMALY_MALFORMED,
	 "packets with an anomaly"},
	{"trace_anomalies_total", METRIC_COUNTER, "anomaly", trace_anomaly_names, "troubles of capture files"},
	{"time_anomalies_total", METRIC_COUNTER, "anomaly", time_anomaly_names, "packets at odds with the clock"},
	{"member_packets_total", METRIC_COUNTER, NULL, NULL, "packets about members' addresses"},
	{"member_addresses", METRIC_GAUGE, NULL, NULL, "members' addresses that are followed"},
	{"sightings_refused_total", METRIC_COUNTER, NULL, NULL,
	 "packets of further members' addresses, for which there was no room"},
	{"observed_milliseconds", METRIC_GAUGE, NULL, NULL,
	 "until when it has observed, milliseconds since 1970: goes on while nothing comes, stands while it cannot "
	 "see"},
	{NULL},
};

struct module_instance {
	struct telescope_sensor_options options;
	struct telescope_options telescope_options;
	struct pool *pool;
	struct capture **captures;
	size_t capture_count, current;
	struct frame_source *source;

	struct telescope *telescope;
	_Atomic uint64_t *metrics;
	uint64_t members_generation; /* of the list that the telescope has */
	int64_t observed_ns;
	int64_t shift_ns; /* added to the times of a replayed capture */
	int64_t replay_first_ns, replay_began_ns;
	bool replaying;

	struct batch *health;
	struct telescope_counts told; /* what the last health records said */
	uint64_t told_lost, told_anomalies[ANOMALIES];
	int64_t health_ns;
};

static int sensor_check(const void *base, struct err *err)
{
	const struct telescope_sensor_options *options = base;
	int sources = (options->interface != NULL) + (options->captures.count > 0) + (options->feed != NULL);
	if (options->darknet.count == 0)
		return err_set(err, -EINVAL, "--darknet PREFIX... is needed: which addresses are unused");
	if (sources != 1)
		return err_set(err, -EINVAL, "one of --interface and --capture is needed");
	if (options->workers > 1 && !options->interface)
		return err_set(err, -EINVAL, "--workers is for --interface");
	return 0;
}

static void sensor_close(struct module_instance *sensor)
{
	if (!sensor)
		return;
	for (size_t i = 0; i < sensor->capture_count; i++)
		capture_close(sensor->captures[i]);
	if (sensor->source)
		sensor->source->close(sensor->source);
	telescope_free(sensor->telescope);
	batch_free(sensor->health);
}

static int sensor_open_captures(struct module_instance *sensor, struct err *err)
{
	const struct telescope_sensor_options *options = &sensor->options;
	size_t wanted = options->interface ? 1 : options->captures.count;
	sensor->captures = pool_array(sensor->pool, wanted, sizeof(struct capture *));
	if (!sensor->captures)
		return err_set(err, -ENOMEM, "no memory");
	if (options->interface) {
		int result = capture_open_interface(options->interface, (unsigned)options->ring_mib, options->fanout_id,
						    (unsigned)options->workers, &sensor->captures[0], err);
		sensor->capture_count = result == 0;
		return result;
	}
	for (size_t i = 0; i < wanted; i++) {
		int result = capture_open_file(options->captures.items[i], options->follow, &sensor->captures[i], err);
		if (result < 0)
			return result;
		sensor->capture_count++;
	}
	return 0;
}

static int sensor_open(const void *base, struct pool *pool, struct module_instance **ret_sensor, struct err *err)
{
	struct module_instance *sensor = pool_alloc(pool, sizeof *sensor);
	if (!sensor)
		return err_set(err, -ENOMEM, "no memory");
	sensor->options = *(const struct telescope_sensor_options *)base;
	sensor->pool = pool;
	sensor->telescope_options = (struct telescope_options){
		.darknet = sensor->options.darknet,
		.exclude = sensor->options.exclude,
		.sensor = sensor->options.sensor,
		.decapsulate = sensor->options.decapsulate,
		.raw = sensor->options.raw,
		.live = true,
	};
	sensor->replaying = sensor->options.captures.count > 0 && sensor->options.speed > 0;
	int result = 0;
	if (sensor->options.surveys)
		result = survey_load(sensor->options.surveys, pool, &sensor->telescope_options.survey, err);
	if (result == 0 && sensor->options.feed)
		result = sensor->options.feed->open(sensor->options.feed, &sensor->source, err);
	else if (result == 0)
		result = sensor_open_captures(sensor, err);
	if (result < 0) {
		sensor_close(sensor);
		return result;
	}
	*ret_sensor = sensor;
	return 0;
}

static int sensor_start(struct module_instance *sensor, struct sink *sink, _Atomic uint64_t *metrics, struct err *err)
{
	sensor->metrics = metrics;
	sensor->health = batch_new(&record_health, ANOMALIES + 8);
	if (!sensor->health)
		return err_set(err, -ENOMEM, "no memory");
	return telescope_new(&sensor->telescope_options, sink, &sensor->telescope, err);
}

static uint64_t sensor_lost(const struct module_instance *sensor)
{
	uint64_t lost = 0;
	for (size_t i = 0; i < sensor->capture_count; i++)
		lost += capture_counters(sensor->captures[i])->lost;
	return lost;
}

static const char *anomaly_name(size_t i)
{
	if (i < PACKET_ANOMALIES)
		return packet_anomaly_names[i];
	i -= PACKET_ANOMALIES;
	return i < TRACE_ANOMALIES ? trace_anomaly_names[i] : time_anomaly_names[i - TRACE_ANOMALIES];
}

/* All of them in a row: packets, capture files, time. What is no IP is no anomaly. */
static void anomalies_count(const struct module_instance *sensor, uint64_t sums[ANOMALIES])
{
	const struct telescope_counts *counts = telescope_counts(sensor->telescope);
	memset(sums, 0, ANOMALIES * sizeof *sums);
	for (size_t i = ANOMALY_MALFORMED; i < PACKET_ANOMALIES; i++)
		sums[i] = counts->anomalies[i];
	for (size_t c = 0; c < sensor->capture_count; c++)
		for (size_t i = 0; i < TRACE_ANOMALIES; i++)
			sums[PACKET_ANOMALIES + i] += capture_counters(sensor->captures[c])->errors[i];
	sums[PACKET_ANOMALIES + TRACE_ANOMALIES] = counts->time_backwards;
	sums[PACKET_ANOMALIES + TRACE_ANOMALIES + 1] = counts->time_leaps;
}

static void sensor_measure(struct module_instance *sensor)
{
	const struct telescope_counts *counts = telescope_counts(sensor->telescope);
	size_t at = 0;
	if (!sensor->metrics)
		return;
#define MEASURE(value) atomic_store_explicit(&sensor->metrics[at++], (value), memory_order_relaxed)
	for (size_t i = 0; i < PACKET_KINDS; i++)
		MEASURE(counts->kinds[i]);
	MEASURE(counts->outside);
	MEASURE(counts->bytes);
	MEASURE(sensor_lost(sensor));
	for (size_t i = 0; i < SCAN_TOOLS; i++)
		MEASURE(counts->tools[i].packets);
	MEASURE(counts->sources);
	MEASURE(telescope_bytes(sensor->telescope));
	MEASURE(counts->packets ? (uint64_t)(counts->last_ns / NS_PER_S) : 0);
	uint64_t anomalies[ANOMALIES];
	anomalies_count(sensor, anomalies);
	for (size_t i = ANOMALY_MALFORMED; i < ANOMALIES; i++)
		MEASURE(anomalies[i]);
	MEASURE(counts->member_packets);
	MEASURE(counts->member_addresses);
	MEASURE(counts->sightings_refused);
	MEASURE(sensor->observed_ns > 0 ? (uint64_t)(sensor->observed_ns / NS_PER_MS) : 0);
#undef MEASURE
}

static void health_row(struct module_instance *sensor, const char *name, uint64_t value)
{
	struct batch *batch = sensor->health;
	uint32_t row = batch->rows++;
	BATCH_COLUMN(batch, int64_t, 0)[row] = sensor->health_ns;
	BATCH_COLUMN(batch, uint16_t, 1)[row] = sensor->options.sensor;
	BATCH_COLUMN(batch, struct text, 2)[row] = batch_text(batch, name, strlen(name));
	BATCH_COLUMN(batch, uint64_t, 3)[row] = value;
}

/* What was counted since the last time, when the minute of `now_ns` is a new one. */
static int health_tell(struct module_instance *sensor, int64_t now_ns, bool last, struct err *err)
{
	int64_t minute = time_floor(now_ns, NS_PER_MINUTE);
	const struct telescope_counts *counts = telescope_counts(sensor->telescope), *told = &sensor->told;
	if (sensor->health_ns == 0)
		sensor->health_ns = minute;
	if ((minute == sensor->health_ns && !last) || counts->packets == told->packets)
		return 0;
	uint64_t lost = sensor_lost(sensor);
	health_row(sensor, "packets", counts->packets - told->packets);
	health_row(sensor, "bytes", counts->bytes - told->bytes);
	health_row(sensor, "outside", counts->outside - told->outside);
	health_row(sensor, "lost", lost - sensor->told_lost);
	uint64_t anomalies[ANOMALIES];
	anomalies_count(sensor, anomalies);
	for (size_t i = 0; i < ANOMALIES; i++) {
		char name[64];
		snprintf(name, sizeof name, "malformed.%s", anomaly_name(i));
		if (anomalies[i] > sensor->told_anomalies[i])
			health_row(sensor, name, anomalies[i] - sensor->told_anomalies[i]);
	}
	struct sink *sink = telescope_sink(sensor->telescope);
	int result = sink->put(sink, sensor->health, err);
	batch_clear(sensor->health);
	sensor->told = *counts;
	sensor->told_lost = lost;
	memcpy(sensor->told_anomalies, anomalies, sizeof anomalies);
	sensor->health_ns = minute;
	return result < 0 ? result : 0;
}

/* As capture_read(), over all captures in turn. */
static int sensor_read(struct module_instance *sensor, struct frame *frames, struct err *err)
{
	if (sensor->source)
		return sensor->source->read(sensor->source, frames, BURST_MAX, WAIT_MS, err);
	while (sensor->current < sensor->capture_count) {
		int count = capture_read(sensor->captures[sensor->current], frames, BURST_MAX, WAIT_MS, err);
		if (count != -ENODATA)
			return count;
		sensor->current++;
	}
	return -ENODATA;
}

/* Give a replayed burst the times it would have if it happened now. */
static void replay_shift(struct module_instance *sensor, struct frame *frames, int count)
{
	if (sensor->replay_began_ns == 0) {
		sensor->replay_began_ns = clock_now_ns();
		sensor->replay_first_ns = frames[0].time_ns;
	}
	for (int i = 0; i < count; i++)
		frames[i].time_ns =
			sensor->replay_began_ns + (frames[i].time_ns - sensor->replay_first_ns) / sensor->options.speed;
}

/* Feed what is due, wait for the rest, in short naps so that a stop is heard and ticks go on. */
static int sensor_feed(struct module_instance *sensor, const struct frame *frames, int count, const _Atomic bool *stop,
		       struct err *err)
{
	int done = 0, result = 0;
	if (!sensor->replaying)
		return telescope_feed(sensor->telescope, frames, (unsigned)count, err);
	while (done < count && result >= 0 && !*stop) {
		int64_t now = clock_now_ns();
		int due = done;
		while (due < count && frames[due].time_ns <= now)
			due++;
		if (due > done) {
			result = telescope_feed(sensor->telescope, frames + done, (unsigned)(due - done), err);
			done = due;
			continue;
		}
		struct timespec nap = {.tv_nsec = 20 * NS_PER_MS};
		nanosleep(&nap, NULL);
		telescope_wall(sensor->telescope, clock_now_ns());
		result = telescope_tick(sensor->telescope, clock_now_ns(), err);
	}
	return result;
}

/* The list of members' prefixes, when it is a new one. What cannot be had now is tried again with the next burst. */
static int sensor_members(struct module_instance *sensor, struct err *err)
{
	const struct prefix_board *board = sensor->options.members;
	if (!board || prefix_board_generation(board) == sensor->members_generation)
		return 0;
	struct lpm_entry *entries = NULL;
	size_t count = 0;
	uint64_t generation = 0;
	int result = prefix_board_read(board, &entries, &count, &generation, err);
	if (result == -EAGAIN)
		return 0;
	if (result == 0)
		result = telescope_members(sensor->telescope, entries, count, err);
	free(entries);
	if (result == 0)
		sensor->members_generation = generation;
	return result;
}

/* Until when what came has been seen and, of members, told. An interface has shown all there was when it has nothing
 * more; a capture is at its last packet. */
static void sensor_observed(struct module_instance *sensor, int count, int64_t now_ns)
{
	bool live = sensor->options.interface || sensor->replaying;
	int64_t last_ns = telescope_counts(sensor->telescope)->last_ns;
	int64_t until_ns = live && count == 0 ? now_ns : last_ns;
	until_ns = telescope_told_until(sensor->telescope, until_ns);
	if (until_ns > sensor->observed_ns)
		sensor->observed_ns = until_ns;
}

/* Before the first packet: one that came before the list would be nobody's. Not for ever: better no members than no
 * telescope. */
static void members_wait(const struct module_instance *sensor, const _Atomic bool *stop)
{
	int64_t until = clock_monotonic_ns() + MEMBERS_WAIT_NS;
	while (sensor->options.members && prefix_board_generation(sensor->options.members) == 0 && !*stop &&
	       clock_monotonic_ns() < until) {
		struct timespec nap = {.tv_nsec = 10 * NS_PER_MS};
		nanosleep(&nap, NULL);
	}
}

static int sensor_run(struct module_instance *sensor, const _Atomic bool *stop, struct err *err)
{
	struct frame frames[BURST_MAX];
	int result = 0;
	int64_t measured_ns = 0;
	members_wait(sensor, stop);
	while (!*stop) {
		int64_t now = clock_now_ns();
		result = sensor_members(sensor, err);
		if (result < 0)
			break;
		int count = sensor_read(sensor, frames, err);
		telescope_wall(sensor->telescope, now);
		if (count == -ENODATA)
			break;
		if (count == -ENETDOWN || count == -ENOMEM) {
			result = count;
			break;
		}
		if (count > 0) {
			if (sensor->replaying)
				replay_shift(sensor, frames, count);
			result = sensor_feed(sensor, frames, count, stop, err);
		} else if (count == 0) {
			result = telescope_tick(sensor->telescope, now, err);
		}
		if (result < 0)
			break;
		sensor_observed(sensor, count, now);
		const struct telescope_counts *counts = telescope_counts(sensor->telescope);
		result = health_tell(sensor, counts->packets ? counts->last_ns : now, false, err);
		if (now - measured_ns >= NS_PER_S / 10) {
			sensor_measure(sensor);
			measured_ns = now;
		}
	}
	int finished = telescope_finish(sensor->telescope, result < 0 ? NULL : err);
	int told = health_tell(sensor, sensor->health_ns, true, NULL);
	sensor_measure(sensor);
	return result < 0 ? result : finished < 0 ? finished : told;
}

static const struct record_kind *const telescope_gives[] = {
	&record_tuple, &record_echo, &record_health, &record_spark, &record_raw, &record_block, &record_sighting, NULL};

const struct module telescope_module = {
	.name = "telescope",
	.summary = "watches unused addresses: who scans, with what tool, who is under attack",
	.summary_ja = "未使用アドレスを見張り、誰がどの道具で探り、誰が攻撃されているかを観測する",
	.options = telescope_sensor_option_table,
	.options_bytes = sizeof(struct telescope_sensor_options),
	.metrics = telescope_metrics,
	.gives = telescope_gives,
	.needs = {.raw_sockets = true, .reads_files = true},
	.check = sensor_check,
	.open = sensor_open,
	.start = sensor_start,
	.run = sensor_run,
	.close = sensor_close,
};
