/* Change points of the packets and the distinct sources of each port, and of all ports together, by ChangeFinder
 * (changefinder.h) with the parameters that Dark-TRACER publishes for darknet counts of ten minutes: forgetting 0.005,
 * smoothing over 10 and 5 values, alarm above 3, the first 15 values passed over.
 *
 * The score says that a series left its course, also when it does so by little; so a change must besides be one of
 * size: the last five values are on average half as large again, or half as large, as the thirty before them.
 */
#include "analyze/changefinder.h"
#include "analyze/detectors.h"
#include "analyze/limits.h"
#include "analyze/sketch.h"
#include "analyze/table.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>

enum { VERSION = 1, NEW_VALUES = 5, OLD_VALUES = 30, VALUES = NEW_VALUES + OLD_VALUES, CALM_AFTER = 3 };

static const double forgetting = 0.005;
enum { FIRST_WIDTH = 10, SECOND_WIDTH = 5 };

struct changes_options {
	int64_t threshold, warm_up, interval_ns, packets, limit;
};

static const struct option_spec changes_option_table[] = {
	{.name = "threshold",
	 .type = OPTION_INT,
	 OPTION_AT(struct changes_options, threshold),
	 .default_text = "3",
	 .min = -1000,
	 .max = 1000,
	 .argument = "SCORE",
	 .help = "ChangeFinder score above which a series has changed",
	 .help_ja = "変化点とみなす ChangeFinder スコア"},
	{.name = "warm-up",
	 .type = OPTION_INT,
	 OPTION_AT(struct changes_options, warm_up),
	 .default_text = "36",
	 .min = 15,
	 .max = 10000,
	 .argument = "N",
	 .help = "Intervals of a series before its first alarm",
	 .help_ja = "最初の警報までの区間数"},
	{.name = "interval",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct changes_options, interval_ns),
	 .default_text = "10m",
	 .min = NS_PER_MINUTE,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "Length of an interval",
	 .help_ja = "区間の長さ"},
	{.name = "packets",
	 .type = OPTION_INT,
	 OPTION_AT(struct changes_options, packets),
	 .default_text = "100",
	 .min = 1,
	 .max = INT64_MAX,
	 .argument = "N",
	 .help = "Packets in one interval that make a port worth following",
	 .help_ja = "追跡を始める、区間内のパケット数"},
	{.name = "limit",
	 .type = OPTION_INT,
	 OPTION_AT(struct changes_options, limit),
	 .default_text = "16384",
	 .min = 1,
	 .max = LIMIT_CHANGE_SERIES,
	 .argument = "N",
	 .help = "Most ports followed",
	 .help_ja = "追跡する最大ポート数"},
	{.name = NULL},
};

enum { BY_PACKETS, BY_SOURCES, MEASURES };
static const char *const measure_names[] = {"packets", "sources"};

struct series {
	uint64_t key; /* protocol << 16 | port; ALL_PORTS */
	struct many sources;
	uint64_t packets; /* in the open interval */
	struct changefinder finders[MEASURES];
	float values[MEASURES][VALUES];
	double most_score[MEASURES];
	int64_t since_ns[MEASURES]; /* start of the interval in which the going change was seen; 0: none */
	int64_t said_ns[MEASURES];  /* start of the change that was said last */
	uint64_t packets_since[MEASURES];
	uint32_t calm[MEASURES];
	uint32_t count; /* closed intervals */
};

static const uint64_t all_ports = UINT64_MAX;

/* Packets of a port that is not followed yet: a count only. */
struct changes {
	struct changes_options options;
	uint32_t *waiting; /* by TCP, UDP port */
	struct table series;
	int64_t interval_start_ns;
	uint64_t refused;
};

static struct series *series_add(struct changes *changes, uint64_t key)
{
	bool is_new;
	struct series *series = table_add(&changes->series, &key, table_hash(&changes->series, &key), &is_new);
	if (series && is_new)
		for (int i = 0; i < MEASURES; i++)
			changefinder_init(&series->finders[i], forgetting, FIRST_WIDTH, SECOND_WIDTH);
	return series;
}

static int changes_open(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
			struct err *err)
{
	(void)vantage;
	struct changes *changes = pool_alloc(pool, sizeof *changes);
	uint32_t *waiting = pool_array(pool, 2 * 65536, sizeof *waiting);
	if (!changes || !waiting)
		return err_set(err, -ENOMEM, "no memory for changes");
	changes->options = *(const struct changes_options *)options;
	changes->waiting = waiting;
	changes->interval_start_ns = INT64_MIN;
	table_init(&changes->series, pool, sizeof(struct series), 8, (size_t)changes->options.limit);
	if (!series_add(changes, all_ports))
		return err_set(err, -ENOMEM, "no memory for changes");
	*ret_state = changes;
	return 0;
}

