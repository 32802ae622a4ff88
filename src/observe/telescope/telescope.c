/* The hot path: parse a burst, drop what is not for the darknet, tell kind and tool, put what rows want to know of each
 * packet to its part of the open minute (part.c). What needs a source's history (two-packet rules, distinct counts)
 * waits for the close of the minute (minute.c), where all of a source's rows stand together.
 */
#include "observe/telescope/telescope.h"

#include "observe/telescope/internal.h"
#include "observe/telescope/kind.h"
#include "observe/telescope/members.h"
#include "observe/telescope/payload.h"
#include "observe/telescope/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PORTS_BYTES (2 * PORTS * sizeof(struct port_count))
#define TIME_MAX_NS ((INT64_C(1) << 62) - NS_PER_DAY) /* so that differences never overflow */

/* Batches get their names here, whichever part of the telescope made them; sparks are not worth one. */
static int stamp_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct stamping_sink *stamping = (struct stamping_sink *)sink;
	if (batch->kind != &record_spark) {
		struct batch *own = (struct batch *)batch; /* whoever puts it here owns it: see telescope_sink() */
		own->sensor_boot = stamping->boot;
		own->sequence = ++stamping->sequence;
	}
	return stamping->next->put(stamping->next, batch, err);
}

static void stamping_begin(struct stamping_sink *stamping, struct sink *next)
{
	*stamping = (struct stamping_sink){.sink.put = stamp_put, .next = next};
	if (getrandom(&stamping->boot, sizeof stamping->boot, 0) < 0)
		stamping->boot = hash_u64((uint64_t)clock_now_ns() ^ (uintptr_t)stamping);
}

static int tables_new(struct telescope *telescope, struct err *err)
{
	if (echo_table_reserve(&telescope->echoes, BURST_MAX) < 0)
		return err_set(err, -ENOMEM, "no memory for the telescope's tables");
	telescope->batch = batch_new(&record_tuple, BATCH_ROWS);
	telescope->echo_batch = batch_new(&record_echo, BATCH_ROWS);
	telescope->payloads = payloads_new();
	if (!telescope->batch || !telescope->echo_batch || !telescope->payloads)
		return err_set(err, -ENOMEM, "no memory for the telescope's batches");
	return 0;
}

int telescope_new(const struct telescope_options *options, struct sink *sink, struct telescope **ret_telescope,
		  struct err *err)
{
	struct telescope *telescope = calloc(1, sizeof *telescope);
	if (!telescope)
		return err_set(err, -ENOMEM, "no memory for the telescope");
	telescope->options = *options;
	stamping_begin(&telescope->stamping, sink);
	stamping_begin(&telescope->sightings, sink);
	telescope->sink = &telescope->stamping.sink;
	telescope->pool = pool_new(NULL, "telescope");
	telescope->counts.first_ns = INT64_MAX;
	telescope->counts.last_ns = INT64_MIN;
	telescope->minute_ns = telescope->echo_bin_ns = INT64_MIN;
	int result = telescope->pool ? darknet_new(&options->darknet, &options->exclude, telescope->pool,
						   &telescope->darknet, err)
				     : err_set(err, -ENOMEM, "no memory for the telescope");
	if (result == 0 && options->survey.count) {
		result = darknet_new(&options->survey, NULL, telescope->pool, &telescope->survey, err);
		if (result < 0)
			err_prefix(err, result, "survey organisations");
	}
	telescope->ports = table_room(PORTS_BYTES);
	if (result == 0 && !telescope->ports)
		result = err_set(err, -ENOMEM, "no memory for the telescope's ports");
	if (result == 0 && !options->only_counts)
		result = tables_new(telescope, err);
	if (result == 0 && (options->live || options->raw))
		result = pulse_new(options, telescope->sink, &telescope->pulse, err);
	if (result < 0) {
		telescope_free(telescope);
		return result;
	}
	*ret_telescope = telescope;
	return 0;
}

