/* Scanners by the definition of Durumeric, Bailey and Halderman, "An Internet-Wide View of Internet-Wide Scanning"
 * (USENIX Security 2014): a source that contacts at least 100 distinct darknet addresses on one port and protocol at an
 * estimated 10 packets a second or more Internet-wide; a silence of 480 s ends it.
 *
 * Minute tuples say how many distinct addresses a minute saw. Their sum over minutes counts an address again when it is
 * met in two minutes, so it is an upper bound; a host that keeps calling one wrong address is kept out by asking that
 * some minute saw at least two. A pair of source and port is followed from that minute on: most pairs are one packet of
 * somebody who asks every port, and to follow each of them would take more than all else. The Internet-wide rate is the
 * darknet's scaled by 2^32 / size of the darknet.
 */
#include "analyze/detectors.h"
#include "analyze/limits.h"
#include "analyze/table.h"
#include "core/addr.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>

enum { VERSION = 2 };

struct scanners_options {
	int64_t addresses, rate, expiry_ns, repeat_ns, limit;
};

static const struct option_spec scanners_option_table[] = {
	{.name = "addresses",
	 .type = OPTION_INT,
	 OPTION_AT(struct scanners_options, addresses),
	 .default_text = "100",
	 .min = 1,
	 .max = INT64_MAX,
	 .argument = "N",
	 .help = "Distinct darknet addresses on one port",
	 .help_ja = "1 つのポートで届いたダークネットのアドレス数"},
	{.name = "rate",
	 .type = OPTION_INT,
	 OPTION_AT(struct scanners_options, rate),
	 .default_text = "10",
	 .min = 0,
	 .max = INT64_MAX,
	 .argument = "PPS",
	 .help = "Estimated packets a second, Internet-wide",
	 .help_ja = "インターネット全体での推定パケット毎秒"},
	{.name = "expiry",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct scanners_options, expiry_ns),
	 .default_text = "480s",
	 .min = NS_PER_S,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "Silence that ends a scan",
	 .help_ja = "スキャン終了とみなす無通信時間"},
	{.name = "repeat",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct scanners_options, repeat_ns),
	 .default_text = "10m",
	 .min = NS_PER_S,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "How often a going scan is reported anew",
	 .help_ja = "継続中のスキャンを更新する間隔"},
	{.name = "limit",
	 .type = OPTION_INT,
	 OPTION_AT(struct scanners_options, limit),
	 .default_text = "4194304",
	 .min = 1,
	 .max = LIMIT_SCANNER_TRACKS,
	 .argument = "N",
	 .help = "Most (source, port) pairs followed at once",
	 .help_ja = "同時に追跡する (送信元, ポート) の最大数"},
	{.name = NULL},
};

struct track_key {
	struct addr source;
	uint16_t port;
	uint8_t protocol, zero[5];
};

struct track {
	struct track_key key;
	int64_t first_ns, last_ns, said_ns;
	uint32_t packets, addresses; /* addresses: sum over minutes */
	uint16_t most_in_row;        /* addresses in one tuple */
	uint8_t tool;
	bool is_scanner, changed, due;
};

struct scanners {
	struct scanners_options options;
	struct vantage vantage;
	struct table table;
	uint32_t least_in_row; /* distinct addresses that a minute must have seen for a track to begin */
	uint32_t *due;         /* tracks a batch touched that meet the rule; BATCH_ROWS_MAX */
	uint32_t due_count;
	int64_t now_ns, swept_ns;
	uint64_t refused;
};

static int scanners_open(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
			 struct err *err)
{
	struct scanners *scanners = pool_alloc(pool, sizeof *scanners);
	uint32_t *due = pool_array(pool, BATCH_ROWS_MAX, sizeof *due);
	if (!scanners || !due)
		return err_set(err, -ENOMEM, "no memory for scanners");
	scanners->options = *(const struct scanners_options *)options;
	scanners->vantage = *vantage;
	scanners->due = due;
	scanners->least_in_row = scanners->options.addresses > 1 ? 2 : 1;
	scanners->now_ns = scanners->swept_ns = INT64_MIN;
	table_init(&scanners->table, pool, sizeof(struct track), sizeof(struct track_key),
		   (size_t)scanners->options.limit);
	*ret_state = scanners;
	return 0;
}

static double track_rate(const struct scanners *scanners, const struct track *track)
{
	double seconds = (double)(track->last_ns - track->first_ns) / (double)NS_PER_S;
	return track->packets / (seconds < 1 ? 1 : seconds) * 4294967296.0 /
	       (double)scanners->vantage.darknet_addresses;
}

