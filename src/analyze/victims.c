/* Hosts under denial of service, told by their backscatter.
 *
 * Rule "victim.corsaro3": over the life of an attack flow (one victim, silence of at most 300 s) at least 25 packets,
 * at least 60 s, and at least 30 packets in some window of 60 s that slides by 10 s; the thresholds of CAIDA's Corsaro
 * 3 dos plugin. Rule "victim.moore", stronger, after Moore et al., "Inferring Internet Denial-of-Service Activity"
 * (USENIX Security 2001): at least 100 packets, at least 60 s, and more than one darknet address answered, which sorts
 * out a single misdirected conversation.
 *
 * Echo bins are 10 s long, so the sliding window is six bins. A minute's bins come in any order: a ring of 18 bins
 * takes them, and what is older still counts as packets but not towards a window.
 */
#include "analyze/detectors.h"
#include "analyze/limits.h"
#include "analyze/table.h"
#include "core/addr.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>

enum { BIN_S = 10, WINDOW_BINS = 6, RING_BINS = 18, VERSION = 1 };
#define BIN_NS (BIN_S * NS_PER_S)

enum victim_rule { RULE_CORSARO3, RULE_MOORE };
static const char *const rule_names[] = {"victim.corsaro3", "victim.moore"};

struct victims_options {
	int64_t rule;
	int64_t packets, seconds_ns, window_packets;
	int64_t moore_packets;
	int64_t expiry_ns, repeat_ns, limit;
};

static const struct option_spec victims_option_table[] = {
	{.name = "rule",
	 .type = OPTION_CHOICE,
	 OPTION_AT(struct victims_options, rule),
	 .default_text = "corsaro3",
	 .choices = "corsaro3|moore",
	 .argument = "RULE",
	 .help = "Rule that makes a victim",
	 .help_ja = "被害ホストとみなす規則"},
	{.name = "packets",
	 .type = OPTION_INT,
	 OPTION_AT(struct victims_options, packets),
	 .default_text = "25",
	 .min = 1,
	 .max = INT64_MAX,
	 .argument = "N",
	 .help = "Fewest packets of an attack (corsaro3)",
	 .help_ja = "攻撃とみなす最小パケット数 (corsaro3)"},
	{.name = "duration",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct victims_options, seconds_ns),
	 .default_text = "60s",
	 .min = 0,
	 .max = INT64_MAX,
	 .argument = "TIME",
	 .help = "Shortest attack",
	 .help_ja = "攻撃とみなす最短時間"},
	{.name = "window-packets",
	 .type = OPTION_INT,
	 OPTION_AT(struct victims_options, window_packets),
	 .default_text = "30",
	 .min = 1,
	 .max = INT64_MAX,
	 .argument = "N",
	 .help = "Packets that some window of 60 s must hold (corsaro3)",
	 .help_ja = "60 秒の窓のいずれかに必要なパケット数 (corsaro3)"},
	{.name = "moore-packets",
	 .type = OPTION_INT,
	 OPTION_AT(struct victims_options, moore_packets),
	 .default_text = "100",
	 .min = 1,
	 .max = INT64_MAX,
	 .argument = "N",
	 .help = "Fewest packets of an attack (moore)",
	 .help_ja = "攻撃とみなす最小パケット数 (moore)"},
	{.name = "expiry",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct victims_options, expiry_ns),
	 .default_text = "300s",
	 .min = NS_PER_S,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "Silence that ends an attack",
	 .help_ja = "攻撃終了とみなす無通信時間"},
	{.name = "repeat",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct victims_options, repeat_ns),
	 .default_text = "60s",
	 .min = NS_PER_S,
	 .max = NS_PER_DAY,
	 .argument = "TIME",
	 .help = "How often a going attack is reported anew",
	 .help_ja = "継続中の攻撃を更新する間隔"},
	{.name = "limit",
	 .type = OPTION_INT,
	 OPTION_AT(struct victims_options, limit),
	 .default_text = "262144",
	 .min = 1,
	 .max = LIMIT_VICTIMS,
	 .argument = "N",
	 .help = "Most hosts followed at once",
	 .help_ja = "同時に追跡する最大ホスト数"},
	{.name = NULL},
};

struct vector {
	uint16_t port;
	uint8_t protocol;
	uint64_t packets;
};

struct victim {
	struct addr addr; /* the key */
	int64_t first_ns, last_ns;
	uint64_t packets, bytes, other_packets;
	int64_t top_bin; /* number of the newest bin of the ring */
	uint32_t bins[RING_BINS];
	uint32_t most_in_window, most_targets;
	int64_t id_first_ns, said_ns; /* of the last row; 0: none yet */
	bool is_victim, changed, due;
	uint8_t vector_count;
	struct vector vectors[LIMIT_VICTIM_PORTS];
};

