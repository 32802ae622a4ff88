/* New-port alarms: a port that was quiet is not any more.
 *
 * Distinct sources per TCP or UDP port and interval of ten minutes. Quiet means, over the last day of intervals: the
 * median is at most a quarter of the threshold and at most a tenth of the intervals reach half of it; medians and
 * tails, because a mean would be moved by the very peak that is sought. The alarm is raised in the minute in which the
 * count reaches the threshold, not when the interval ends.
 */
#include "analyze/detectors.h"
#include "analyze/limits.h"
#include "analyze/sketch.h"
#include "analyze/table.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>

enum {
	VERSION = 1,
	PORTS = 2 * 65536, /* TCP, then UDP */
	HISTORY = 144,
	SAMPLE = 8,
	ENDED_AFTER = 6, /* intervals below half the threshold */
};

struct new_ports_options {
	int64_t sources, interval_ns, history;
};

static const struct option_spec new_ports_option_table[] = {
	{.name = "sources",
	 .type = OPTION_INT,
	 OPTION_AT(struct new_ports_options, sources),
	 .default_text = "20",
	 .min = 4,
	 .max = 2000,
	 .argument = "N",
	 .help = "Distinct sources in an interval that raise the alarm",
	 .help_ja = "警報を出す、区間内の送信元数"},
	{.name = "interval",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct new_ports_options, interval_ns),
	 .default_text = "10m",
	 .min = NS_PER_MINUTE,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "Length of an interval",
	 .help_ja = "区間の長さ"},
	{.name = "history",
	 .type = OPTION_INT,
	 OPTION_AT(struct new_ports_options, history),
	 .default_text = "6",
	 .min = 1,
	 .max = HISTORY,
	 .argument = "N",
	 .help = "Intervals to have seen before the first alarm",
	 .help_ja = "最初の警報までに必要な区間数"},
	{.name = NULL},
};

/* History is kept as 16 * log2(1 + sources): one byte, right to 4.4 %. */
struct port {
	struct few sources;
	uint32_t packets; /* in the open interval */
	bool seen, alarmed, due;
	uint8_t quiet; /* of the history, asked once an interval: 0 unknown, 1 yes, 2 no */
	uint8_t history[HISTORY];
};

struct alarm {
	uint64_t port; /* the key */
	int64_t first_ns, last_ns, id_ns;
	uint64_t packets;
	double most_sources;
	double median, high; /* of the history when it was raised */
	uint32_t intervals, quiet_intervals;
	uint64_t ranks[SAMPLE];
	struct addr sample[SAMPLE];
	uint32_t sample_count;
	bool changed, said;
};

struct new_ports {
	struct new_ports_options options;
	struct port *ports;
	struct table alarms;
	uint32_t *due;
	uint32_t due_count;
	int64_t interval_start_ns, now_ns;
	uint32_t intervals; /* closed, at most HISTORY */
	uint32_t at;        /* place of the open interval in the rings */
	uint64_t late;
};

static int new_ports_open(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
			  struct err *err)
{
	(void)vantage;
	struct new_ports *state = pool_alloc(pool, sizeof *state);
	struct port *ports = pool_array(pool, PORTS, sizeof *ports);
	uint32_t *due = pool_array(pool, PORTS, sizeof *due);
	if (!state || !ports || !due)
		return err_set(err, -ENOMEM, "no memory for new ports");
	state->options = *(const struct new_ports_options *)options;
	state->ports = ports;
	state->due = due;
	state->interval_start_ns = INT64_MIN;
	table_init(&state->alarms, pool, sizeof(struct alarm), 8, PORTS);
	*ret_state = state;
	return 0;
}

static uint8_t pack_count(double sources)
{
	double packed = 16 * log2(1 + sources) + 0.5;
	return packed >= 255 ? 255 : (uint8_t)packed;
}

static double unpack_count(uint8_t packed)
{
	return exp2(packed / 16.0) - 1;
}

