/* The hot path: parse a burst, drop what is not for the darknet, tell kind and tool, fold into tables. Then the close
 * of a minute: settle which tools the evidence of the whole minute supports, count, and hand out batches sorted by
 * source.
 *
 * Per packet one cache line of the tuple table is touched, prefetched while its neighbours are parsed. What needs a
 * source's history (two-packet rules, distinct counts) waits for the close, where all of a source's rows stand
 * together.
 */
#include "observe/telescope/telescope.h"

#include "core/clock.h"
#include "observe/telescope/internal.h"
#include "observe/telescope/kind.h"
#include "observe/telescope/tool.h"
#include "wire/tcp_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BATCH_ROWS = 4096, PAYLOAD_HASHED = 64 };
#define LATE_NS NS_PER_MINUTE /* how late a packet may be and still belong to the open minute */
#define ECHO_NS (10 * NS_PER_S)

int telescope_new(const struct telescope_options *options, struct sink *sink, struct telescope **ret_telescope,
		  struct err *err)
{
	struct telescope *telescope = calloc(1, sizeof *telescope);
	if (!telescope)
		return err_set(err, -ENOMEM, "no memory for the telescope");
	telescope->options = *options;
	telescope->sink = sink;
	telescope->pool = pool_new(NULL, "telescope");
	telescope->counts.first_ns = INT64_MAX;
	telescope->counts.last_ns = INT64_MIN;
	telescope->minute_ns = INT64_MIN;
	int result = telescope->pool ? darknet_new(&options->darknet, &options->exclude, telescope->pool,
						   &telescope->darknet, err)
				     : -ENOMEM;
	if (result == 0 && options->survey.count) {
		result = darknet_new(&options->survey, NULL, telescope->pool, &telescope->survey, err);
		if (result < 0)
			err_prefix(err, result, "survey organisations");
	}
	if (result == 0 && !options->only_counts) {
		result = tuple_table_init(&telescope->tuples, 1 << 14);
		if (result == 0)
			result = echo_table_reserve(&telescope->echoes, BURST_MAX);
		telescope->batch = batch_new(&record_tuple, BATCH_ROWS);
		telescope->echo_batch = batch_new(&record_echo, BATCH_ROWS);
		if (result < 0 || !telescope->batch || !telescope->echo_batch)
			result = err_set(err, -ENOMEM, "no memory for the telescope's tables");
	}
	if (result == 0 && (options->live || options->raw))
		result = pulse_new(options, sink, &telescope->pulse, err);
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
	tuple_table_done(&telescope->tuples);
	echo_table_done(&telescope->echoes);
	for (size_t v = 0; v < 2; v++) {
		source_table_done(&telescope->sources[v]);
		number_set_done(&telescope->port_sources[v]);
	}
	v6_table_done(&telescope->v6);
	batch_free(telescope->batch);
	batch_free(telescope->echo_batch);
	free(telescope->sorted);
	pool_free(telescope->pool);
	free(telescope);
}

/* --- the close of a minute ------------------------------------------------------------------------------------------
 */

static int batch_send(struct telescope *telescope, struct batch *batch, struct err *err)
{
	int result = batch->rows ? telescope->sink->put(telescope->sink, batch, err) : 0;
	batch_clear(batch);
	return result;
}

static struct addr source_address(const struct telescope *telescope, const struct tuple *tuple)
{
	return tuple->used == 4 ? addr_from_v4(tuple->source) : telescope->v6.addresses[tuple->source];
}