struct victims {
	struct victims_options options;
	struct vantage vantage;
	struct table table;
	uint32_t *due; /* victims a batch touched that meet the rule; BATCH_ROWS_MAX */
	uint32_t due_count;
	int64_t now_ns, swept_ns;
	uint64_t refused;
};

static int victims_open(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
			struct err *err)
{
	struct victims *victims = pool_alloc(pool, sizeof *victims);
	uint32_t *due = pool_array(pool, BATCH_ROWS_MAX, sizeof *due);
	if (!victims || !due)
		return err_set(err, -ENOMEM, "no memory for victims");
	victims->options = *(const struct victims_options *)options;
	victims->vantage = *vantage;
	victims->due = due;
	victims->now_ns = victims->swept_ns = INT64_MIN;
	table_init(&victims->table, pool, sizeof(struct victim), sizeof(struct addr), (size_t)victims->options.limit);
	*ret_state = victims;
	return 0;
}

static uint32_t window_sum(const struct victim *victim, int64_t last_bin)
{
	uint32_t sum = 0;
	for (int64_t bin = last_bin - WINDOW_BINS + 1; bin <= last_bin; bin++)
		if (bin <= victim->top_bin && bin > victim->top_bin - RING_BINS)
			sum += victim->bins[(uint64_t)bin % RING_BINS];
	return sum;
}

/* Put packets into their bin, and look at the six windows that hold it. */
static void victim_bin(struct victim *victim, int64_t bin, uint32_t packets)
{
	if (bin > victim->top_bin) {
		int64_t fresh = bin - victim->top_bin < RING_BINS ? bin - victim->top_bin : RING_BINS;
		for (int64_t i = 0; i < fresh; i++)
			victim->bins[(uint64_t)(bin - i) % RING_BINS] = 0;
		victim->top_bin = bin;
	} else if (bin <= victim->top_bin - RING_BINS) {
		return;
	}
	uint32_t *count = &victim->bins[(uint64_t)bin % RING_BINS];
	*count = *count + packets < packets ? UINT32_MAX : *count + packets;
	for (int64_t last = bin; last < bin + WINDOW_BINS; last++) {
		uint32_t sum = window_sum(victim, last);
		if (sum > victim->most_in_window)
			victim->most_in_window = sum;
	}
}

/* The busiest ports keep their own counts; a newcomer to a full list takes the place of the smallest. */
static void victim_vector(struct victim *victim, uint8_t protocol, uint16_t port, uint32_t packets)
{
	unsigned least = 0;
	for (unsigned i = 0; i < victim->vector_count; i++) {
		if (victim->vectors[i].protocol == protocol && victim->vectors[i].port == port) {
			victim->vectors[i].packets += packets;
			return;
		}
		if (victim->vectors[i].packets < victim->vectors[least].packets)
			least = i;
	}
	struct vector fresh = {.port = port, .protocol = protocol, .packets = packets};
	if (victim->vector_count < LIMIT_VICTIM_PORTS) {
		victim->vectors[victim->vector_count++] = fresh;
	} else if (packets > victim->vectors[least].packets) {
		victim->other_packets += victim->vectors[least].packets;
		victim->vectors[least] = fresh;
	} else {
		victim->other_packets += packets;
	}
}

static bool victim_meets(const struct victims *victims, const struct victim *victim)
{
	const struct victims_options *rule = &victims->options;
	if (victim->last_ns - victim->first_ns < rule->seconds_ns)
		return false;
	if (rule->rule == RULE_MOORE)
		return victim->packets >= (uint64_t)rule->moore_packets && victim->most_targets > 1;
	return victim->packets >= (uint64_t)rule->packets && victim->most_in_window >= (uint64_t)rule->window_packets;
}

static int vector_order(const void *a, const void *b)
{
	const struct vector *one = a, *two = b;
	if (one->packets != two->packets)
		return one->packets < two->packets ? 1 : -1;
	return one->protocol != two->protocol ? one->protocol - two->protocol : one->port - two->port;
}

