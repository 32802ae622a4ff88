/* Worm outbreaks: the distinct sources that show one fingerprint on one port grow exponentially.
 *
 * Each infected host infects at a constant rate, so the early growth of infections is exponential (Staniford, Paxson
 * and Weaver, "How to 0wn the Internet in Your Spare Time", USENIX Security 2002). Distinct sources are counted per
 * interval of five minutes; over the last 5 to 12 intervals the logarithm of the count is fitted by a line, and an
 * outbreak is a line that is straight (R^2 of 0.9 or more), doubles within an hour, and has carried the count to four
 * times its beginning and past the threshold. A campaign that is switched on grows in one step, which no straight line
 * fits.
 */
#include "analyze/detectors.h"
#include "analyze/limits.h"
#include "analyze/sketch.h"
#include "analyze/table.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>

enum { VERSION = 1, INTERVALS = 12, LEAST_INTERVALS = 5, ENDED_AFTER = 6 };
static const double least_r2 = 0.9, least_growth = 4;

struct worms_options {
	int64_t sources, doubling_ns, interval_ns, limit;
};

static const struct option_spec worms_option_table[] = {
	{.name = "sources",
	 .type = OPTION_INT,
	 OPTION_AT(struct worms_options, sources),
	 .default_text = "30",
	 .min = 4,
	 .max = INT32_MAX,
	 .argument = "N",
	 .help = "Distinct sources in an interval that an outbreak has reached",
	 .help_ja = "流行とみなす、区間内の送信元数"},
	{.name = "doubling",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct worms_options, doubling_ns),
	 .default_text = "1h",
	 .min = NS_PER_MINUTE,
	 .max = 30 * NS_PER_DAY,
	 .argument = "TIME",
	 .help = "Longest doubling time of an outbreak",
	 .help_ja = "流行とみなす最長の倍加時間"},
	{.name = "interval",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct worms_options, interval_ns),
	 .default_text = "5m",
	 .min = NS_PER_MINUTE,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "Length of an interval",
	 .help_ja = "区間の長さ"},
	{.name = "limit",
	 .type = OPTION_INT,
	 OPTION_AT(struct worms_options, limit),
	 .default_text = "16384",
	 .min = 1,
	 .max = LIMIT_WORM_TRACKS,
	 .argument = "N",
	 .help = "Most (port, fingerprint) pairs followed",
	 .help_ja = "追跡する (ポート, 指紋) の最大数"},
	{.name = NULL},
};

enum fingerprint_kind { BY_TOOL, BY_PAYLOAD, BY_SIGNATURE };
static const char *const fingerprint_names[] = {"tool", "payload", "signature"};

struct worm_key {
	uint64_t fingerprint;
	uint32_t port; /* protocol << 16 | port */
	uint32_t kind;
};

struct worm {
	struct worm_key key;
	struct many sources;
	float counts[INTERVALS]; /* ring of closed intervals */
	uint64_t packets_open, packets;
	int64_t id_ns, first_ns, last_ns; /* id_ns 0: no outbreak */
	int64_t said_id_ns;               /* of the outbreak that was said last */
	double most_sources, doubling_s, r2, growth;
	uint32_t closed, calm, idle;
};

/* Most (port, fingerprint) pairs are met by one source and never again. A pair becomes a track at its second source;
 * until then a small mark of the first is all that is kept. A collision only makes a track too early. */
enum { MARKS = 1 << 20 };

struct worms {
	struct worms_options options;
	uint16_t *marks; /* MARKS, emptied each interval */
	struct table table;
	int64_t interval_start_ns;
	uint64_t refused;
};

static int worms_open(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
		      struct err *err)
{
	(void)vantage;
	struct worms *worms = pool_alloc(pool, sizeof *worms);
	uint16_t *marks = pool_array(pool, MARKS, sizeof *marks);
	if (!worms || !marks)
		return err_set(err, -ENOMEM, "no memory for worms");
	worms->options = *(const struct worms_options *)options;
	worms->marks = marks;
	worms->interval_start_ns = INT64_MIN;
	table_init(&worms->table, pool, sizeof(struct worm), sizeof(struct worm_key), (size_t)worms->options.limit);
	*ret_state = worms;
	return 0;
}