static bool track_meets(const struct scanners *scanners, const struct track *track)
{
	return track->addresses >= (uint64_t)scanners->options.addresses &&
	       track->most_in_row >= scanners->least_in_row &&
	       track_rate(scanners, track) >= (double)scanners->options.rate;
}

static int track_say(struct scanners *scanners, struct track *track, bool ended, struct findings *findings,
		     struct err *err)
{
	char address[ADDR_TEXT_BYTES], port[PORT_TEXT_BYTES], id[160], first[TIME_TEXT_BYTES], where[160];
	addr_format(&track->key.source, address);
	port_format(track->key.protocol, track->key.port, port);
	snprintf(id, sizeof id, "scanner:%s:%s:%s", address, port,
		 time_format(time_floor(track->first_ns, NS_PER_MINUTE), first));
	snprintf(where, sizeof where, "source=%s --where protocol=%u --where port=%u", address, track->key.protocol,
		 track->key.port);
	double rate = track_rate(scanners, track);
	json_t *ground = json_pack(
		"{s:{s:I, s:I, s:f}, s:{s:I, s:I, s:I, s:f, s:f}, s:s, s:s, s:I, s:o}", "thresholds", "addresses",
		(json_int_t)scanners->options.addresses, "packets_per_second", (json_int_t)scanners->options.rate,
		"expiry_seconds", (double)scanners->options.expiry_ns / (double)NS_PER_S, "observed", "packets",
		(json_int_t)track->packets, "addresses_at_most", (json_int_t)track->addresses,
		"most_addresses_in_a_minute", (json_int_t)track->most_in_row, "seconds",
		(double)(track->last_ns - track->first_ns) / (double)NS_PER_S, "estimated_packets_per_second", rate,
		"port", port, "tool", scan_tool_names[track->tool < SCAN_TOOLS ? track->tool : 0], "darknet_addresses",
		(json_int_t)scanners->vantage.darknet_addresses, "derive",
		derive_command("tuple", where, track->first_ns, track->last_ns, NS_PER_MINUTE));
	struct finding finding = {
		.id = id,
		.time_ns = ended ? track->last_ns + scanners->options.expiry_ns : track->last_ns,
		.type = FINDING_SCANNER,
		.severity = SEVERITY_INFO,
		.subject = address,
		.first_ns = track->first_ns,
		.last_ns = track->last_ns,
		.ended = ended,
		.packets = track->packets,
		.score = rate,
		.rule = "scanner.durumeric2014",
		.rule_version = VERSION,
		.again = track->said_ns != 0,
	};
	track->said_ns = scanners->now_ns;
	track->changed = false;
	return findings_put(findings, &finding, ground, err);
}

struct sweep {
	struct scanners *scanners;
	struct findings *findings;
	struct err *err;
	int code;
};

static bool track_keep(void *record, void *context)
{
	struct track *track = record;
	struct sweep *sweep = context;
	if (sweep->scanners->now_ns - track->last_ns <= sweep->scanners->options.expiry_ns)
		return true;
	if (!track->is_scanner)
		return false;
	int code = track_say(sweep->scanners, track, true, sweep->findings, sweep->err);
	if (code < 0)
		sweep->code = code;
	return code < 0;
}

static int track_renew(struct scanners *scanners, struct track *track, int64_t first_ns, struct findings *findings,
		       struct err *err)
{
	int code = track->is_scanner ? track_say(scanners, track, true, findings, err) : 0;
	*track = (struct track){.key = track->key, .due = track->due, .first_ns = first_ns, .last_ns = first_ns};
	return code;
}

struct sighting {
	int64_t first_ns, last_ns;
	uint32_t packets, targets;
	uint8_t tool;
};

static int track_see(struct scanners *scanners, const struct track_key *key, uint64_t hash, const struct sighting *seen,
		     struct findings *findings, struct err *err)
{
	bool is_new = false, may_begin = seen->targets >= scanners->least_in_row;
	struct track *track =
		may_begin ? table_add(&scanners->table, key, hash, &is_new) : table_find(&scanners->table, key, hash);
	if (!track) {
		scanners->refused += may_begin;
		return 0;
	}
	if (is_new)
		track->first_ns = track->last_ns = seen->first_ns;
	int code = 0;
	if (seen->first_ns - track->last_ns > scanners->options.expiry_ns)
		code = track_renew(scanners, track, seen->first_ns, findings, err);
	track->first_ns = seen->first_ns < track->first_ns ? seen->first_ns : track->first_ns;
	track->last_ns = seen->last_ns > track->last_ns ? seen->last_ns : track->last_ns;
	track->packets += seen->packets;
	track->addresses += seen->targets;
	if (seen->targets > track->most_in_row)
		track->most_in_row = seen->targets < UINT16_MAX ? (uint16_t)seen->targets : UINT16_MAX;
	if (seen->tool > track->tool)
		track->tool = seen->tool;
	track->changed = true;
	if (!track->due && track_meets(scanners, track) && scanners->due_count < BATCH_ROWS_MAX) {
		track->due = true;
		scanners->due[scanners->due_count++] = (uint32_t)table_index(&scanners->table, track);
	}
	return code;
}