static json_t *victim_ground(const struct victims *victims, const struct victim *victim, const char *address)
{
	const struct victims_options *rule = &victims->options;
	struct vector vectors[LIMIT_VICTIM_PORTS];
	memcpy(vectors, victim->vectors, sizeof vectors);
	qsort(vectors, victim->vector_count, sizeof *vectors, vector_order);
	json_t *ports = json_array();
	for (unsigned i = 0; i < victim->vector_count; i++) {
		char text[PORT_TEXT_BYTES];
		json_array_append_new(ports, json_pack("{s:s, s:i, s:i, s:I}", "name",
						       port_format(vectors[i].protocol, vectors[i].port, text),
						       "protocol", vectors[i].protocol, "port", vectors[i].port,
						       "packets", (json_int_t)vectors[i].packets));
	}
	bool moore = rule->rule == RULE_MOORE;
	json_t *thresholds =
		json_pack("{s:I, s:f, s:f}", "packets", (json_int_t)(moore ? rule->moore_packets : rule->packets),
			  "seconds", (double)rule->seconds_ns / (double)NS_PER_S, "expiry_seconds",
			  (double)rule->expiry_ns / (double)NS_PER_S);
	if (thresholds)
		json_object_set_new(thresholds, moore ? "targets_in_10_s" : "packets_in_60_s",
				    json_integer(moore ? 2 : rule->window_packets));
	/* Spoofed sources are drawn from all of IPv4 alike: the darknet sees its share of the answers. */
	double scale = 4294967296.0 / (double)victims->vantage.darknet_addresses;
	json_t *observed = json_pack(
		"{s:I, s:I, s:f, s:I, s:I, s:f}", "packets", (json_int_t)victim->packets, "bytes",
		(json_int_t)victim->bytes, "seconds", (double)(victim->last_ns - victim->first_ns) / (double)NS_PER_S,
		"most_in_60_s", (json_int_t)victim->most_in_window, "most_darknet_addresses_in_10_s",
		(json_int_t)victim->most_targets, "estimated_packets_per_second_if_spoofed_at_random",
		victim->most_in_window * scale / 60);
	char where[sizeof "victim=" + ADDR_TEXT_BYTES];
	snprintf(where, sizeof where, "victim=%s", address);
	return json_pack("{s:o, s:o, s:o, s:I, s:o}", "thresholds", thresholds, "observed", observed, "ports", ports,
			 "packets_on_other_ports", (json_int_t)victim->other_packets, "derive",
			 derive_command("echo", where, victim->first_ns, victim->last_ns, BIN_NS));
}

static int victim_say(struct victims *victims, struct victim *victim, bool ended, struct findings *findings,
		      struct err *err)
{
	char address[ADDR_TEXT_BYTES], id[128], first[TIME_TEXT_BYTES];
	addr_format(&victim->addr, address);
	if (!victim->said_ns)
		victim->id_first_ns = victim->first_ns;
	snprintf(id, sizeof id, "victim:%s:%s", address, time_format(time_floor(victim->id_first_ns, NS_PER_S), first));
	double scale = 4294967296.0 / (double)victims->vantage.darknet_addresses;
	double rate = victim->most_in_window * scale / 60;
	struct finding finding = {
		.id = id,
		.time_ns = ended ? victim->last_ns + victims->options.expiry_ns : victim->last_ns,
		.type = FINDING_VICTIM,
		.severity = rate >= 1e6   ? SEVERITY_HIGH
			    : rate >= 1e4 ? SEVERITY_MEDIUM
					  : SEVERITY_LOW,
		.subject = address,
		.first_ns = victim->first_ns,
		.last_ns = victim->last_ns,
		.ended = ended,
		.packets = victim->packets,
		.score = victim->most_in_window / 60.0,
		.rule = rule_names[victims->options.rule],
		.rule_version = VERSION,
		.again = victim->said_ns != 0,
	};
	victim->said_ns = victims->now_ns;
	victim->changed = false;
	return findings_put(findings, &finding, victim_ground(victims, victim, address), err);
}

struct sweep {
	struct victims *victims;
	struct findings *findings;
	struct err *err;
	int code;
	bool crowded; /* also forget who was nearly silent for a minute */
};

static bool victim_keep(void *record, void *context)
{
	struct victim *victim = record;
	struct sweep *sweep = context;
	int64_t silence = sweep->victims->now_ns - victim->last_ns;
	if (silence <= sweep->victims->options.expiry_ns)
		return !sweep->crowded || victim->is_victim || silence <= NS_PER_MINUTE;
	if (victim->is_victim) {
		int code = victim_say(sweep->victims, victim, true, sweep->findings, sweep->err);
		if (code < 0) {
			sweep->code = code;
			return true;
		}
	}
	return false;
}

static int victims_sweep(struct victims *victims, bool crowded, struct findings *findings, struct err *err)
{
	struct sweep sweep = {.victims = victims, .findings = findings, .err = err, .crowded = crowded};
	victims->swept_ns = victims->now_ns;
	table_sweep(&victims->table, victim_keep, &sweep);
	return sweep.code;
}

static struct victim *victim_get(struct victims *victims, const struct addr *addr, int64_t first_ns)
{
	bool is_new;
	struct victim *victim = table_add(&victims->table, addr, table_hash(&victims->table, addr), &is_new);
	if (victim && is_new) {
		victim->first_ns = first_ns;
		victim->last_ns = first_ns;
		victim->top_bin = time_floor(first_ns, BIN_NS) / BIN_NS;
	}
	return victim;
}

