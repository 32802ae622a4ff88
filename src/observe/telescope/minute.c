/* The close of a minute, part by part: rows are put in the order of their sources, so that all of one source stand
 * together; then the rules of tool.c that want a second packet are settled over the whole minute and what is remembered
 * of the source, its packets and ports are counted, and its rows handed out.
 *
 * Order costs one radix sort of numbers (source and row in 64 bits). What is kept of the whole run may be larger than
 * the cache even for one part, so what the next rows will touch is fetched while earlier ones are worked on. */
#include "observe/telescope/internal.h"
#include "observe/telescope/kind.h"
#include "observe/telescope/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	AHEAD_ROWS = 32,   /* rows fetched before they are read */
	AHEAD_TABLES = 16, /* then the tables' places that they name */
	AHEAD_PORTS = 12,  /* the bits of a wide source's ports */
	RADIX_BITS = 11,
	FEW = 16, /* packets of a minute that are too few to speak against a tool */
};

int batch_send(struct telescope *telescope, struct batch *batch, struct err *err)
{
	int result = batch->rows ? telescope->sink->put(telescope->sink, batch, err) : 0;
	batch_clear(batch);
	return result < 0 ? result : 0;
}

/* --- order ------------------------------------------------------------------------------------------------------- */

/* The rows sorted by version and source, and by appearance within: source << 32 | row. NULL: out of memory. */
static uint64_t *rows_order(struct telescope *telescope, const struct tuple_table *tuples)
{
	uint32_t count = tuples->count, v4 = 0;
	if (count > telescope->order_room) {
		free(telescope->order);
		telescope->order = malloc(2 * (size_t)tuples->room * sizeof *telescope->order);
		telescope->order_room = telescope->order ? tuples->room : 0;
		if (!telescope->order)
			return NULL;
	}
	uint64_t *from = telescope->order, *to = from + telescope->order_room;
	static const unsigned passes = (32 + RADIX_BITS - 1) / RADIX_BITS;
	uint32_t places[3][1 << RADIX_BITS] = {0};
	uint32_t six = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct tuple_key *key = &tuples->rows[i].key;
		uint64_t item = (uint64_t)key->source << 32 | i;
		if (key->version == 6) {
			to[--six] = item; /* numbers of IPv6 sources stand behind the others, sorted below */
			continue;
		}
		from[v4++] = item;
		for (unsigned pass = 0; pass < passes; pass++)
			places[pass][item >> (32 + pass * RADIX_BITS) & ((1 << RADIX_BITS) - 1)]++;
	}
	memcpy(from + six, to + six, (count - six) * sizeof *from);
	for (unsigned pass = 0; pass < passes; pass++) {
		uint32_t sum = 0;
		for (unsigned value = 0; value < 1 << RADIX_BITS; value++) {
			uint32_t here = places[pass][value];
			places[pass][value] = sum;
			sum += here;
		}
		for (uint32_t i = 0; i < v4; i++)
			to[places[pass][from[i] >> (32 + pass * RADIX_BITS) & ((1 << RADIX_BITS) - 1)]++] = from[i];
		memcpy(to + six, from + six, (count - six) * sizeof *from);
		uint64_t *swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static int number_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return a < b ? -1 : a > b;
}

/* --- tools ------------------------------------------------------------------------------------------------------- */

static bool row_is_probe(const struct tuple *row)
{
	return row->key.kind == PACKET_SCAN || row->key.kind == PACKET_SURVEY || row->key.kind == PACKET_REFLECTION;
}

static void row_rename(struct tuple *row, enum scan_tool tool, uint8_t version)
{
	if (row->key.tool == TOOL_MASSCAN && packet_ttl_is_odd(row->ttl))
		row->marks |= TUPLE_SPOOFED; /* masscan alone sends such a TTL honestly */
	row->key.tool = (uint8_t)tool;
	row->key.tool_version = version;
}

/* Twenty zeros alone do not make ZMap's echo requests: identifier and sequence number have to change as well. */
static bool row_is_lone_echo(const struct tuple *row)
{
	return row->key.tool == TOOL_ZMAP && row->key.tool_version == ZMAP_SINCE_4_1 && row->key.protocol == 1 &&
	       2 * (uint64_t)row->agree + 1 < (row->packets < UINT16_MAX ? row->packets : UINT16_MAX);
}