/* Fit log2(count) of the last n intervals; false when one of them is empty. */
static bool growth_fit(const struct worm *worm, uint32_t n, double *ret_slope, double *ret_r2, double *ret_growth)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
	for (uint32_t i = 0; i < n; i++) {
		float count = worm->counts[(worm->closed - n + i) % INTERVALS];
		if (count < 1)
			return false;
		double y = log2(count);
		sx += i;
		sy += y;
		sxx += (double)i * i;
		sxy += i * y;
		syy += y * y;
	}
	double vx = sxx - sx * sx / n, vy = syy - sy * sy / n, vxy = sxy - sx * sy / n;
	*ret_slope = vxy / vx;
	*ret_r2 = vy > 0 ? vxy * vxy / (vx * vy) : 0;
	*ret_growth = exp2(*ret_slope * (n - 1));
	return true;
}

/* The longest straight growth that ends now. */
static bool worm_grows(const struct worms *worms, struct worm *worm)
{
	float now = worm->counts[(worm->closed - 1) % INTERVALS];
	if (now < (float)worms->options.sources)
		return false;
	double seconds = (double)worms->options.interval_ns / (double)NS_PER_S;
	uint32_t most = worm->closed < INTERVALS ? worm->closed : INTERVALS;
	for (uint32_t n = most; n >= LEAST_INTERVALS; n--) {
		double slope, r2, growth;
		if (!growth_fit(worm, n, &slope, &r2, &growth) || slope <= 0 || r2 < least_r2 ||
		    growth < least_growth || seconds / slope > (double)worms->options.doubling_ns / (double)NS_PER_S)
			continue;
		worm->doubling_s = seconds / slope;
		worm->r2 = r2;
		worm->growth = growth;
		return true;
	}
	return false;
}

static int worm_say(struct worms *worms, struct worm *worm, bool ended, struct findings *findings, struct err *err)
{
	char port[PORT_TEXT_BYTES], id[128], first[TIME_TEXT_BYTES], where[128], value[32], subject[96], mark[64];
	uint8_t protocol = (uint8_t)(worm->key.port >> 16);
	port_format(protocol, (uint16_t)worm->key.port, port);
	bool by_tool = worm->key.kind == BY_TOOL;
	if (by_tool)
		snprintf(value, sizeof value, "%s", scan_tool_names[worm->key.fingerprint % SCAN_TOOLS]);
	else
		snprintf(value, sizeof value, "%llu", (unsigned long long)worm->key.fingerprint);
	snprintf(mark, sizeof mark, "%s %s", fingerprint_names[worm->key.kind], value);
	snprintf(id, sizeof id, "worm:%s:%s:%s:%s", port, fingerprint_names[worm->key.kind], value,
		 time_format(worm->id_ns, first));
	snprintf(where, sizeof where, "protocol=%u --where port=%u --where %s=%s", protocol, worm->key.port & 0xffff,
		 fingerprint_names[worm->key.kind], value);
	snprintf(subject, sizeof subject, "outbreak %s", port);
	json_t *counts = json_array();
	uint32_t held = worm->closed < INTERVALS ? worm->closed : INTERVALS;
	for (uint32_t i = 0; i < held; i++)
		json_array_append_new(counts, json_real(round(worm->counts[(worm->closed - held + i) % INTERVALS])));
	json_t *ground =
		json_pack("{s:{s:I, s:f, s:f, s:f, s:f}, s:{s:f, s:f, s:f, s:f}, s:[s], s:s, s:s, s:f, s:o, s:o}",
			  "thresholds", "sources", (json_int_t)worms->options.sources, "doubling_seconds_at_most",
			  (double)worms->options.doubling_ns / (double)NS_PER_S, "r2", least_r2, "growth", least_growth,
			  "interval_seconds", (double)worms->options.interval_ns / (double)NS_PER_S, "observed",
			  "most_sources", round(worm->most_sources), "doubling_seconds", round(worm->doubling_s), "r2",
			  worm->r2, "growth", worm->growth, "ports", port, "tool", by_tool ? value : "unknown",
			  "fingerprint", mark, "sources", round(worm->most_sources), "sources_by_interval", counts,
			  "derive", derive_command("tuple", where, worm->first_ns, worm->last_ns, NS_PER_MINUTE));
	struct finding finding = {
		.id = id,
		.time_ns = worm->last_ns,
		.type = FINDING_CAMPAIGN,
		.severity = SEVERITY_HIGH,
		.subject = subject,
		.first_ns = worm->first_ns,
		.last_ns = worm->last_ns,
		.ended = ended,
		.packets = worm->packets,
		.score = worm->growth,
		.rule = "worm.exponential",
		.rule_version = VERSION,
		.again = worm->said_id_ns == worm->id_ns,
	};
	worm->said_id_ns = worm->id_ns;
	return findings_put(findings, &finding, ground, err);
}