/* A flow that has been silent for too long is over even if no sweep came between: say so and begin another. */
static int victim_renew(struct victims *victims, struct victim *victim, int64_t first_ns, struct findings *findings,
			struct err *err)
{
	int code = victim->is_victim ? victim_say(victims, victim, true, findings, err) : 0;
	*victim = (struct victim){.addr = victim->addr,
				  .due = victim->due,
				  .first_ns = first_ns,
				  .last_ns = first_ns,
				  .top_bin = time_floor(first_ns, BIN_NS) / BIN_NS};
	return code;
}

struct echo_columns {
	const struct addr *victim;
	const uint8_t *protocol;
	const uint16_t *port;
	const uint32_t *packets, *targets;
	const uint64_t *bytes;
	const int64_t *bin, *first, *last;
};

static struct echo_columns echo_of(const struct batch *batch)
{
	return (struct echo_columns){
		.bin = batch->columns[0],
		.victim = batch->columns[2],
		.protocol = batch->columns[3],
		.port = batch->columns[4],
		.packets = batch->columns[5],
		.bytes = batch->columns[6],
		.targets = batch->columns[7],
		.first = batch->columns[8],
		.last = batch->columns[9],
	};
}

static int victims_row(struct victims *victims, const struct echo_columns *echo, uint32_t i, struct findings *findings,
		       struct err *err)
{
	struct victim *victim = victim_get(victims, &echo->victim[i], echo->first[i]);
	if (!victim) {
		victims->refused++;
		return 0;
	}
	int code = 0;
	if (echo->first[i] - victim->last_ns > victims->options.expiry_ns)
		code = victim_renew(victims, victim, echo->first[i], findings, err);
	if (echo->first[i] < victim->first_ns)
		victim->first_ns = echo->first[i];
	if (echo->last[i] > victim->last_ns)
		victim->last_ns = echo->last[i];
	victim->packets += echo->packets[i];
	victim->bytes += echo->bytes[i];
	victim->changed = true;
	if (echo->targets[i] > victim->most_targets)
		victim->most_targets = echo->targets[i];
	victim_bin(victim, time_floor(echo->bin[i], BIN_NS) / BIN_NS, echo->packets[i]);
	victim_vector(victim, echo->protocol[i], echo->port[i], echo->packets[i]);
	if (!victim->due && victim_meets(victims, victim) && victims->due_count < BATCH_ROWS_MAX) {
		victim->due = true;
		victims->due[victims->due_count++] = (uint32_t)table_index(&victims->table, victim);
	}
	return code;
}

static int victims_take(void *state, const struct batch *batch, struct findings *findings, struct err *err)
{
	struct victims *victims = state;
	struct echo_columns echo = echo_of(batch);
	int first_code = 0;
	for (uint32_t i = 0; i < batch->rows; i++)
		if (echo.last[i] > victims->now_ns)
			victims->now_ns = echo.last[i];
	bool crowded = victims->table.count >= victims->table.limit;
	if (victims->swept_ns == INT64_MIN)
		victims->swept_ns = victims->now_ns;
	for (uint32_t i = 0; i < batch->rows; i++) {
		int code = victims_row(victims, &echo, i, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	for (uint32_t i = 0; i < victims->due_count; i++) {
		struct victim *victim = table_record(&victims->table, victims->due[i]);
		victim->due = false;
		if (!victim_meets(victims, victim))
			continue;
		bool is_new = !victim->is_victim;
		victim->is_victim = true;
		if (!is_new && victims->now_ns - victim->said_ns < victims->options.repeat_ns)
			continue;
		int code = victim_say(victims, victim, false, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	victims->due_count = 0;
	if (crowded || victims->now_ns - victims->swept_ns >= 10 * NS_PER_S) {
		int code = victims_sweep(victims, crowded, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	return first_code;
}

static int victims_finish(void *state, struct findings *findings, struct err *err)
{
	struct victims *victims = state;
	int first_code = 0;
	for (size_t i = 0; i < victims->table.count; i++) {
		struct victim *victim = table_record(&victims->table, i);
		if (!victim->is_victim || !victim->changed)
			continue;
		int code = victim_say(victims, victim, false, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	return first_code;
}

static uint64_t victims_refused(const void *state)
{
	return ((const struct victims *)state)->refused;
}

const struct detector detector_victims = {
	.name = "victims",
	.version = VERSION,
	.summary = "hosts under denial of service, by their backscatter",
	.summary_ja = "跳ね返りパケットから見た DoS 攻撃の被害ホスト",
	.takes = &record_echo,
	.options = victims_option_table,
	.options_bytes = sizeof(struct victims_options),
	.open = victims_open,
	.take = victims_take,
	.finish = victims_finish,
	.refused = victims_refused,
};