/* The value below which `share` of the closed intervals lie. */
static double history_quantile(const struct new_ports *state, const struct port *port, double share)
{
	uint16_t counts[256] = {0};
	for (uint32_t i = 1; i <= state->intervals; i++)
		counts[port->history[(state->at + HISTORY - i) % HISTORY]]++;
	uint32_t below = 0, wanted = (uint32_t)(share * state->intervals);
	for (unsigned value = 0; value < 256; value++) {
		below += counts[value];
		if (below > wanted)
			return unpack_count((uint8_t)value);
	}
	return 0;
}

static int alarm_say(struct new_ports *state, struct alarm *alarm, bool ended, struct findings *findings,
		     struct err *err)
{
	uint8_t protocol = alarm->port >= 65536 ? 17 : 6;
	uint16_t number = (uint16_t)alarm->port;
	char port[PORT_TEXT_BYTES], id[96], first[TIME_TEXT_BYTES], where[64];
	port_format(protocol, number, port);
	snprintf(id, sizeof id, "new_port:%s:%s", port, time_format(alarm->id_ns, first));
	snprintf(where, sizeof where, "protocol=%u --where port=%u", protocol, number);
	json_t *sample = json_array();
	for (uint32_t i = 0; i < alarm->sample_count; i++) {
		char text[ADDR_TEXT_BYTES];
		json_array_append_new(sample, json_string(addr_format(&alarm->sample[i], text)));
	}
	json_t *ground = json_pack("{s:{s:I, s:f, s:f, s:f}, s:{s:f, s:I, s:f, s:f, s:I}, s:s, s:o, s:o}", "thresholds",
				   "sources", (json_int_t)state->options.sources, "interval_seconds",
				   (double)state->options.interval_ns / (double)NS_PER_S, "quiet_median_at_most",
				   (double)state->options.sources / 4, "quiet_ninth_decile_below",
				   (double)state->options.sources / 2, "observed", "most_sources_in_an_interval",
				   round(alarm->most_sources), "packets", (json_int_t)alarm->packets, "median_before",
				   alarm->median, "ninth_decile_before", alarm->high, "intervals_before",
				   (json_int_t)alarm->intervals, "port", port, "sample", sample, "derive",
				   derive_command("tuple", where, alarm->first_ns, alarm->last_ns, NS_PER_MINUTE));
	struct finding finding = {
		.id = id,
		.time_ns = alarm->last_ns,
		.type = FINDING_NEW_PORT,
		.severity =
			alarm->most_sources >= 10 * (double)state->options.sources ? SEVERITY_HIGH : SEVERITY_MEDIUM,
		.subject = port,
		.first_ns = alarm->first_ns,
		.last_ns = alarm->last_ns,
		.ended = ended,
		.packets = alarm->packets,
		.score = round(alarm->most_sources),
		.rule = "new_port.quiet_then_sources",
		.rule_version = VERSION,
		.again = alarm->said,
	};
	alarm->changed = false;
	alarm->said = true;
	return findings_put(findings, &finding, ground, err);
}

struct closing {
	struct new_ports *state;
	struct findings *findings;
	struct err *err;
	int code;
};

static bool alarm_keep(void *record, void *context)
{
	struct alarm *alarm = record;
	struct closing *closing = context;
	struct new_ports *state = closing->state;
	struct port *port = &state->ports[alarm->port];
	double sources = few_count(&port->sources);
	alarm->quiet_intervals = sources * 2 < (double)state->options.sources ? alarm->quiet_intervals + 1 : 0;
	/* a day later it is what the port is like */
	bool ended = alarm->quiet_intervals >= ENDED_AFTER ||
		     state->interval_start_ns - alarm->id_ns > HISTORY * state->options.interval_ns;
	if (!ended && !alarm->changed)
		return true;
	int code = alarm_say(state, alarm, ended, closing->findings, closing->err);
	if (code < 0)
		closing->code = code;
	if (ended)
		port->alarmed = false;
	return !ended;
}