struct group {
	struct tuple **rows;
	size_t count;
	uint64_t probes; /* packets that a tool may have sent */
	bool renamed;
};

/* A 16-bit rule: two agreeing packets, and agreement that is no accident of a busy source (one packet in 65,536 agrees
 * by chance; a sixteenth of them does not). A lone one of the minute before counts as one. */
static void settle_seconds(struct group *group, enum scan_tool tool, uint8_t one_bit, struct source *source)
{
	uint64_t agreeing = 0;
	bool alone = false, any = false;
	for (size_t i = 0; i < group->count; i++) {
		const struct tuple *row = group->rows[i];
		if (row->key.tool != tool)
			continue;
		any = true;
		alone |= !(row->marks & (TUPLE_SECOND | TUPLE_FOLLOWS));
		if (!(row->marks & TUPLE_FOLLOWS) && !row_is_lone_echo(row))
			agreeing += row->packets;
	}
	bool known = source->tools & 1 << tool, one_before = source->state & one_bit;
	if (group->probes)
		source->state &= (uint8_t)~one_bit;
	if (!any)
		return;
	/* A whole print in one packet stands alone, unless it is one among many packets without. */
	bool accident = agreeing * FEW * FEW < group->probes;
	bool confirmed = agreeing * FEW >= group->probes && (known || agreeing + one_before >= 2);
	if (agreeing == 1 && group->probes < FEW)
		source->state |= one_bit;
	for (size_t i = 0; i < group->count; i++) {
		struct tuple *row = group->rows[i];
		if (row->key.tool != tool)
			continue;
		bool stands = row->marks & TUPLE_SECOND    ? confirmed && !row_is_lone_echo(row)
			      : row->marks & TUPLE_FOLLOWS ? known || confirmed || (alone && !accident)
							   : !accident;
		if (!stands) {
			row_rename(row, TOOL_UNKNOWN, VERSION_UNTOLD);
			group->renamed = true;
		}
	}
}

static bool differs(const struct tuple *a, const struct tuple *b)
{
	return a->target_hash != b->target_hash || a->key.port != b->key.port;
}

/* Nmap: rows of its windows wait under its name. Each row's later packets were compared with its first; here the first
 * ones are compared with each other and with the last of an earlier minute. */
static void settle_nmap(struct group *group, struct source *source)
{
	const struct tuple *before = NULL;
	uint64_t agreeing = 0, packets = 0;
	for (size_t i = 0; i < group->count; i++) {
		const struct tuple *row = group->rows[i];
		if (row->key.tool != TOOL_NMAP)
			continue;
		packets += row->packets;
		agreeing += row->agree;
		if (before)
			agreeing += differs(before, row) && tool_is_nmap(before->seq, row->seq);
		else if (source->state & SOURCE_NMAP_SEQ)
			agreeing += source->target_hash != row->target_hash && tool_is_nmap(source->seq, row->seq);
		before = row;
	}
	if (!before)
		return;
	bool known = source->tools & 1 << TOOL_NMAP;
	bool confirmed = (agreeing > 0 && agreeing * FEW >= packets) || (known && packets < FEW);
	for (size_t i = 0; i < group->count && !confirmed; i++)
		if (group->rows[i]->key.tool == TOOL_NMAP) {
			row_rename(group->rows[i], TOOL_UNKNOWN, VERSION_UNTOLD);
			group->renamed = true;
		}
	source->state |= SOURCE_NMAP_SEQ;
	source->seq = before->seq;
	source->target_hash = before->target_hash;
}

static bool row_may_be_unicornscan(const struct tuple *row)
{
	return row->key.protocol == 6 && row->key.tool == TOOL_UNKNOWN && row->key.version == 4 && row_is_probe(row);
}

static void settle_unicornscan(struct group *group, struct source *source)
{
	const struct tuple *before = NULL;
	uint64_t agreeing = 0, packets = 0;
	for (size_t i = 0; i < group->count; i++) {
		const struct tuple *row = group->rows[i];
		if (!row_may_be_unicornscan(row))
			continue;
		packets += row->packets;
		agreeing += row->agree_unicornscan;
		if (before)
			agreeing += differs(before, row) && before->unicornscan_key == row->unicornscan_key;
		else if (source->state & SOURCE_TCP)
			agreeing += source->target_hash != row->target_hash &&
				    source->unicornscan_key == row->unicornscan_key;
		before = row;
	}
	if (!before)
		return;
	source->state |= SOURCE_TCP;
	source->unicornscan_key = before->unicornscan_key;
	source->target_hash = before->target_hash;
	if (agreeing == 0 || agreeing * FEW < packets)
		return;
	for (size_t i = 0; i < group->count; i++)
		if (row_may_be_unicornscan(group->rows[i])) {
			row_rename(group->rows[i], TOOL_UNICORNSCAN, VERSION_UNTOLD);
			group->renamed = true;
		}
}