void telescope_free(struct telescope *telescope)
{
	if (!telescope)
		return;
	pulse_free(telescope->pulse);
	members_free(telescope->members);
	parts_done(telescope);
	echo_table_done(&telescope->echoes);
	for (size_t v = 0; v < 2; v++) {
		source_table_done(&telescope->sources[v]);
		number_set_done(&telescope->port_sources[v]);
	}
	wide_table_done(&telescope->wide);
	v6_table_done(&telescope->v6);
	surveyors_done(&telescope->surveyors);
	payloads_free(telescope->payloads);
	batch_free(telescope->batch);
	batch_free(telescope->echo_batch);
	free(telescope->order);
	table_room_free(telescope->ports, PORTS_BYTES);
	pool_free(telescope->pool);
	free(telescope);
}

/* --- packets ----------------------------------------------------------------------------------------------------- */

static uint32_t target_hash_of(const struct packet *packet)
{
	uint64_t number = packet->dst;
	if (__builtin_expect(packet->version != 4, 0)) {
		uint64_t high, low;
		memcpy(&high, packet->ip + 24, 8);
		memcpy(&low, packet->ip + 32, 8);
		number = high ^ hash_u64(low);
	}
	number *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((number ^ number >> 32) * UINT64_C(0xbf58476d1ce4e5b9) >> 32);
}

/* The victim is who answers; of an ICMP error, whom the quoted packet was for. */
static int echo_fold(struct telescope *telescope, const struct verdict_line *line, const struct packet *packet,
		     struct err *err)
{
	int result = 0;
	if (telescope->echo_bin_ns == INT64_MIN || packet->time_ns - telescope->echo_bin_ns >= ECHO_NS ||
	    packet->time_ns < telescope->echo_bin_ns - LATE_NS) {
		result = echoes_close(telescope, err);
		telescope->echo_bin_ns = time_floor(packet->time_ns, ECHO_NS);
	}
	if (echo_table_reserve(&telescope->echoes, 1) < 0)
		return err_set(err, -ENOMEM, "no memory for another echo");
	struct addr victim = packet_source(packet);
	uint8_t protocol = packet->protocol;
	uint16_t port = packet->protocol == 6 || packet->protocol == 17 ? packet->sport : 0;
	if (packet->flags & PACKET_QUOTES) {
		struct packet_quote quote = packet_quoted(packet);
		victim = quote.destination;
		protocol = quote.protocol;
		port = quote.dport;
	}
	struct echo *echo = echo_table_at(&telescope->echoes, &victim, protocol, port);
	if (!echo->used)
		*echo = (struct echo){.victim = victim,
				      .protocol = protocol,
				      .port = port,
				      .used = 1,
				      .first_ns = packet->time_ns,
				      .last_ns = packet->time_ns};
	echo->packets++;
	echo->bytes += packet->ip_bytes;
	echo->target_bits |= target_bit(line->target_hash);
	if (packet->time_ns < echo->first_ns)
		echo->first_ns = packet->time_ns;
	if (packet->time_ns > echo->last_ns)
		echo->last_ns = packet->time_ns;
	return result;
}

static inline bool is_for_darknet(const struct telescope *telescope, const struct packet *packet)
{
	if (__builtin_expect(packet->version == 4, 1))
		return darknet_has_v4(telescope->darknet, packet->dst);
	return packet->version == 6 && packet->ip && darknet_has_v6(telescope->darknet, packet->ip + 24);
}

static inline bool is_of_survey(const struct telescope *telescope, const struct packet *packet, uint32_t source)
{
	if (telescope->survey && (packet->version == 4 ? darknet_has_v4(telescope->survey, packet->src)
						       : darknet_has_v6(telescope->survey, packet->ip + 8)))
		return true;
	return surveyors_has(&telescope->surveyors, packet->version, source, packet->time_ns);
}