struct closing {
	struct worms *worms;
	struct findings *findings;
	struct err *err;
	int code;
};

static int worm_close(struct worms *worms, struct worm *worm, struct findings *findings, struct err *err)
{
	int64_t end_ns = worms->interval_start_ns + worms->options.interval_ns;
	bool grows = worm_grows(worms, worm);
	if (!worm->id_ns) {
		if (!grows)
			return 0;
		worm->id_ns = worm->first_ns =
			worms->interval_start_ns - (LEAST_INTERVALS - 1) * worms->options.interval_ns;
		worm->packets = 0;
		worm->most_sources = 0;
	}
	double now = worm->counts[(worm->closed - 1) % INTERVALS];
	worm->packets += worm->packets_open;
	worm->most_sources = fmax(worm->most_sources, now);
	worm->calm = grows ? 0 : worm->calm + 1;
	if (worm->packets_open)
		worm->last_ns = end_ns - 1;
	bool ended = worm->calm >= ENDED_AFTER;
	int code = worm_say(worms, worm, ended, findings, err);
	if (ended) {
		worm->id_ns = 0;
		worm->calm = 0;
	}
	return code;
}

static bool worm_keep(void *record, void *context)
{
	struct worm *worm = record;
	struct closing *closing = context;
	double count = many_count(&worm->sources);
	worm->counts[worm->closed++ % INTERVALS] = (float)count;
	int code = worm_close(closing->worms, worm, closing->findings, closing->err);
	if (code < 0)
		closing->code = code;
	/* a lone source is forgotten at once, so that noise does not fill the table */
	worm->idle = count < 2 ? worm->idle + 1 : 0;
	worm->packets_open = 0;
	worm->sources = (struct many){0};
	return worm->id_ns || worm->idle < 2;
}

static int intervals_advance(struct worms *worms, int64_t minute_ns, struct findings *findings, struct err *err)
{
	int64_t span = worms->options.interval_ns;
	if (worms->interval_start_ns == INT64_MIN)
		worms->interval_start_ns = time_floor(minute_ns, span);
	int first_code = 0;
	while (minute_ns - worms->interval_start_ns >= span) {
		if (!worms->table.count) {
			worms->interval_start_ns = time_floor(minute_ns, span);
			break;
		}
		struct closing closing = {.worms = worms, .findings = findings, .err = err};
		table_sweep(&worms->table, worm_keep, &closing);
		if (closing.code < 0 && !first_code)
			first_code = closing.code;
		worms->interval_start_ns += span;
	}
	memset(worms->marks, 0, MARKS * sizeof *worms->marks);
	return first_code;
}

static uint16_t *mark_of(const struct worms *worms, uint64_t hash)
{
	return &worms->marks[hash >> 44];
}

/* The track of the pair; NULL at its first source of the interval, or when it does not fit. */
static struct worm *worm_get(struct worms *worms, const struct worm_key *key, uint64_t hash, uint64_t source_hash)
{
	struct worm *worm = table_find(&worms->table, key, hash);
	if (worm)
		return worm;
	uint16_t mark = (uint16_t)(source_hash >> 20 | 1), *at = mark_of(worms, hash);
	if (!*at || *at == mark) {
		*at = mark;
		return NULL;
	}
	bool is_new;
	worm = table_add(&worms->table, key, hash, &is_new);
	worms->refused += worm == NULL;
	return worm;
}

