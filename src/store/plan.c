/* What a question about tuples is read from. A range is cut into days, hours, minutes and rests: the longest periods
 * that are kept and up to date, finer ones towards the edges, tuples for what no roll-up has yet. */
#include "store/plan.h"

#include "core/clock.h"
#include "store/query_parts.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

enum { LEVELS = PLAN_TUPLE, PIECES_MAX = 16 };
#define END_OF_TIME_US INT64_C(9000000000000000)
#define PLAIN_SPAN_NS (2 * NS_PER_HOUR) /* what is shorter is quick as it is */

static const int64_t unit_us[LEVELS] = {
	[PLAN_MINUTE] = NS_PER_MINUTE / NS_PER_US,
	[PLAN_HOUR] = NS_PER_HOUR / NS_PER_US,
	[PLAN_DAY] = NS_PER_DAY / NS_PER_US,
};

/* The columns of a tuple that a dimension's key holds. */
static const struct {
	enum rollup_dimension dimension;
	const char *columns[2];
} dimensions[] = {
	{ROLLUP_ALL, {NULL}},          {ROLLUP_PORT, {"protocol", "port"}}, {ROLLUP_TOOL, {"tool"}},
	{ROLLUP_COUNTRY, {"country"}}, {ROLLUP_NETWORK, {"network"}},       {ROLLUP_SENSOR, {"sensor"}},
};
enum { DIMENSIONS = sizeof dimensions / sizeof *dimensions };

struct piece {
	unsigned level;
	int64_t from_us, to_us;
};

struct cutter {
	int64_t floor_us;         /* tuples before are gone */
	int64_t kept_us[LEVELS];  /* roll-ups of the level are there from then on, */
	int64_t fresh_us[LEVELS]; /* and up to date before that */
	struct piece pieces[PIECES_MAX];
	size_t count;
};

static int64_t round_up(int64_t us, int64_t unit)
{
	return time_floor(us + unit - 1, unit);
}

static uint32_t bit_of(const char *column)
{
	return UINT32_C(1) << record_column_index(&record_tuple, column);
}

/* The columns that the query tells apart; false where it asks for more than sums of packets and bytes. */
static bool columns_used(const struct query *query, uint32_t *ret_used)
{
	*ret_used = 0;
	if (!query_groups(query))
		return false;
	for (size_t i = 0; i < query->filter_count; i++)
		*ret_used |= UINT32_C(1) << query->filters[i].column;
	for (size_t i = 0; i < query->key_count; i++)
		*ret_used |= UINT32_C(1) << query->keys[i];
	uint32_t sums = 0;
	for (size_t i = 0; i < query->aggregate_count; i++) {
		if (query->aggregates[i].op != AGGREGATE_SUM)
			return false;
		sums |= UINT32_C(1) << query->aggregates[i].column;
	}
	return !(sums & ~(bit_of("packets") | bit_of("bytes")));
}

static int find_dimension(uint32_t used)
{
	for (int i = 0; i < DIMENSIONS; i++) {
		uint32_t has = bit_of("kind");
		for (int c = 0; c < 2 && dimensions[i].columns[c]; c++)
			has |= bit_of(dimensions[i].columns[c]);
		if (!(used & ~has))
			return i;
	}
	return -1;
}

/* The longest period that fits into the query's buckets; negative where none does. */
static int top_level(const struct query *query)
{
	int level = PLAN_DAY;
	while (level >= 0 && query->bucket == BUCKET_SPAN && query->bucket_ns % (unit_us[level] * NS_PER_US) != 0)
		level--;
	return level;
}

static int look(duckdb_connection connection, struct cutter *cutter, struct err *err)
{
	int code = engine_number(connection, &cutter->floor_us, err,
				 "SELECT coalesce(max(epoch_us(time)), -%" PRId64 ") FROM tuple_floor", END_OF_TIME_US);
	for (int level = 0; level < LEVELS && code == 0; level++) {
		code = engine_number(connection, &cutter->kept_us[level], err,
				     "SELECT coalesce(max(epoch_us(time)), -%" PRId64
				     ") FROM rollup_floor WHERE level = %d",
				     END_OF_TIME_US, level);
		/* Tuples that come for a time whose tuples are gone change nothing there. */
		if (code == 0)
			code = engine_number(connection, &cutter->fresh_us[level], err,
					     "SELECT coalesce(min(epoch_us(time)), %" PRId64
					     ") FROM rollup_due WHERE level <= %d AND epoch_us(time) >= %" PRId64,
					     END_OF_TIME_US, level, cutter->floor_us);
	}
	return code;
}

static void cut(struct cutter *cutter, int level, int64_t from_us, int64_t to_us)
{
	if (from_us >= to_us || cutter->count == PIECES_MAX)
		return;
	if (level < 0) {
		cutter->pieces[cutter->count++] = (struct piece){PLAN_TUPLE, from_us, to_us};
		return;
	}
	int64_t kept = cutter->kept_us[level], fresh = cutter->fresh_us[level];
	int64_t first = round_up(from_us > kept ? from_us : kept, unit_us[level]);
	int64_t last = time_floor(to_us < fresh ? to_us : fresh, unit_us[level]);
	if (first >= last) {
		cut(cutter, level - 1, from_us, to_us);
		return;
	}
	cut(cutter, level - 1, from_us, first);
	cutter->pieces[cutter->count++] = (struct piece){(unsigned)level, first, last};
	cut(cutter, level - 1, last, to_us);
}