/* Everything about one packet that the tables want to know. */
static inline int packet_judge(struct telescope *telescope, const struct packet *packet, uint8_t kind,
			       struct verdict_line *line, struct err *err)
{
	uint32_t source = packet->src;
	struct tool_guess guess = {TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE};
	uint16_t port = packet->dport;
	int result = 0;
	if (__builtin_expect(packet->version == 6, 0) && v6_table_number(&telescope->v6, packet->ip + 8, &source) < 0)
		result = err_set(err, -ENOMEM, "no memory for another IPv6 source");
	if (kind == PACKET_SCAN || kind == PACKET_REFLECTION) {
		guess = tool_guess_packet(packet);
		if (is_of_survey(telescope, packet, source))
			kind = PACKET_SURVEY;
	} else if (kind == PACKET_BACKSCATTER && (packet->protocol == 6 || packet->protocol == 17)) {
		port = packet->sport;
	}
	/* struct tuple_key as its two numbers: written field by field it could not be read back as them at once */
	uint64_t low = source | (uint64_t)port << 32 | (uint64_t)packet->protocol << 48 |
		       (uint64_t)(packet->protocol == 6 ? packet->tcp_flags : 0) << 56;
	uint32_t high =
		packet->version | (uint32_t)kind << 8 | (uint32_t)guess.tool << 16 | (uint32_t)guess.version << 24;
	memcpy(&line->key, &low, 8);
	memcpy((char *)&line->key + 8, &high, 4);
	line->certainty = (uint8_t)guess.certainty;
	line->payload = packet->l4_bytes > packet->header_bytes ? payloads_note(telescope->payloads, packet) : 0;
	line->target_hash = target_hash_of(packet);
	telescope->counts.kinds[kind]++;
	return result;
}

/* Opens, keeps or closes the minute for a packet of this time. */
static int minute_for(struct telescope *telescope, int64_t time_ns, struct err *err)
{
	bool open = telescope->minute_ns != INT64_MIN;
	if (open && time_ns >= telescope->minute_ns && time_ns - telescope->minute_ns < NS_PER_MINUTE)
		return 0;
	int64_t minute = time_floor(time_ns, NS_PER_MINUTE);
	if (open) {
		if (time_ns < telescope->minute_ns) {
			telescope->counts.time_backwards++;
			if (telescope->minute_ns - time_ns <= LATE_NS)
				return 0;
		}
		if (minute - telescope->minute_ns > NS_PER_DAY || telescope->minute_ns - minute > NS_PER_DAY)
			telescope->counts.time_leaps++;
	}
	int result = minute_close(telescope, err);
	telescope->minute_ns = minute;
	return result;
}

/* What makes two packets take the same ways through the rules: kind, length of the header (and with it which options),
 * and the marks by which most tools are told. */
static inline unsigned shape_of(const struct packet *packet, uint8_t kind)
{
	unsigned mirai = packet->seq == packet->dst, wide = packet->window == 65535;
	unsigned masscan_or_nmap = (packet->window | 1) == 1025;
	unsigned mark = mirai | wide | (masscan_or_nmap | wide) << 1;
	return kind | mark << 3 | (unsigned)(packet->header_bytes >> 2 & 15) << 5;
}

/* Packets begin..end in the order of their shapes, else as they came. Their mixture is random: taken as they come, each
 * branch of each rule would be foretold wrongly about as often as not, which costs more than this. */
static void span_order(const struct telescope *telescope, unsigned begin, unsigned end, uint8_t *ret_order)
{
	uint16_t places[1 << 9] = {0}, shapes[BURST_MAX], sum = 0;
	for (unsigned i = begin; i < end; i++) {
		shapes[i] = (uint16_t)shape_of(telescope->kept[i], telescope->kinds[i]);
		places[shapes[i]]++;
	}
	for (unsigned shape = 0; shape < 1 << 9; shape++) {
		uint16_t here = places[shape];
		places[shape] = sum;
		sum = (uint16_t)(sum + here);
	}
	for (unsigned i = begin; i < end; i++)
		ret_order[places[shapes[i]]++] = (uint8_t)i;
}