static int worms_take(void *opaque, const struct batch *batch, struct findings *findings, struct err *err)
{
	struct worms *worms = opaque;
	const int64_t *minute = batch->columns[0];
	const struct addr *source = batch->columns[2];
	const uint8_t *kind = batch->columns[3], *tool = batch->columns[4], *protocol = batch->columns[6];
	const uint8_t *spoofed = batch->columns[10];
	const uint16_t *port = batch->columns[7];
	const uint32_t *packets = batch->columns[11], *signature = batch->columns[17];
	const uint64_t *payload = batch->columns[16];
	enum { AHEAD = 32 };
	struct worm_key keys[AHEAD];
	uint64_t hashes[AHEAD], source_hashes[AHEAD];
	int first_code = 0;
	for (uint32_t i = 0; i < batch->rows; i++) {
		for (uint32_t j = i; i % AHEAD == 0 && j < batch->rows && j < i + AHEAD; j++) {
			struct worm_key *key = &keys[j - i];
			*key = (struct worm_key){.port = (uint32_t)protocol[j] << 16 | port[j]};
			key->kind = tool[j] ? BY_TOOL : payload[j] ? BY_PAYLOAD : BY_SIGNATURE;
			key->fingerprint = tool[j] ? tool[j] : payload[j] ? payload[j] : signature[j];
			hashes[j - i] = table_hash(&worms->table, key);
			table_prefetch(&worms->table, hashes[j - i]);
			__builtin_prefetch(mark_of(worms, hashes[j - i]), 1);
		}
		for (uint32_t j = i; i % AHEAD == 0 && j < batch->rows && j < i + AHEAD; j++) {
			struct worm *worm = table_prefetch_record(&worms->table, hashes[j - i]);
			source_hashes[j - i] = addr_hash(&source[j]);
			if (worm)
				__builtin_prefetch(many_register(&worm->sources, source_hashes[j - i]), 1);
		}
		if (kind[i] != PACKET_SCAN || spoofed[i] || (protocol[i] != 6 && protocol[i] != 17))
			continue;
		int code = worms->interval_start_ns == INT64_MIN ||
					   minute[i] - worms->interval_start_ns >= worms->options.interval_ns
				   ? intervals_advance(worms, minute[i], findings, err)
				   : 0;
		if (code < 0 && !first_code)
			first_code = code;
		if (minute[i] < worms->interval_start_ns) {
			worms->refused++;
			continue;
		}
		uint64_t source_hash = source_hashes[i % AHEAD];
		struct worm *worm = worm_get(worms, &keys[i % AHEAD], hashes[i % AHEAD], source_hash);
		if (!worm)
			continue;
		worm->packets_open += packets[i];
		many_add(&worm->sources, source_hash);
	}
	return first_code;
}

static int worms_finish(void *opaque, struct findings *findings, struct err *err)
{
	struct worms *worms = opaque;
	if (worms->interval_start_ns == INT64_MIN)
		return 0;
	struct closing closing = {.worms = worms, .findings = findings, .err = err};
	table_sweep(&worms->table, worm_keep, &closing);
	worms->interval_start_ns += worms->options.interval_ns;
	return closing.code;
}

static uint64_t worms_refused(const void *state)
{
	return ((const struct worms *)state)->refused;
}

const struct detector detector_worms = {
	.name = "worms",
	.version = VERSION,
	.summary = "outbreaks: sources of one fingerprint on a port that grow exponentially",
	.summary_ja = "同じ指紋の送信元が指数的に増える流行 (ワーム)",
	.takes = &record_tuple,
	.options = worms_option_table,
	.options_bytes = sizeof(struct worms_options),
	.open = worms_open,
	.take = worms_take,
	.finish = worms_finish,
	.refused = worms_refused,
};