static int row_compare(const void *left, const void *right)
{
	const struct tuple *a = *(struct tuple *const *)left, *b = *(struct tuple *const *)right;
	int order = memcmp(&a->key, &b->key, sizeof a->key);
	return order != 0 ? order : a < b ? -1 : a > b;
}

static uint16_t sum16(uint16_t a, uint16_t b)
{
	return a + b > UINT16_MAX ? UINT16_MAX : (uint16_t)(a + b);
}

/* Renamed rows may now be what others are: one row a key goes out. */
static void group_merge(struct group *group)
{
	qsort(group->rows, group->count, sizeof *group->rows, row_compare);
	struct tuple *into = group->rows[0];
	for (size_t i = 1; i < group->count; i++) {
		struct tuple *row = group->rows[i];
		if (!tuple_key_same(&into->key, &row->key)) {
			into = row;
			continue;
		}
		into->packets += row->packets;
		into->bytes += row->bytes;
		into->target_bits |= row->target_bits;
		into->agree = sum16(into->agree, row->agree);
		into->agree_unicornscan = sum16(into->agree_unicornscan, row->agree_unicornscan);
		into->first_us = row->first_us < into->first_us ? row->first_us : into->first_us;
		into->last_us = row->last_us > into->last_us ? row->last_us : into->last_us;
		row->packets = 0;
	}
}

static void group_settle(struct group *group, struct source *source)
{
	bool named = false, tcp = false;
	for (size_t i = 0; i < group->count; i++) {
		const struct tuple *row = group->rows[i];
		named |= row->key.tool != TOOL_UNKNOWN && row->key.tool != TOOL_MIRAI;
		tcp |= row_may_be_unicornscan(row);
		if (row_is_probe(row))
			group->probes += row->packets;
	}
	if (named || source->state & (SOURCE_ONE_MASSCAN | SOURCE_ONE_ZMAP)) {
		settle_seconds(group, TOOL_MASSCAN, SOURCE_ONE_MASSCAN, source);
		settle_seconds(group, TOOL_ZMAP, SOURCE_ONE_ZMAP, source);
		settle_nmap(group, source);
	}
	if (tcp || group->renamed)
		settle_unicornscan(group, source);
	if (group->renamed && group->count > 1)
		group_merge(group);
}

/* --- counts and rows out ----------------------------------------------------------------------------------------- */

static bool row_has_port(const struct tuple_key *key)
{
	return key->kind != PACKET_BACKSCATTER && (key->protocol == 6 || key->protocol == 17);
}

static uint64_t port_pair(const struct tuple_key *key)
{
	return UINT64_C(1) << 63 | (uint64_t)(key->protocol == 17) << 48 | (uint64_t)key->port << 32 | key->source;
}

static uint64_t *wide_word(struct wide_source *wide, const struct tuple_key *key)
{
	return &wide->ports[key->protocol == 17][key->port >> 6];
}

/* Whether the pair of source and port is new: 1, 0, -ENOMEM. */
static int pair_add(struct telescope *telescope, struct wide_source *wide, const struct tuple_key *key)
{
	struct number_set *set = &telescope->port_sources[key->version == 6];
	if (!wide)
		return number_set_add(set, shard_of(key->source), port_pair(key));
	uint64_t *bits = wide_word(wide, key), bit = UINT64_C(1) << (key->port & 63);
	if (*bits & bit)
		return 0;
	*bits |= bit;
	return !wide->has_earlier || !number_set_has(set, shard_of(key->source), port_pair(key));
}