/* Packets begin..end, all of one minute. */
static int span_take(struct telescope *telescope, unsigned begin, unsigned end, struct err *err)
{
	uint8_t order[BURST_MAX];
	int result = 0;
	span_order(telescope, begin, end, order);
	for (unsigned at = 0; at < end - begin; at++) {
		unsigned i = order[at];
		struct verdict_line *line = &telescope->lines[i];
		struct packet *packet = telescope->kept[i];
		int step = packet_judge(telescope, packet, telescope->kinds[i], line, err);
		result = result < 0 ? result : step;
		step = event_add(telescope, packet, line, err);
		result = result < 0 ? result : step;
	}
	for (unsigned i = begin; i < end; i++) { /* what wants them in the order of time */
		const struct verdict_line *line = &telescope->lines[i];
		int step =
			line->key.kind == PACKET_BACKSCATTER ? echo_fold(telescope, line, telescope->kept[i], err) : 0;
		if (telescope->pulse && step >= 0)
			step = pulse_packet(telescope->pulse, telescope->kept[i], telescope->kept_frames[i], line, err);
		result = result < 0 ? result : step;
	}
	return result;
}

static int burst_take(struct telescope *telescope, unsigned count, struct err *err)
{
	int result = 0;
	for (unsigned begin = 0, end; begin < count; begin = end) {
		int step = minute_for(telescope, telescope->kept[begin]->time_ns, err);
		result = result < 0 ? result : step;
		for (end = begin + 1; end < count; end++) {
			uint64_t since = (uint64_t)(telescope->kept[end]->time_ns - telescope->minute_ns);
			if (since >= (uint64_t)NS_PER_MINUTE)
				break;
		}
		step = span_take(telescope, begin, end, err);
		result = result < 0 ? result : step;
	}
	if (telescope->members && count) {
		int step = members_take(telescope->members, telescope->kept, telescope->kept_frames, telescope->lines,
					telescope->matches, telescope->match_count, telescope->kept[count - 1]->time_ns,
					err);
		members_count(telescope->members, &telescope->counts);
		result = result < 0 ? result : step;
	}
	return result;
}

/* Kinds and ports, nothing else. */
static void burst_count(struct telescope *telescope, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = telescope->kept[i];
		uint8_t kind = telescope->kinds[i];
		telescope->counts.kinds[kind]++;
		if (kind != PACKET_BACKSCATTER && (packet->protocol == 6 || packet->protocol == 17))
			port_count_of(telescope, packet->protocol, packet->dport)->packets++;
	}
}

/* What is counted of every frame, and which are for the darknet. Returns how many. */
static unsigned burst_keep(struct telescope *telescope, const struct frame *frames, unsigned count)
{
	struct telescope_counts *counts = &telescope->counts;
	struct packet *packets = telescope->burst;
	int64_t first_ns = counts->first_ns, last_ns = counts->last_ns;
	uint64_t bytes = 0;
	unsigned kept = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		int64_t time_ns = packet->time_ns;
		if (__builtin_expect(time_ns > TIME_MAX_NS || time_ns < -TIME_MAX_NS, 0))
			time_ns = packet->time_ns = time_ns < 0 ? -TIME_MAX_NS : TIME_MAX_NS;
		bytes += frames[i].wire_bytes;
		first_ns = time_ns < first_ns ? time_ns : first_ns;
		last_ns = time_ns > last_ns ? time_ns : last_ns;
		if (__builtin_expect(packet->anomaly, 0))
			counts->anomalies[packet->anomaly]++;
		telescope->kept_frames[kept] = &frames[i];
		telescope->kept[kept] = packet;
		kept += is_for_darknet(telescope, packet);
	}
	counts->packets += count;
	counts->outside += count - kept;
	counts->bytes += bytes;
	counts->first_ns = first_ns;
	counts->last_ns = last_ns;
	return kept;
}

int telescope_feed(struct telescope *telescope, const struct frame *frames, unsigned count, struct err *err)
{
	if (telescope->options.decapsulate)
		packet_parse_inner(frames, count, telescope->burst);
	else
		packet_parse(frames, count, telescope->burst);
	unsigned kept = burst_keep(telescope, frames, count);
	packet_kinds(telescope->kept, kept, telescope->kinds);
	if (telescope->members)
		telescope->match_count =
			members_match(telescope->members, telescope->kept, telescope->kinds, kept, telescope->matches);
	if (telescope->options.only_counts) {
		burst_count(telescope, kept);
		return 0;
	}
	return burst_take(telescope, kept, err);
}