static void means(const struct series *series, int measure, double *ret_new, double *ret_old)
{
	double fresh = 0, old = 0;
	for (uint32_t i = 1; i <= VALUES; i++) {
		float value = series->values[measure][(series->count + VALUES - i) % VALUES];
		if (i <= NEW_VALUES)
			fresh += value;
		else
			old += value;
	}
	uint32_t held = series->count < VALUES ? series->count : VALUES;
	*ret_new = fresh / NEW_VALUES;
	*ret_old = held > NEW_VALUES ? old / (held - NEW_VALUES) : 0;
}

static int change_say(struct changes *changes, struct series *series, int measure, double score, int64_t last_ns,
		      bool ended, struct findings *findings, struct err *err)
{
	char port[PORT_TEXT_BYTES] = "all", id[96], first[TIME_TEXT_BYTES], where[64] = "kind!=backscatter";
	if (series->key != all_ports) {
		port_format((uint8_t)(series->key >> 16), (uint16_t)series->key, port);
		snprintf(where, sizeof where, "protocol=%u --where port=%u", (unsigned)(series->key >> 16),
			 (unsigned)(series->key & 0xffff));
	}
	double fresh, old;
	means(series, measure, &fresh, &old);
	snprintf(id, sizeof id, "change:%s:%s:%s", port, measure_names[measure],
		 time_format(series->since_ns[measure], first));
	json_t *values = json_array();
	uint32_t held = series->count < VALUES ? series->count : VALUES;
	for (uint32_t i = held; i >= 1; i--)
		json_array_append_new(values,
				      json_real(series->values[measure][(series->count + VALUES - i) % VALUES]));
	json_t *ground = json_pack(
		"{s:{s:I, s:f, s:f, s:f}, s:{s:f, s:f, s:f, s:f, s:I}, s:s, s:s, s:o, s:o}", "thresholds", "score",
		(json_int_t)changes->options.threshold, "size_up", 1.5, "size_down", 0.5, "interval_seconds",
		(double)changes->options.interval_ns / (double)NS_PER_S, "observed", "score", score, "most_score",
		series->most_score[measure], "mean_of_last_5", fresh, "mean_of_30_before", old, "intervals",
		(json_int_t)series->count, "port", port, "measure", measure_names[measure], "values", values, "derive",
		derive_command("tuple", where, series->since_ns[measure] - VALUES * changes->options.interval_ns,
			       last_ns, NS_PER_MINUTE));
	struct finding finding = {
		.id = id,
		.time_ns = last_ns,
		.type = FINDING_CHANGE_POINT,
		.severity = fresh > 10 * old ? SEVERITY_MEDIUM : SEVERITY_LOW,
		.subject = port,
		.first_ns = series->since_ns[measure],
		.last_ns = last_ns,
		.ended = ended,
		.packets = series->packets_since[measure],
		.score = series->most_score[measure],
		.rule = "change.changefinder",
		.rule_version = VERSION,
		.again = series->said_ns[measure] == series->since_ns[measure],
	};
	series->said_ns[measure] = series->since_ns[measure];
	return findings_put(findings, &finding, ground, err);
}

static int measure_close(struct changes *changes, struct series *series, int measure, double value,
			 struct findings *findings, struct err *err)
{
	double score = changefinder_next(&series->finders[measure], value);
	double fresh, old;
	means(series, measure, &fresh, &old);
	bool sized = fresh >= 1.5 * old || fresh * 2 <= old;
	bool over = series->count > (uint64_t)changes->options.warm_up && score > (double)changes->options.threshold;
	int64_t start_ns = changes->interval_start_ns, last_ns = start_ns + changes->options.interval_ns - 1;
	if (!series->since_ns[measure]) {
		if (!over || !sized)
			return 0;
		series->since_ns[measure] = start_ns;
		series->packets_since[measure] = 0;
		series->most_score[measure] = score;
		series->calm[measure] = 0;
	}
	series->packets_since[measure] += series->packets;
	series->most_score[measure] = fmax(series->most_score[measure], score);
	series->calm[measure] = over ? 0 : series->calm[measure] + 1;
	bool ended = series->calm[measure] >= CALM_AFTER;
	int code = change_say(changes, series, measure, score, last_ns, ended, findings, err);
	if (ended)
		series->since_ns[measure] = 0;
	return code;
}

static int interval_close(struct changes *changes, struct findings *findings, struct err *err)
{
	int first_code = 0;
	for (size_t i = 0; i < changes->series.count; i++) {
		struct series *series = table_record(&changes->series, i);
		double values[MEASURES] = {(double)series->packets, many_count(&series->sources)};
		for (int measure = 0; measure < MEASURES; measure++)
			series->values[measure][series->count % VALUES] = (float)values[measure];
		series->count++;
		for (int measure = 0; measure < MEASURES; measure++) {
			int code = measure_close(changes, series, measure, values[measure], findings, err);
			if (code < 0 && !first_code)
				first_code = code;
		}
		series->packets = 0;
		series->sources = (struct many){0};
	}
	memset(changes->waiting, 0, 2 * 65536 * sizeof *changes->waiting);
	changes->interval_start_ns += changes->options.interval_ns;
	return first_code;
}