static int interval_close(struct new_ports *state, struct findings *findings, struct err *err)
{
	struct closing closing = {.state = state, .findings = findings, .err = err};
	table_sweep(&state->alarms, alarm_keep, &closing);
	for (uint32_t i = 0; i < PORTS; i++) {
		struct port *port = &state->ports[i];
		if (!port->seen)
			continue;
		port->history[state->at] = pack_count(few_count(&port->sources));
		port->sources = (struct few){0};
		port->packets = 0;
		port->quiet = 0;
	}
	state->at = (state->at + 1) % HISTORY;
	if (state->intervals < HISTORY)
		state->intervals++;
	state->interval_start_ns += state->options.interval_ns;
	return closing.code;
}

/* Close what lies between; after a silence longer than the history nothing is known any more. */
static int intervals_advance(struct new_ports *state, int64_t minute_ns, struct findings *findings, struct err *err)
{
	int64_t span = state->options.interval_ns;
	if (state->interval_start_ns == INT64_MIN)
		state->interval_start_ns = time_floor(minute_ns, span);
	bool leap = minute_ns - state->interval_start_ns > HISTORY * span;
	int first_code = 0;
	while (minute_ns - state->interval_start_ns >= span) {
		int code = interval_close(state, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
		if (leap) {
			state->interval_start_ns = time_floor(minute_ns, span);
			state->intervals = 0;
		}
	}
	return first_code;
}

static void alarm_see(struct alarm *alarm, const struct addr *source, uint64_t rank, uint32_t packets, int64_t first_ns,
		      int64_t last_ns)
{
	alarm->packets += packets;
	alarm->first_ns = first_ns < alarm->first_ns ? first_ns : alarm->first_ns;
	alarm->last_ns = last_ns > alarm->last_ns ? last_ns : alarm->last_ns;
	alarm->changed = true;
	uint32_t at = alarm->sample_count;
	for (uint32_t i = 0; i < at; i++)
		if (alarm->ranks[i] == rank)
			return;
	if (at == SAMPLE && rank >= alarm->ranks[--at])
		return;
	if (alarm->sample_count < SAMPLE)
		alarm->sample_count++;
	for (; at > 0 && alarm->ranks[at - 1] > rank; at--) {
		alarm->ranks[at] = alarm->ranks[at - 1];
		alarm->sample[at] = alarm->sample[at - 1];
	}
	alarm->ranks[at] = rank;
	alarm->sample[at] = *source;
}

/* Raise alarms of ports that reached the threshold while quiet, once the batch is in. */
static int due_raise(struct new_ports *state, struct findings *findings, struct err *err)
{
	int first_code = 0;
	for (uint32_t i = 0; i < state->due_count; i++) {
		struct port *port = &state->ports[state->due[i]];
		port->due = false;
		uint64_t key = state->due[i];
		bool is_new = false;
		struct alarm *alarm = table_add(&state->alarms, &key, table_hash(&state->alarms, &key), &is_new);
		if (!alarm)
			continue;
		if (is_new) {
			alarm->median = history_quantile(state, port, 0.5);
			alarm->high = history_quantile(state, port, 0.9);
			alarm->intervals = state->intervals;
			alarm->id_ns = alarm->first_ns = state->interval_start_ns;
			alarm->last_ns = state->now_ns;
			alarm->packets = port->packets;
			port->alarmed = true;
		}
		alarm->most_sources = fmax(alarm->most_sources, few_count(&port->sources));
		int code = alarm_say(state, alarm, false, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	state->due_count = 0;
	return first_code;
}

static bool port_is_quiet(const struct new_ports *state, struct port *port)
{
	if (!port->quiet)
		port->quiet = history_quantile(state, port, 0.5) <= (double)state->options.sources / 4 &&
					      history_quantile(state, port, 0.9) < (double)state->options.sources / 2
				      ? 1
				      : 2;
	return port->quiet == 1;
}

static bool port_is_due(const struct new_ports *state, struct port *port)
{
	return state->intervals >= state->options.history &&
	       few_count(&port->sources) >= (double)state->options.sources - 0.5 && port_is_quiet(state, port);
}

static uint32_t port_number(uint8_t protocol, uint16_t port)
{
	return (protocol == 17 ? 65536u : 0) + port;
}

static int new_ports_take(void *opaque, const struct batch *batch, struct findings *findings, struct err *err)
{
	struct new_ports *state = opaque;
	const int64_t *minute = batch->columns[0], *first = batch->columns[14], *last = batch->columns[15];
	const struct addr *source = batch->columns[2];
	const uint8_t *kind = batch->columns[3], *protocol = batch->columns[6], *spoofed = batch->columns[10];
	const uint16_t *port_column = batch->columns[7];
	const uint32_t *packets = batch->columns[11];
	enum { AHEAD = 16 };
	int first_code = 0;
	for (uint32_t i = 0; i < batch->rows; i++) {
		if (i + AHEAD < batch->rows) {
			struct port *ahead = &state->ports[port_number(protocol[i + AHEAD], port_column[i + AHEAD])];
			__builtin_prefetch(few_word(&ahead->sources, addr_hash(&source[i + AHEAD])), 1);
			__builtin_prefetch(&ahead->packets, 1);
		}
		if (kind[i] == PACKET_BACKSCATTER || spoofed[i] || (protocol[i] != 6 && protocol[i] != 17))
			continue;
		int code = 0;
		if (state->interval_start_ns == INT64_MIN ||
		    minute[i] - state->interval_start_ns >= state->options.interval_ns) {
			code = due_raise(state, findings, err);
			int advanced = intervals_advance(state, minute[i], findings, err);
			code = code < 0 ? code : advanced;
		}
		if (code < 0 && !first_code)
			first_code = code;
		if (minute[i] < state->interval_start_ns) {
			state->late++;
			continue;
		}
		uint64_t number = port_number(protocol[i], port_column[i]);
		struct port *port = &state->ports[number];
		uint64_t rank = addr_hash(&source[i]);
		int fresh = few_add(&port->sources, rank);
		port->seen = true;
		port->packets += packets[i];
		state->now_ns = last[i] > state->now_ns ? last[i] : state->now_ns;
		if (port->alarmed) {
			struct alarm *alarm = table_find(&state->alarms, &number, table_hash(&state->alarms, &number));
			if (alarm) {
				alarm_see(alarm, &source[i], rank, packets[i], first[i], last[i]);
				alarm->most_sources = fresh ? fmax(alarm->most_sources, few_count(&port->sources))
							    : alarm->most_sources;
			}
		} else if (fresh && !port->due && port_is_due(state, port)) {
			port->due = true;
			state->due[state->due_count++] = (uint32_t)number;
		}
	}
	int code = due_raise(state, findings, err);
	return first_code < 0 ? first_code : code;
}

static int new_ports_finish(void *opaque, struct findings *findings, struct err *err)
{
	struct new_ports *state = opaque;
	int first_code = 0;
	for (size_t i = 0; i < state->alarms.count; i++) {
		struct alarm *alarm = table_record(&state->alarms, i);
		int code = alarm->changed ? alarm_say(state, alarm, false, findings, err) : 0;
		if (code < 0 && !first_code)
			first_code = code;
	}
	return first_code;
}

static uint64_t new_ports_refused(const void *state)
{
	return ((const struct new_ports *)state)->late;
}

const struct detector detector_new_ports = {
	.name = "new-ports",
	.version = VERSION,
	.summary = "ports that were quiet and are not any more",
	.summary_ja = "静かだったポートへの新たな探索",
	.takes = &record_tuple,
	.options = new_ports_option_table,
	.options_bytes = sizeof(struct new_ports_options),
	.open = new_ports_open,
	.take = new_ports_take,
	.finish = new_ports_finish,
	.refused = new_ports_refused,
};