static int tuple_emit(struct telescope *telescope, const struct tuple *tuple, int64_t first_ns, struct err *err)
{
	struct batch *batch = telescope->batch;
	uint32_t row = batch->rows++;
	BATCH_COLUMN(batch, int64_t, 0)[row] = telescope->minute_ns;
	BATCH_COLUMN(batch, uint16_t, 1)[row] = telescope->options.sensor;
	BATCH_COLUMN(batch, struct addr, 2)[row] = source_address(telescope, tuple);
	BATCH_COLUMN(batch, uint8_t, 3)[row] = tuple->kind;
	BATCH_COLUMN(batch, uint8_t, 4)[row] = tuple->tool;
	BATCH_COLUMN(batch, uint8_t, 5)[row] = tuple->tool_version;
	BATCH_COLUMN(batch, uint8_t, 6)[row] = tuple->protocol;
	BATCH_COLUMN(batch, uint16_t, 7)[row] = tuple->port;
	BATCH_COLUMN(batch, uint8_t, 8)[row] = tuple->flags;
	BATCH_COLUMN(batch, uint8_t, 9)[row] = tuple->ttl;
	BATCH_COLUMN(batch, uint8_t, 10)[row] = tuple->spoofed;
	BATCH_COLUMN(batch, uint32_t, 11)[row] = tuple->packets;
	BATCH_COLUMN(batch, uint64_t, 12)[row] = tuple->bytes;
	BATCH_COLUMN(batch, uint32_t, 13)[row] = targets_estimate(tuple->target_bits, tuple->packets);
	BATCH_COLUMN(batch, int64_t, 14)[row] = first_ns;
	BATCH_COLUMN(batch, int64_t, 15)[row] = first_ns + (int64_t)tuple->last_us * NS_PER_US;
	BATCH_COLUMN(batch, uint64_t, 16)[row] = tuple->payload;
	BATCH_COLUMN(batch, uint32_t, 17)[row] = tuple->signature;
	BATCH_COLUMN(batch, uint16_t, 18)[row] = 0;
	BATCH_COLUMN(batch, uint32_t, 19)[row] = 0;
	return batch->rows == batch->capacity ? batch_send(telescope, batch, err) : 0;
}

static void tuple_rename(struct tuple *tuple, enum scan_tool tool)
{
	if (tuple->tool != tool)
		tuple->tool_version = VERSION_UNTOLD;
	tuple->tool = (uint8_t)tool;
}

/* 16-bit rules: two agreeing packets, and agreement that is no accident of a busy source (one packet in 65,536 agrees
 * by chance; a sixteenth of them does not). A lone one of an earlier minute counts as one. */
static void settle_seconds(struct tuple *const *rows, size_t count, enum scan_tool tool, uint8_t one_bit,
			   struct source *source)
{
	uint64_t agreeing = 0, all = 0;
	bool seconds = false;
	for (size_t i = 0; i < count; i++) {
		all += rows[i]->packets;
		if (rows[i]->tool != tool)
			continue;
		agreeing += rows[i]->packets;
		seconds |= rows[i]->certainty == TOOL_SECOND;
	}
	if (!seconds)
		return;
	bool earlier = (source->state & one_bit) || (source->tools & 1 << tool);
	bool confirmed = agreeing + earlier >= 2 && agreeing * 16 >= all;
	if (!confirmed && agreeing == 1)
		source->state |= one_bit;
	for (size_t i = 0; i < count && !confirmed; i++)
		if (rows[i]->tool == tool && rows[i]->certainty == TOOL_SECOND)
			tuple_rename(rows[i], TOOL_UNKNOWN);
}

static bool row_is_tcp_probe(const struct tuple *row)
{
	return row->protocol == 6 && row->tool == TOOL_UNKNOWN &&
	       (row->kind == PACKET_SCAN || row->kind == PACKET_SURVEY);
}

/* Nmap and unicornscan: two packets of the source, of different targets, agree. Compared are the first packets of its
 * rows with each other, each row's later ones with its first (done at the packet), and the last minute's. */
static void settle_pairs(struct tuple *const *rows, size_t count, struct source *source)
{
	const struct tuple *before = NULL;
	bool nmap = source->tools & 1 << TOOL_NMAP, unicornscan = source->tools & 1 << TOOL_UNICORNSCAN;
	for (size_t i = 0; i < count; i++) {
		const struct tuple *row = rows[i];
		if (!row_is_tcp_probe(row))
			continue;
		nmap |= row->agrees_nmap;
		unicornscan |= row->agrees_unicornscan;
		bool differs = before && row->used == before->used &&
			       (before->target_hash != row->target_hash || before->port != row->port);
		bool earlier = (source->state & SOURCE_TCP) && source->target_hash != row->target_hash;
		if ((differs && before->spare && row->spare && tool_is_nmap(before->seq, row->seq)) ||
		    (earlier && row->spare && source->seq && tool_is_nmap(source->seq, row->seq)))
			nmap = true;
		if (row->used == 4 && ((differs && before->unicornscan_key == row->unicornscan_key) ||
				       (earlier && source->unicornscan_key == row->unicornscan_key)))
			unicornscan = true;
		before = row;
	}
	if (!before)
		return;
	for (size_t i = 0; i < count; i++)
		if (row_is_tcp_probe(rows[i])) {
			if (unicornscan && !nmap)
				tuple_rename(rows[i], TOOL_UNICORNSCAN);
			else if (nmap && rows[i]->spare)
				tuple_rename(rows[i], TOOL_NMAP);
		}
	source->state |= SOURCE_TCP;
	source->seq = before->spare ? before->seq : 0;
	source->unicornscan_key = before->unicornscan_key;
	source->target_hash = before->target_hash;
}