static int intervals_advance(struct changes *changes, int64_t minute_ns, struct findings *findings, struct err *err)
{
	int64_t span = changes->options.interval_ns;
	if (changes->interval_start_ns == INT64_MIN ||
	    minute_ns - changes->interval_start_ns > LIMIT_LEAP_INTERVALS * span) {
		if (changes->interval_start_ns != INT64_MIN)
			table_clear(&changes->series); /* too long a silence: every course is unknown */
		changes->interval_start_ns = time_floor(minute_ns, span);
		return series_add(changes, all_ports) ? 0 : -ENOMEM;
	}
	int first_code = 0;
	while (minute_ns - changes->interval_start_ns >= span) {
		int code = interval_close(changes, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	return first_code;
}

static void series_see(struct series *series, uint64_t hash, uint32_t packets)
{
	series->packets += packets;
	many_add(&series->sources, hash);
}

static uint64_t series_key(uint8_t protocol, uint16_t port)
{
	return (uint64_t)protocol << 16 | port;
}

static uint32_t *waiting_of(const struct changes *changes, uint8_t protocol, uint16_t port)
{
	return &changes->waiting[(protocol == 17) << 16 | port];
}

static int changes_take(void *opaque, const struct batch *batch, struct findings *findings, struct err *err)
{
	struct changes *changes = opaque;
	const int64_t *minute = batch->columns[0];
	const struct addr *source = batch->columns[2];
	const uint8_t *kind = batch->columns[3], *protocol = batch->columns[6], *spoofed = batch->columns[10];
	const uint16_t *port = batch->columns[7];
	const uint32_t *packets = batch->columns[11];
	enum { AHEAD = 32 };
	uint64_t hashes[AHEAD], source_hashes[AHEAD];
	int first_code = 0;
	for (uint32_t i = 0; i < batch->rows; i++) {
		for (uint32_t j = i; i % AHEAD == 0 && j < batch->rows && j < i + AHEAD; j++) {
			uint64_t ahead = series_key(protocol[j], port[j]);
			hashes[j - i] = table_hash(&changes->series, &ahead);
			table_prefetch(&changes->series, hashes[j - i]);
			__builtin_prefetch(waiting_of(changes, protocol[j], port[j]), 1);
		}
		for (uint32_t j = i; i % AHEAD == 0 && j < batch->rows && j < i + AHEAD; j++) {
			struct series *series = table_prefetch_record(&changes->series, hashes[j - i]);
			source_hashes[j - i] = addr_hash(&source[j]);
			if (!series)
				continue;
			__builtin_prefetch(&series->packets, 1);
			__builtin_prefetch(many_register(&series->sources, source_hashes[j - i]), 1);
		}
		if (kind[i] == PACKET_BACKSCATTER || spoofed[i])
			continue;
		int code = changes->interval_start_ns == INT64_MIN ||
					   minute[i] - changes->interval_start_ns >= changes->options.interval_ns
				   ? intervals_advance(changes, minute[i], findings, err)
				   : 0;
		if (code < 0 && !first_code)
			first_code = code;
		if (minute[i] < changes->interval_start_ns) {
			changes->refused++;
			continue;
		}
		uint64_t hash = source_hashes[i % AHEAD];
		series_see(table_record(&changes->series, 0), hash, packets[i]); /* all ports */
		if (protocol[i] != 6 && protocol[i] != 17)
			continue;
		uint64_t key = series_key(protocol[i], port[i]);
		struct series *series = table_find(&changes->series, &key, hashes[i % AHEAD]);
		if (!series) {
			uint32_t *waiting = waiting_of(changes, protocol[i], port[i]);
			*waiting = *waiting + packets[i] < packets[i] ? UINT32_MAX : *waiting + packets[i];
			if (*waiting < (uint64_t)changes->options.packets)
				continue;
			series = series_add(changes, key);
			if (!series) {
				changes->refused++;
				continue;
			}
			series->packets = *waiting - packets[i];
		}
		series_see(series, hash, packets[i]);
	}
	return first_code;
}

static int changes_finish(void *opaque, struct findings *findings, struct err *err)
{
	(void)opaque; /* an interval that is not over says nothing; going changes were said when theirs closed */
	(void)findings;
	(void)err;
	return 0;
}

static uint64_t changes_refused(const void *state)
{
	return ((const struct changes *)state)->refused;
}

const struct detector detector_changes = {
	.name = "changes",
	.version = VERSION,
	.summary = "change points of packets and sources per port, by ChangeFinder",
	.summary_ja = "ChangeFinder によるポート別パケット数・送信元数の変化点",
	.takes = &record_tuple,
	.options = changes_option_table,
	.options_bytes = sizeof(struct changes_options),
	.open = changes_open,
	.take = changes_take,
	.finish = changes_finish,
	.refused = changes_refused,
};