static int row_count(struct telescope *telescope, struct source *source, struct wide_source *wide,
		     const struct tuple *row)
{
	struct telescope_tool_count *tool = &telescope->counts.tools[row->key.tool];
	uint32_t before = source->packets;
	tool->packets += row->packets;
	if (!(source->tools & 1 << row->key.tool)) {
		source->tools |= (uint8_t)(1 << row->key.tool);
		tool->sources++;
	}
	if (row_has_port(&row->key)) {
		struct port_count *port = port_count_of(telescope, row->key.protocol, row->key.port);
		int fresh = pair_add(telescope, wide, &row->key);
		if (fresh < 0)
			return fresh;
		port->packets += row->packets;
		port->sources += (uint64_t)fresh;
	}
	source->packets = before + row->packets < before ? UINT32_MAX : before + row->packets;
	if (__builtin_expect(source->packets < BUSY_PACKETS, 1))
		return 0;
	uint32_t counted = source->state & SOURCE_BUSY ? 0 : before;
	source->state |= SOURCE_BUSY;
	return surveyors_note(&telescope->surveyors, row, telescope->minute_ns, counted);
}

static int row_emit(struct telescope *telescope, const struct tuple *tuple, struct err *err)
{
	struct batch *batch = telescope->batch;
	uint32_t row = batch->rows++;
	int64_t base_ns = telescope->minute_ns - LATE_NS;
	BATCH_COLUMN(batch, int64_t, 0)[row] = telescope->minute_ns;
	BATCH_COLUMN(batch, uint16_t, 1)[row] = telescope->options.sensor;
	BATCH_COLUMN(batch, struct addr, 2)
	[row] = tuple->key.version == 4 ? addr_from_v4(tuple->key.source) : telescope->v6.addresses[tuple->key.source];
	BATCH_COLUMN(batch, uint8_t, 3)[row] = tuple->key.kind;
	BATCH_COLUMN(batch, uint8_t, 4)[row] = tuple->key.tool;
	BATCH_COLUMN(batch, uint8_t, 5)[row] = tuple->key.tool_version;
	BATCH_COLUMN(batch, uint8_t, 6)[row] = tuple->key.protocol;
	BATCH_COLUMN(batch, uint16_t, 7)[row] = tuple->key.port;
	BATCH_COLUMN(batch, uint8_t, 8)[row] = tuple->key.flags;
	BATCH_COLUMN(batch, uint8_t, 9)[row] = tuple->ttl;
	BATCH_COLUMN(batch, uint8_t, 10)[row] = tuple->marks & TUPLE_SPOOFED;
	BATCH_COLUMN(batch, uint32_t, 11)[row] = tuple->packets;
	BATCH_COLUMN(batch, uint64_t, 12)[row] = tuple->bytes;
	BATCH_COLUMN(batch, uint32_t, 13)[row] = targets_estimate(tuple->target_bits, tuple->packets);
	BATCH_COLUMN(batch, int64_t, 14)[row] = base_ns + (int64_t)tuple->first_us * NS_PER_US;
	BATCH_COLUMN(batch, int64_t, 15)[row] = base_ns + (int64_t)tuple->last_us * NS_PER_US;
	BATCH_COLUMN(batch, uint64_t, 16)[row] = tuple->payload;
	BATCH_COLUMN(batch, uint32_t, 17)[row] = tuple->signature;
	BATCH_COLUMN(batch, uint16_t, 18)[row] = 0;
	BATCH_COLUMN(batch, uint32_t, 19)[row] = 0;
	return batch->rows == batch->capacity ? batch_send(telescope, batch, err) : 0;
}

static int group_close(struct telescope *telescope, struct tuple **rows, size_t count, struct err *err)
{
	bool is_new;
	struct source *source =
		source_table_at(&telescope->sources[rows[0]->key.version == 6], rows[0]->key.source, &is_new);
	if (!source)
		return err_set(err, -ENOMEM, "no memory for another source; %llu are known",
			       (unsigned long long)telescope->counts.sources);
	telescope->counts.sources += is_new;
	struct group group = {.rows = rows, .count = count};
	group_settle(&group, source);
	struct wide_source *wide = NULL;
	if (count >= WIDE_ROWS || source->state & SOURCE_WIDE) {
		bool known = source->state & SOURCE_WIDE;
		wide = wide_table_at(&telescope->wide, rows[0]->key.version, rows[0]->key.source, true);
		if (wide && !known)
			wide->has_earlier = !is_new;
		source->state |= wide ? SOURCE_WIDE : 0;
	}
	int result = 0;
	for (size_t i = 0; i < count; i++) {
		if (wide && i + AHEAD_PORTS < count)
			__builtin_prefetch(wide_word(wide, &rows[i + AHEAD_PORTS]->key), 1);
		if (rows[i]->packets == 0)
			continue;
		if (row_count(telescope, source, wide, rows[i]) < 0)
			result = err_set(err, -ENOMEM, "no memory for another pair of source and port");
		int emitted = row_emit(telescope, rows[i], err);
		result = result < 0 ? result : emitted;
	}
	return result;
}