/* NICT's rule of thumb: 30 ports and 300,000 packets of one source in a day is somebody who surveys. */
static void source_note(struct telescope *telescope, struct source *source, const struct tuple *row, bool new_port)
{
	uint16_t day = (uint16_t)(telescope->minute_ns / NS_PER_DAY);
	if (source->day != day) {
		source->day = day;
		source->packets = 0;
		source->ports = 0;
	}
	source->packets =
		source->packets + row->packets < source->packets ? UINT32_MAX : source->packets + row->packets;
	if (new_port && source->ports < UINT16_MAX)
		source->ports++;
	if (source->ports >= SURVEY_PORTS && source->packets >= SURVEY_PACKETS && !(source->state & SOURCE_SURVEY)) {
		source->state |= SOURCE_SURVEY;
		telescope->surveyors++;
	}
}

static int row_count(struct telescope *telescope, struct source *source, const struct tuple *row)
{
	struct telescope_tool_count *tool = &telescope->counts.tools[row->tool];
	tool->packets += row->packets;
	if (!(source->tools & 1 << row->tool)) {
		source->tools |= (uint8_t)(1 << row->tool);
		tool->sources++;
	}
	bool counted = row->kind != PACKET_BACKSCATTER && (row->protocol == 6 || row->protocol == 17);
	int fresh = 0;
	if (counted) {
		struct port_count *port = &telescope->ports[row->protocol == 17][row->port];
		uint64_t pair = UINT64_C(1) << 63 | (uint64_t)(row->protocol == 17) << 48 | (uint64_t)row->port << 32 |
				row->source;
		fresh = number_set_add(&telescope->port_sources[row->used == 6], pair);
		if (fresh < 0)
			return fresh;
		port->packets += row->packets;
		port->sources += (uint64_t)fresh;
	}
	source_note(telescope, source, row, fresh == 1);
	return 0;
}