int telescope_tick(struct telescope *telescope, int64_t now_ns, struct err *err)
{
	int result = 0;
	if (telescope->minute_ns != INT64_MIN && now_ns - telescope->minute_ns >= NS_PER_MINUTE + 2 * NS_PER_S)
		result = minute_close(telescope, err);
	else if (telescope->echoes.count && now_ns - telescope->echo_bin_ns >= 2 * ECHO_NS)
		result = echoes_close(telescope, err);
	int live = telescope->pulse ? pulse_tick(telescope->pulse, now_ns, err) : 0;
	result = result < 0 ? result : live;
	int sighted = telescope->members ? members_tick(telescope->members, now_ns, err) : 0;
	return result < 0 ? result : sighted;
}

void telescope_wall(struct telescope *telescope, int64_t now_ns)
{
	if (telescope->pulse)
		pulse_wall(telescope->pulse, now_ns);
}

int telescope_finish(struct telescope *telescope, struct err *err)
{
	int result = telescope->options.only_counts ? 0 : minute_close(telescope, err);
	int live = telescope->pulse ? pulse_finish(telescope->pulse, err) : 0;
	result = result < 0 ? result : live;
	int sighted = telescope->members ? members_finish(telescope->members, err) : 0;
	return result < 0 ? result : sighted;
}

int telescope_members(struct telescope *telescope, struct lpm_entry *entries, size_t count, struct err *err)
{
	int result = 0;
	if (count == 0) {
		result = telescope->members ? members_finish(telescope->members, err) : 0;
		members_free(telescope->members);
		telescope->members = NULL;
		return result;
	}
	struct members *members = telescope->members;
	if (!members)
		result = members_new(telescope->options.sensor, &telescope->sightings.sink, &members, err);
	if (result == 0)
		result = members_set(members, entries, count, err);
	if (result == 0)
		telescope->members = members;
	else if (members != telescope->members)
		members_free(members);
	return result;
}

int64_t telescope_told_until(const struct telescope *telescope, int64_t now_ns)
{
	return telescope->members ? members_told_until(telescope->members, now_ns) : now_ns;
}

struct sink *telescope_sink(struct telescope *telescope)
{
	return telescope->sink;
}

const struct telescope_counts *telescope_counts(const struct telescope *telescope)
{
	return &telescope->counts;
}

uint64_t telescope_darknet_addresses(const struct telescope *telescope)
{
	return darknet_v4_addresses(telescope->darknet);
}

size_t telescope_bytes(const struct telescope *telescope)
{
	size_t bytes = 0;
	for (size_t v = 0; v < 2; v++)
		bytes += source_table_bytes(&telescope->sources[v]) + number_set_bytes(&telescope->port_sources[v]);
	bytes += telescope->wide.count * sizeof(struct wide_source);
	return bytes + telescope->v6.capacity * (sizeof(struct addr) + 2 * sizeof(uint32_t));
}

static int port_compare(const void *left, const void *right)
{
	const struct telescope_port *a = left, *b = right;
	if (a->packets != b->packets)
		return a->packets < b->packets ? 1 : -1;
	return a->protocol != b->protocol ? a->protocol - b->protocol : a->port - b->port;
}

size_t telescope_ports(const struct telescope *telescope, struct telescope_port *ret_ports, size_t most)
{
	struct telescope_port *all = malloc(2 * PORTS * sizeof *all);
	size_t count = 0;
	if (!all)
		return 0;
	for (unsigned i = 0; i < 2 * PORTS; i++)
		if (telescope->ports[i].packets)
			all[count++] =
				(struct telescope_port){i < PORTS ? 6 : 17, (uint16_t)i, telescope->ports[i].packets,
							telescope->ports[i].sources};
	qsort(all, count, sizeof *all, port_compare);
	count = count < most ? count : most;
	memcpy(ret_ports, all, count * sizeof *all);
	free(all);
	return count;
}
