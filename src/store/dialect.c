/* SQL of a query. */
#include "store/dialect.h"

#include "core/clock.h"
#include "store/query_parts.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct dialect dialect_duckdb = {
	.name = "DuckDB",
	.bucket_span = "time_bucket(to_microseconds(%2$" PRId64 "), \"%1$s\", TIMESTAMP '1970-01-01')",
	.bucket_month = "date_trunc('month', \"%s\")::TIMESTAMP",
	.bucket_year = "date_trunc('year', \"%s\")::TIMESTAMP",
	.approx_distinct = "approx_count_distinct(\"%s\")::UBIGINT",
	.sum = "sum(\"%s\")::%s",
	.avg = "avg(\"%s\")",
	.count = "count(*)::UBIGINT",
};

void statement_done(struct statement *statement)
{
	free(statement->sql.bytes);
	statement->sql = (struct text_buffer){NULL, 0, 0};
}

static int bind(struct statement *statement, const struct query *query, const struct column *column, enum query_op op,
		const struct query_value *value)
{
	if (!statement->bound) {
		statement->bound_room = 8;
		for (size_t i = 0; i < query->filter_count; i++)
			statement->bound_room += query->filters[i].count * 2;
		statement->bound = pool_array(query->pool, statement->bound_room, sizeof *statement->bound);
	}
	if (!statement->bound || statement->bound_count == statement->bound_room)
		return -ENOMEM;
	statement->bound[statement->bound_count++] = (struct bound){column, op, *value};
	return 0;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static int add_bucket(struct statement *statement, const struct dialect *dialect, const struct query *query)
{
	const char *time = query->kind->time_column;
	if (query->bucket == BUCKET_MONTH)
		return text_add(&statement->sql, dialect->bucket_month, time);
	if (query->bucket == BUCKET_YEAR)
		return text_add(&statement->sql, dialect->bucket_year, time);
	return text_add(&statement->sql, dialect->bucket_span, time, query->bucket_ns / NS_PER_US);
}

static int add_aggregate(struct statement *statement, const struct dialect *dialect, const struct query *query,
			 const struct query_aggregate *aggregate)
{
	const struct column *column = aggregate->column < 0 ? NULL : &query->kind->columns[aggregate->column];
	struct text_buffer *sql = &statement->sql;
	switch (aggregate->op) {
	case AGGREGATE_COUNT:
		return text_add(sql, "%s", dialect->count);
	case AGGREGATE_SUM:
		return text_add(sql, dialect->sum, column->name, column->type == COLUMN_F64 ? "DOUBLE" : "UBIGINT");
	case AGGREGATE_MIN:
		return text_add(sql, "min(\"%s\")", column->name);
	case AGGREGATE_MAX:
		return text_add(sql, "max(\"%s\")", column->name);
	case AGGREGATE_AVG:
		return text_add(sql, dialect->avg, column->name);
	case AGGREGATE_DISTINCT:
		return text_add(sql, "count(DISTINCT \"%s\")::UBIGINT", column->name);
	case AGGREGATE_APPROX_DISTINCT:
		return text_add(sql, dialect->approx_distinct, column->name);
	}
	return -EINVAL;
}
#pragma GCC diagnostic pop

static int add_results(struct statement *statement, const struct dialect *dialect, const struct query *query)
{
	int code = text_add(&statement->sql, "SELECT ");
	if (!query_groups(query)) {
		for (size_t i = 0; i < query_result_count(query) && code == 0; i++)
			code = text_add(&statement->sql, "%s\"%s\"", i ? ", " : "", query_result(query, i).name);
		return code;
	}
	const char *comma = "";
	if (query->bucket && code == 0) {
		code = add_bucket(statement, dialect, query);
		comma = ", ";
	}
	for (size_t i = 0; i < query->key_count && code == 0; i++, comma = ", ")
		code = text_add(&statement->sql, "%s\"%s\"", comma, query->kind->columns[query->keys[i]].name);
	for (size_t i = 0; i < query->aggregate_count && code == 0; i++, comma = ", ") {
		code = text_add(&statement->sql, "%s", comma);
		if (code == 0)
			code = add_aggregate(statement, dialect, query, &query->aggregates[i]);
	}
	return code;
}

static int add_prefix(struct statement *statement, const struct query *query, const struct query_filter *filter)
{
	const struct column *column = &query->kind->columns[filter->column];
	struct query_value first = {.addr = filter->values[0].prefix.addr};
	struct query_value last = {.addr = prefix_last(&filter->values[0].prefix)};
	int code = text_add(&statement->sql, " AND \"%s\" BETWEEN ? AND ?", column->name);
	if (code == 0)
		code = bind(statement, query, column, OP_GE, &first);
	return code == 0 ? bind(statement, query, column, OP_LE, &last) : code;
}

static int add_filter(struct statement *statement, const struct query *query, const struct query_filter *filter)
{
	static const char *const operators[] = {"=", "<>", "<", "<=", ">", ">=", "IN", "", "LIKE"};
	const struct column *column = &query->kind->columns[filter->column];
	if (filter->op == OP_PREFIX)
		return add_prefix(statement, query, filter);
	int code = text_add(&statement->sql, " AND \"%s\" %s %s", column->name, operators[filter->op],
			    filter->op == OP_IN ? "(" : "");
	for (size_t i = 0; i < filter->count && code == 0; i++) {
		code = text_add(&statement->sql, i ? ", ?" : "?");
		if (code == 0)
			code = bind(statement, query, column, filter->op, &filter->values[i]);
	}
	return code == 0 && filter->op == OP_IN ? text_add(&statement->sql, ")") : code;
}

static int add_filters(struct statement *statement, const struct query *query)
{
	int code = 0;
	for (size_t i = 0; i < query->filter_count && code == 0; i++)
		code = add_filter(statement, query, &query->filters[i]);
	return code;
}

static int add_filtered(struct statement *statement, const struct query *query, const char *rows)
{
	int code = text_add(&statement->sql, " FROM (%s) WHERE true", rows);
	return code == 0 ? add_filters(statement, query) : code;
}

static int add_rows(struct statement *statement, const struct query *query)
{
	const struct column *time = &query->kind->columns[record_column_index(query->kind, query->kind->time_column)];
	struct query_value from = {.time_ns = query->from_ns}, to = {.time_ns = query->to_ns};
	int code = text_add(&statement->sql, " FROM \"%s\" WHERE \"%s\" >= ? AND \"%s\" < ?", query->kind->name,
			    time->name, time->name);
	if (code == 0)
		code = bind(statement, query, time, OP_GE, &from);
	if (code == 0)
		code = bind(statement, query, time, OP_LT, &to);
	return code == 0 ? add_filters(statement, query) : code;
}

/* Without an order of its own a result is in the order of its first columns (groups) or of time (rows), so that a limit
 * always cuts at the same place. */
static int add_order(struct statement *statement, const struct query *query)
{
	size_t groups = (query->bucket != BUCKET_NONE) + query->key_count;
	const char *comma = " ORDER BY ";
	int code = 0;
	for (size_t i = 0; i < query->order_count && code == 0; i++, comma = ", ")
		code = text_add(&statement->sql, "%s%d%s", comma, query->orders[i].result + 1,
				query->orders[i].descending ? " DESC NULLS LAST" : " NULLS LAST");
	if (!query_groups(query))
		return code == 0 && query->order_count == 0
			       ? text_add(&statement->sql, " ORDER BY \"%s\"", query->kind->time_column)
			       : code;
	for (size_t i = 0; i < groups && code == 0; i++, comma = ", ")
		code = text_add(&statement->sql, "%s%zu", comma, i + 1);
	return code;
}

static int add_groups(struct statement *statement, const struct query *query)
{
	size_t groups = (query->bucket != BUCKET_NONE) + query->key_count;
	int code = 0;
	for (size_t i = 0; query_groups(query) && i < groups && code == 0; i++)
		code = text_add(&statement->sql, "%s%zu", i ? ", " : " GROUP BY ", i + 1);
	return code;
}

int statement_write(const struct dialect *dialect, const struct query *query, const char *rows,
		    struct statement *ret_statement, struct err *err)
{
	struct statement statement = {.sql = {NULL, 0, 0}};
	int code = add_results(&statement, dialect, query);
	if (code == 0)
		code = rows ? add_filtered(&statement, query, rows) : add_rows(&statement, query);
	if (code == 0)
		code = add_groups(&statement, query);
	if (code == 0)
		code = add_order(&statement, query);
	if (code == 0)
		code = text_add(&statement.sql, " LIMIT %u", query->limit);
	if (code < 0) {
		statement_done(&statement);
		return err_set(err, code, "the query cannot be written in the engine's words");
	}
	*ret_statement = statement;
	return 0;
}

int statement_write_estimates(const struct dialect *dialect, const struct query *query, struct statement *ret_statement,
			      struct err *err)
{
	struct statement statement = {.sql = {NULL, 0, 0}};
	int code = text_add(&statement.sql, "SELECT %s", dialect->count);
	if (code == 0)
		code = add_rows(&statement, query);
	if (code == 0)
		code = text_add(&statement.sql, " AND exact = 0");
	if (code < 0) {
		statement_done(&statement);
		return err_set(err, code, "the query cannot be written in the engine's words");
	}
	*ret_statement = statement;
	return 0;
}