static int due_say(struct scanners *scanners, struct findings *findings, struct err *err)
{
	int first_code = 0;
	for (uint32_t i = 0; i < scanners->due_count; i++) {
		struct track *track = table_record(&scanners->table, scanners->due[i]);
		track->due = false;
		if (!track_meets(scanners, track))
			continue;
		if (track->is_scanner && scanners->now_ns - track->said_ns < scanners->options.repeat_ns)
			continue;
		track->is_scanner = true;
		int code = track_say(scanners, track, false, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	scanners->due_count = 0;
	return first_code;
}

static int scanners_take(void *state, const struct batch *batch, struct findings *findings, struct err *err)
{
	struct scanners *scanners = state;
	const struct addr *source = batch->columns[2];
	const uint8_t *kind = batch->columns[3], *tool = batch->columns[4], *protocol = batch->columns[6];
	const uint16_t *port = batch->columns[7];
	const uint32_t *packets = batch->columns[11], *targets = batch->columns[13];
	const int64_t *first = batch->columns[14], *last = batch->columns[15];
	enum { AHEAD = 32 };
	struct track_key keys[AHEAD];
	uint64_t hashes[AHEAD];
	int first_code = 0;
	for (uint32_t begin = 0; begin < batch->rows; begin += AHEAD) {
		uint32_t count = batch->rows - begin < AHEAD ? batch->rows - begin : AHEAD;
		for (uint32_t j = 0; j < count; j++) {
			uint32_t i = begin + j;
			keys[j] = (struct track_key){.source = source[i], .port = port[i], .protocol = protocol[i]};
			hashes[j] = table_hash(&scanners->table, &keys[j]);
			table_prefetch(&scanners->table, hashes[j]);
			if (last[i] > scanners->now_ns)
				scanners->now_ns = last[i];
		}
		for (uint32_t j = 0; j < count; j++)
			table_prefetch_record(&scanners->table, hashes[j]);
		for (uint32_t j = 0; j < count; j++) {
			uint32_t i = begin + j;
			if (kind[i] != PACKET_SCAN && kind[i] != PACKET_SURVEY)
				continue;
			struct sighting sighting = {first[i], last[i], packets[i], targets[i], tool[i]};
			int code = track_see(scanners, &keys[j], hashes[j], &sighting, findings, err);
			if (code < 0 && !first_code)
				first_code = code;
		}
	}
	int code = due_say(scanners, findings, err);
	if (code < 0 && !first_code)
		first_code = code;
	if (scanners->swept_ns == INT64_MIN)
		scanners->swept_ns = scanners->now_ns;
	if (scanners->now_ns - scanners->swept_ns >= scanners->options.expiry_ns / 4) {
		struct sweep sweep = {.scanners = scanners, .findings = findings, .err = err};
		scanners->swept_ns = scanners->now_ns;
		table_sweep(&scanners->table, track_keep, &sweep);
		if (sweep.code < 0 && !first_code)
			first_code = sweep.code;
	}
	return first_code;
}

static int scanners_finish(void *state, struct findings *findings, struct err *err)
{
	struct scanners *scanners = state;
	int first_code = 0;
	for (size_t i = 0; i < scanners->table.count; i++) {
		struct track *track = table_record(&scanners->table, i);
		if (!track->is_scanner || !track->changed)
			continue;
		int code = track_say(scanners, track, false, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	return first_code;
}

static uint64_t scanners_refused(const void *state)
{
	return ((const struct scanners *)state)->refused;
}

const struct detector detector_scanners = {
	.name = "scanners",
	.version = VERSION,
	.summary = "sources that scan, by the definition of Durumeric et al.",
	.summary_ja = "Durumeric らの定義によるスキャナー",
	.takes = &record_tuple,
	.options = scanners_option_table,
	.options_bytes = sizeof(struct scanners_options),
	.open = scanners_open,
	.take = scanners_take,
	.finish = scanners_finish,
	.refused = scanners_refused,
};