static void fetch_ahead(const struct telescope *telescope, const struct tuple *rows, const uint64_t *order, uint32_t i,
			uint32_t count)
{
	if (i + AHEAD_ROWS < count)
		__builtin_prefetch(&rows[(uint32_t)order[i + AHEAD_ROWS]], 1);
	if (i + AHEAD_TABLES < count && order[i + AHEAD_TABLES] >> 32 == order[i] >> 32) {
		/* many rows of one source: its ports are bits, see struct wide_source */
		const struct tuple_key *key = &rows[(uint32_t)order[i + AHEAD_TABLES]].key;
		__builtin_prefetch(port_count_of(telescope, key->protocol, key->port), 1);
	} else if (i + AHEAD_TABLES < count) {
		const struct tuple_key *key = &rows[(uint32_t)order[i + AHEAD_TABLES]].key;
		source_table_prefetch(&telescope->sources[key->version == 6], key->source);
		if (!row_has_port(key))
			return;
		__builtin_prefetch(port_count_of(telescope, key->protocol, key->port), 1);
		number_set_prefetch(&telescope->port_sources[key->version == 6], shard_of(key->source), port_pair(key));
	}
}

static int rows_close(struct telescope *telescope, struct tuple *rows, uint64_t *order, uint32_t count, struct err *err)
{
	struct tuple **group = (struct tuple **)order; /* pointers take the places of the numbers they come from */
	int result = 0;
	for (uint32_t i = 0, next; i < count; i = next) {
		uint32_t source = (uint32_t)(order[i] >> 32);
		uint8_t version = rows[(uint32_t)order[i]].key.version;
		for (next = i; next < count && order[next] >> 32 == source; next++) {
			struct tuple *row = &rows[(uint32_t)order[next]];
			if (row->key.version != version)
				break;
			fetch_ahead(telescope, rows, order, next, count);
			group[next] = row;
		}
		int closed = group_close(telescope, group + i, next - i, err);
		result = result < 0 ? result : closed;
	}
	return result;
}

static int part_close(struct telescope *telescope, struct part *part, struct err *err)
{
	struct tuple_table *tuples = part->tuples.count ? &part->tuples : &telescope->tuples;
	int result = part_fold(part, tuples, err);
	uint32_t count = tuples->count, six = count;
	struct tuple *rows = tuples->rows;
	uint64_t *order = count ? rows_order(telescope, tuples) : NULL;
	if (count && !order)
		return err_set(err, -ENOMEM, "no memory to sort %u rows", count);
	while (six > 0 && rows[(uint32_t)order[six - 1]].key.version == 6)
		six--;
	if (six < count)
		qsort(order + six, count - six, sizeof *order, number_compare);
	int closed = rows_close(telescope, rows, order, count, err);
	tuple_table_clear(tuples);
	return result < 0 ? result : closed;
}

int minute_close(struct telescope *telescope, struct err *err)
{
	if (telescope->minute_ns == INT64_MIN)
		return 0;
	int result = echoes_close(telescope, err);
	for (size_t i = 0; i < SHARDS; i++) {
		int closed = part_close(telescope, &telescope->parts[i], err);
		result = result < 0 ? result : closed;
	}
	int sent = batch_send(telescope, telescope->batch, err);
	telescope->minute_ns = INT64_MIN;
	return result < 0 ? result : sent;
}

int echoes_close(struct telescope *telescope, struct err *err)
{
	struct batch *batch = telescope->echo_batch;
	int result = 0;
	for (uint32_t i = 0; i < telescope->echoes.count; i++) {
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
		if (batch->rows == batch->capacity) {
			int sent = batch_send(telescope, batch, err);
			result = result < 0 ? result : sent;
		}
	}
	echo_table_clear(&telescope->echoes);
	int sent = batch_send(telescope, batch, err);
	return result < 0 ? result : sent;
}