static int group_close(struct telescope *telescope, struct tuple **rows, size_t count, struct err *err)
{
	bool is_new;
	struct source_table *table = &telescope->sources[rows[0]->used == 6];
	struct source *source = source_table_at(table, rows[0]->source, &is_new);
	if (!source)
		return err_set(err, -ENOMEM, "no memory for another source; %llu are known",
			       (unsigned long long)telescope->counts.sources);
	telescope->counts.sources += is_new;
	settle_seconds(rows, count, TOOL_MASSCAN, SOURCE_ONE_MASSCAN, source);
	settle_seconds(rows, count, TOOL_ZMAP, SOURCE_ONE_ZMAP, source);
	settle_pairs(rows, count, source);
	for (size_t i = 0; i < count; i++) {
		size_t slot = (size_t)(rows[i] - telescope->tuples.entries);
		if (row_count(telescope, source, rows[i]) < 0)
			return err_set(err, -ENOMEM, "no memory for another pair of source and port");
		int result = tuple_emit(telescope, rows[i], telescope->tuples.first_ns[slot], err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Radix sort of rows by source (LSD, four passes of 8 bits over the number, one over the version): stable and linear.
 */
static struct tuple **rows_sort(struct telescope *telescope)
{
	uint32_t count = telescope->tuples.count;
	if (count > telescope->sorted_room) {
		struct tuple **grown = realloc(telescope->sorted, 2 * (size_t)count * sizeof(struct tuple *));
		if (!grown)
			return NULL;
		telescope->sorted = grown;
		telescope->sorted_room = count;
	}
	struct tuple **from = telescope->sorted, **to = from + telescope->sorted_room;
	for (uint32_t i = 0; i < count; i++)
		from[i] = &telescope->tuples.entries[telescope->tuples.slots[i]];
	for (unsigned pass = 0; pass < 5; pass++) {
		uint32_t places[256] = {0}, sum = 0;
		for (uint32_t i = 0; i < count; i++)
			places[pass < 4 ? from[i]->source >> pass * 8 & 255 : from[i]->used]++;
		for (unsigned value = 0; value < 256; value++) {
			uint32_t here = places[value];
			places[value] = sum;
			sum += here;
		}
		for (uint32_t i = 0; i < count; i++)
			to[places[pass < 4 ? from[i]->source >> pass * 8 & 255 : from[i]->used]++] = from[i];
		struct tuple **swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static int echoes_close(struct telescope *telescope, struct err *err)
{
	struct batch *batch = telescope->echo_batch;
	int result = 0;
	for (uint32_t i = 0; i < telescope->echoes.count && result == 0; i++) {
		const struct echo *echo = &telescope->echoes.entries[telescope->echoes.slots[i]];
		uint32_t row = batch->rows++;
		BATCH_COLUMN(batch, int64_t, 0)[row] = telescope->echo_bin_ns;
		BATCH_COLUMN(batch, uint16_t, 1)[row] = telescope->options.sensor;
		BATCH_COLUMN(batch, struct addr, 2)[row] = echo->victim;
		BATCH_COLUMN(batch, uint8_t, 3)[row] = echo->protocol;
		BATCH_COLUMN(batch, uint16_t, 4)[row] = echo->port;
		BATCH_COLUMN(batch, uint32_t, 5)[row] = echo->packets;
		BATCH_COLUMN(batch, uint64_t, 6)[row] = echo->bytes;
		BATCH_COLUMN(batch, uint32_t, 7)[row] = targets_estimate(echo->target_bits, echo->packets);
		BATCH_COLUMN(batch, int64_t, 8)[row] = echo->first_ns;
		BATCH_COLUMN(batch, int64_t, 9)[row] = echo->last_ns;
		if (batch->rows == batch->capacity)
			result = batch_send(telescope, batch, err);
	}
	echo_table_clear(&telescope->echoes);
	return result < 0 ? result : batch_send(telescope, batch, err);
}

static int minute_close(struct telescope *telescope, struct err *err)
{
	uint32_t count = telescope->tuples.count;
	if (telescope->minute_ns == INT64_MIN)
		return 0;
	int result = echoes_close(telescope, err);
	struct tuple **rows = count ? rows_sort(telescope) : NULL;
	if (count && !rows)
		result = err_set(err, -ENOMEM, "no memory to sort %u rows", count);
	for (uint32_t i = 0, next; rows && i < count; i = next) {
		for (next = i + 1;
		     next < count && rows[next]->source == rows[i]->source && rows[next]->used == rows[i]->used;)
			next++;
		int closed = group_close(telescope, rows + i, next - i, err);
		result = result < 0 ? result : closed;
	}
	if (telescope->batch->rows) {
		int sent = batch_send(telescope, telescope->batch, err);
		result = result < 0 ? result : sent;
	}
	tuple_table_clear(&telescope->tuples);
	telescope->minute_ns = INT64_MIN;
	return result;
}

/* --- packets
 * ---------------------------------------------------------------------------------------------------------- */

static uint64_t target_hash_of(const struct packet *packet)
{
	if (packet->version == 4)
		return hash_u64(packet->dst);
	uint64_t high, low;
	memcpy(&high, packet->ip + 24, 8);
	memcpy(&low, packet->ip + 32, 8);
	return hash_u64(high ^ hash_u64(low));
}

/* Window, TCP options, DF and a class of TTL: what a program or stack cannot help showing. */
static uint32_t signature_of(struct packet *packet)
{
	uint8_t ttl_class = packet->ttl <= 64 ? 1 : packet->ttl <= 128 ? 2 : 3;
	uint64_t options = packet->protocol == 6 && packet->l4 ? tcp_options_read(packet).signature : 0;
	uint64_t window = packet->protocol == 6 ? packet->window : 0;
	return (uint32_t)hash_u64(options ^ window << 16 ^ (uint64_t)(packet->flags & PACKET_DF) << 8 ^ ttl_class);
}

static uint32_t payload_hash_of(const struct packet *packet)
{
	bool has = (packet->protocol == 6 || packet->protocol == 17) && packet->l4 &&
		   packet->l4_bytes > packet->header_bytes;
	if (!has)
		return 0;
	size_t length = packet->l4_bytes - packet->header_bytes;
	uint32_t hash = (uint32_t)XXH3_64bits(packet->l4 + packet->header_bytes,
					      length < PAYLOAD_HASHED ? length : PAYLOAD_HASHED);
	return hash ? hash : 1;
}

static void tuple_begin(struct telescope *telescope, struct tuple *tuple, const struct verdict_line *line,
			struct packet *packet)
{
	*tuple = (struct tuple){
		.source = line->key.source,
		.used = line->key.version,
		.kind = line->key.kind,
		.tool = line->key.tool,
		.tool_version = line->key.tool_version,
		.certainty = line->certainty,
		.protocol = line->key.protocol,
		.flags = line->key.flags,
		.ttl = packet->ttl,
		.port = line->key.port,
		.target_hash = (uint16_t)line->target_hash,
		.seq = packet->seq,
		.spoofed = packet_is_spoofed(packet, line->key.tool),
		.payload = payload_hash_of(packet),
		.signature = signature_of(packet),
	};
	/* `spare` says that the row's packets may be Nmap's. */
	tuple->spare = packet->protocol == 6 && tool_has_nmap_window(packet->window);
	if (packet->protocol == 6 && packet->version == 4)
		tuple->unicornscan_key = tool_unicornscan_key(packet->seq, packet->dst, packet->dport, packet->sport);
	telescope->tuples.first_ns[tuple - telescope->tuples.entries] = packet->time_ns;
}

static void tuple_fold(struct telescope *telescope, const struct verdict_line *line, struct packet *packet)
{
	struct tuple *tuple = tuple_table_at(&telescope->tuples, &line->key, line->hash);
	if (!tuple->used) {
		tuple_begin(telescope, tuple, line, packet);
	} else if (tuple->protocol == 6 && tuple->tool == TOOL_UNKNOWN &&
		   (uint16_t)line->target_hash != tuple->target_hash) {
		tuple->agrees_nmap |=
			tool_has_nmap_window(packet->window) && tuple->spare && tool_is_nmap(tuple->seq, packet->seq);
		tuple->agrees_unicornscan |=
			packet->version == 4 && tool_unicornscan_key(packet->seq, packet->dst, packet->dport,
								     packet->sport) == tuple->unicornscan_key;
	}
	tuple->packets++;
	tuple->bytes += packet->ip_bytes;
	tuple->target_bits |= target_bit(line->target_hash);
	int64_t after_us =
		(packet->time_ns - telescope->tuples.first_ns[tuple - telescope->tuples.entries]) / NS_PER_US;
	if (after_us > (int64_t)tuple->last_us)
		tuple->last_us = after_us > UINT32_MAX ? UINT32_MAX : (uint32_t)after_us;
}

/* The victim is who answers; of an ICMP error, whom the quoted packet was for. */
static int echo_fold(struct telescope *telescope, const struct verdict_line *line, const struct packet *packet,
		     struct err *err)
{
	int64_t bin = time_floor(packet->time_ns, ECHO_NS);
	if (bin != telescope->echo_bin_ns) {
		if (telescope->echoes.count && echoes_close(telescope, err) < 0)
			return -EIO;
		telescope->echo_bin_ns = bin;
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
	return 0;
}

static bool is_for_darknet(const struct telescope *telescope, const struct packet *packet)
{
	if (packet->version == 4)
		return darknet_has_v4(telescope->darknet, packet->dst);
	return packet->version == 6 && packet->ip && darknet_has_v6(telescope->darknet, packet->ip + 24);
}

static bool is_of_survey(const struct telescope *telescope, const struct packet *packet, uint32_t source)
{
	if (telescope->survey && (packet->version == 4 ? darknet_has_v4(telescope->survey, packet->src)
						       : darknet_has_v6(telescope->survey, packet->ip + 8)))
		return true;
	if (telescope->surveyors == 0)
		return false;
	const struct source *known = source_table_find(&telescope->sources[packet->version == 6], source);
	return known && (known->state & SOURCE_SURVEY);
}

/* Everything about one packet that the tables want to know. */
static int packet_judge(struct telescope *telescope, const struct packet *packet, struct verdict_line *line,
			struct err *err)
{
	struct tool_guess guess = {TOOL_UNKNOWN, 0, TOOL_ALONE};
	enum packet_kind kind = packet_kind_of(packet);
	bool probe = kind == PACKET_SCAN || kind == PACKET_REFLECTION;
	line->key = (struct tuple_key){.source = packet->src,
				       .version = packet->version,
				       .protocol = packet->protocol,
				       .flags = packet->protocol == 6 ? packet->tcp_flags : 0,
				       .port = packet->dport};
	if (packet->version == 6 && v6_table_number(&telescope->v6, packet->ip + 8, &line->key.source) < 0)
		return err_set(err, -ENOMEM, "no memory for another IPv6 source");
	if (probe)
		guess = tool_guess_packet(packet);
	if (probe && is_of_survey(telescope, packet, line->key.source))
		kind = PACKET_SURVEY;
	if (kind == PACKET_BACKSCATTER && (packet->protocol == 6 || packet->protocol == 17))
		line->key.port = packet->sport;
	line->key.kind = (uint8_t)kind;
	line->key.tool = (uint8_t)guess.tool;
	line->key.tool_version = guess.version;
	line->certainty = (uint8_t)guess.certainty;
	line->target_hash = target_hash_of(packet);
	line->hash = tuple_hash(&line->key);
	return 0;
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

static int burst_fold(struct telescope *telescope, unsigned count, struct err *err)
{
	int result = 0;
	if (tuple_table_reserve(&telescope->tuples, BURST_MAX) < 0)
		return err_set(err, -ENOMEM, "no memory for more rows in a minute");
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = telescope->kept[i];
		const struct verdict_line *line = &telescope->lines[i];
		int64_t before = telescope->minute_ns;
		int step = minute_for(telescope, packet->time_ns, err);
		if (telescope->minute_ns != before && tuple_table_reserve(&telescope->tuples, BURST_MAX) < 0)
			return -ENOMEM;
		tuple_fold(telescope, line, packet);
		if (line->key.kind == PACKET_BACKSCATTER && step == 0)
			step = echo_fold(telescope, line, packet, err);
		if (telescope->pulse && step == 0)
			step = pulse_packet(telescope->pulse, packet, telescope->kept_frames[i], line, err);
		result = result < 0 ? result : step;
	}
	return result;
}

/* Kinds and ports, nothing else. */
static void burst_count(struct telescope *telescope, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = telescope->kept[i];
		enum packet_kind kind = packet_kind_of(packet);
		telescope->counts.kinds[kind]++;
		if (kind != PACKET_BACKSCATTER && (packet->protocol == 6 || packet->protocol == 17))
			telescope->ports[packet->protocol == 17][packet->dport].packets++;
	}
}

int telescope_feed(struct telescope *telescope, const struct frame *frames, unsigned count, struct err *err)
{
	struct packet *packets = telescope->burst;
	struct telescope_counts *counts = &telescope->counts;
	(telescope->options.decapsulate ? packet_parse_inner : packet_parse)(frames, count, packets);
	unsigned kept = 0;
	int result = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		counts->bytes += frames[i].wire_bytes;
		counts->first_ns = packet->time_ns < counts->first_ns ? packet->time_ns : counts->first_ns;
		counts->last_ns = packet->time_ns > counts->last_ns ? packet->time_ns : counts->last_ns;
		counts->anomalies[packet->anomaly]++;
		if (!is_for_darknet(telescope, packet)) {
			counts->outside++;
			continue;
		}
		telescope->kept_frames[kept] = &frames[i];
		telescope->kept[kept++] = packet;
	}
	counts->packets += count;
	if (telescope->options.only_counts) {
		burst_count(telescope, kept);
		return 0;
	}
	for (unsigned i = 0; i < kept; i++) {
		struct verdict_line *line = &telescope->lines[i];
		int step = packet_judge(telescope, telescope->kept[i], line, err);
		result = result < 0 ? result : step;
		counts->kinds[line->key.kind]++;
		__builtin_prefetch(&telescope->tuples.entries[(uint32_t)line->hash & telescope->tuples.mask], 1);
	}
	int folded = burst_fold(telescope, kept, err);
	return result < 0 ? result : folded;
}

int telescope_tick(struct telescope *telescope, int64_t now_ns, struct err *err)
{
	int result = 0;
	if (telescope->minute_ns != INT64_MIN && now_ns - telescope->minute_ns >= NS_PER_MINUTE + 2 * NS_PER_S)
		result = minute_close(telescope, err);
	else if (telescope->echoes.count && now_ns - telescope->echo_bin_ns >= 2 * ECHO_NS)
		result = echoes_close(telescope, err);
	int live = telescope->pulse ? pulse_tick(telescope->pulse, now_ns, err) : 0;
	return result < 0 ? result : live;
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
	return result < 0 ? result : live;
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
	struct telescope_port *all = malloc(2 * 65536 * sizeof *all);
	size_t count = 0;
	if (!all)
		return 0;
	for (unsigned udp = 0; udp < 2; udp++)
		for (unsigned port = 0; port < 65536; port++)
			if (telescope->ports[udp][port].packets)
				all[count++] = (struct telescope_port){udp ? 17 : 6, (uint16_t)port,
								       telescope->ports[udp][port].packets,
								       telescope->ports[udp][port].sources};
	qsort(all, count, sizeof *all, port_compare);
	count = count < most ? count : most;
	memcpy(ret_ports, all, count * sizeof *all);
	free(all);
	return count;
}