/* The finest period that is kept at this time, for an edge that has no tuples any more. */
static int64_t unit_at(const struct cutter *cutter, int top, int64_t us)
{
	for (int level = 0; level <= top; level++)
		if (us >= cutter->kept_us[level])
			return unit_us[level];
	return 1;
}

/* The columns of a dimension out of its key (rollup.c puts them in). */
static int add_columns(struct text_buffer *sql, enum rollup_dimension dimension)
{
	int code = 0;
	switch (dimension) {
	case ROLLUP_PORT:
		/* "tcp/" and "udp/" are nearly all, and quicker told apart by their beginnings */
		code = text_add(sql, ", CASE WHEN starts_with(\"key\", 'tcp/') THEN 6 WHEN starts_with(\"key\", "
				     "'udp/') THEN 17 ELSE CASE split_part(\"key\", '/', 1)");
		for (unsigned number = 0; number < 256 && code == 0; number++)
			if (protocol_name((uint8_t)number))
				code = text_add(sql, " WHEN '%s' THEN %u", protocol_name((uint8_t)number), number);
		return code < 0 ? code
				: text_add(sql, " ELSE TRY_CAST(split_part(\"key\", '/', 1) AS UTINYINT) END "
						"END::UTINYINT AS protocol, (CASE WHEN \"key\"[4] = '/' THEN "
						"\"key\"[5:] ELSE split_part(\"key\", '/', 2) END)::USMALLINT AS port");
	case ROLLUP_TOOL:
		code = text_add(sql, ", CASE \"key\"");
		for (int i = 0; scan_tool_names[i] && code == 0; i++)
			code = text_add(sql, " WHEN '%s' THEN %d", scan_tool_names[i], i);
		return code < 0 ? code : text_add(sql, " END::UTINYINT AS tool");
	case ROLLUP_COUNTRY:
		return text_add(sql, ", CASE \"key\" WHEN 'ZZ' THEN 0 ELSE ord(\"key\"[1]) * 256 + ord(\"key\"[2]) "
				     "END::USMALLINT AS country");
	case ROLLUP_NETWORK:
		return text_add(sql, ", \"key\"[3:]::UINTEGER AS network");
	case ROLLUP_SENSOR:
		return text_add(sql, ", sensor");
	case ROLLUP_ALL:
	case ROLLUP_TOTAL:
		break;
	}
	return 0;
}

static int add_piece(struct text_buffer *sql, const struct piece *piece, int at)
{
	bool tuple = piece->level == PLAN_TUPLE;
	int code = text_add(sql, "%sSELECT %s, kind, packets::UBIGINT AS packets, bytes",
			    sql->used ? " UNION ALL " : "", tuple ? "minute" : "time AS minute");
	if (code == 0 && !tuple)
		code = add_columns(sql, dimensions[at].dimension);
	for (int c = 0; c < 2 && tuple && dimensions[at].columns[c] && code == 0; c++)
		code = text_add(sql, ", %s", dimensions[at].columns[c]);
	if (code == 0)
		code = tuple ? text_add(sql, " FROM tuple WHERE minute")
			     : text_add(sql, " FROM rollup WHERE level = %u AND dimension = %d AND time", piece->level,
					dimensions[at].dimension);
	return code < 0 ? code
			: text_add(sql, " >= make_timestamp(%" PRId64 ") AND %s < make_timestamp(%" PRId64 ")",
				   piece->from_us, tuple ? "minute" : "time", piece->to_us);
}

int plan_make(duckdb_connection connection, const struct query *query, struct plan *ret_plan, struct err *err)
{
	struct plan plan = {
		.from_ns = query->from_ns, .to_ns = query->to_ns, .read = 1 << PLAN_TUPLE, .since_ns = INT64_MIN};
	struct cutter cutter = {.count = 0};
	uint32_t used;
	*ret_plan = plan;
	if (query->kind != &record_tuple) {
		ret_plan->read = 0;
		return 0;
	}
	int code = look(connection, &cutter, err);
	if (code < 0)
		return code;
	/* tuples bear the starts of minutes */
	int64_t from_us = round_up(query->from_ns, NS_PER_MINUTE) / NS_PER_US;
	int64_t to_us = round_up(query->to_ns, NS_PER_MINUTE) / NS_PER_US;
	int at = columns_used(query, &used) ? find_dimension(used) : -1, top = top_level(query);
	bool gone = from_us < cutter.floor_us;
	if (at < 0 || top < 0 || (!gone && query->to_ns - query->from_ns <= PLAIN_SPAN_NS)) {
		if (gone)
			ret_plan->since_ns = cutter.floor_us * NS_PER_US;
		return 0;
	}
	if (gone) {
		from_us = time_floor(from_us, unit_at(&cutter, top, from_us));
		plan.from_ns = from_us * NS_PER_US;
	}
	if (to_us < cutter.floor_us) {
		to_us = round_up(to_us, unit_at(&cutter, top, to_us));
		plan.to_ns = to_us * NS_PER_US;
	}
	cut(&cutter, top, from_us, to_us);
	plan.read = 0;
	for (size_t i = 0; i < cutter.count && code == 0; i++) {
		plan.read |= 1u << cutter.pieces[i].level;
		code = add_piece(&plan.rows, &cutter.pieces[i], at);
	}
	if (code < 0) {
		plan_done(&plan);
		return err_set(err, code, "no memory for a query's plan");
	}
	*ret_plan = plan;
	return 0;
}

void plan_done(struct plan *plan)
{
	free(plan->rows.bytes);
	plan->rows = (struct text_buffer){NULL, 0, 0};
}
