/* Queries: from JSON and back, and the copyable command. Words of a command line become JSON first (query_words.c), so
 * both forms are checked in one place, here. */
#include "store/query.h"
#include "store/query_parts.h"

#include "core/clock.h"
#include "core/module.h"
#include "core/option.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const query_op_names[] = {"=", "!=", "<", "<=", ">", ">=", "in", "prefix", "like", NULL};
const char *const query_aggregate_names[] = {"count", "sum", "min", "max", "avg", "distinct", "approx_distinct", NULL};

static const char *next_name(const void *context, size_t i)
{
	const char *const *names = context;
	for (size_t at = 0; names[at]; at++)
		if (at == i)
			return names[i];
	return NULL;
}

static const char *next_column(const void *context, size_t i)
{
	const struct record_kind *kind = context;
	return i < record_column_count(kind) ? kind->columns[i].name : NULL;
}

static const char *next_kind(const void *context, size_t i)
{
	(void)context;
	for (size_t at = 0; record_kinds[at]; at++)
		if (at == i)
			return record_kinds[i] == &record_spark ? "tuple" : record_kinds[i]->name;
	return NULL;
}

static const char *next_key(const void *context, size_t i)
{
	static const char *const names[] = {"kind",   "from",       "to",    "filters", "keys",
					    "bucket", "aggregates", "order", "limit",   NULL};
	(void)context;
	return next_name(names, i);
}

static int unknown(struct err *err, const char *what, const char *given,
		   const char *(*next)(const void *context, size_t i), const void *context)
{
	const char *near = name_nearest(given, next, context);
	if (near)
		return err_set(err, -EINVAL, "there is no %s \"%.60s\"; is %s meant?", what, given, near);
	char all[300] = "";
	for (size_t i = 0; next(context, i); i++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", next(context, i));
	return err_set(err, -EINVAL, "there is no %s \"%.60s\"; there are %s", what, given, all);
}

/* A text of an object; NULL where it is absent, not a text or has a zero byte in it. */
static const char *text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return NULL;
	return json_string_value(value);
}

static int find_column(const struct record_kind *kind, const char *name, int *ret_column, struct err *err)
{
	char what[64];
	*ret_column = name ? record_column_index(kind, name) : -1;
	if (*ret_column >= 0 && kind->columns[*ret_column].type != COLUMN_BLOB)
		return 0;
	snprintf(what, sizeof what, "field of %s named", kind->name);
	return name ? unknown(err, what, name, next_column, kind)
		    : err_set(err, -EINVAL, "a filter, key or aggregate without the text \"field\"");
}

static int read_kind(struct query *query, const json_t *json, struct err *err)
{
	const char *name = text_of(json, "kind");
	if (!name)
		return err_set(err, -EINVAL, "a query needs \"kind\": the kind of record to ask for, as \"tuple\"");
	query->kind = record_kind_by_name(name);
	if (!query->kind || query->kind == &record_spark)
		return unknown(err, "kind of record", name, next_kind, NULL);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)json, key, value)
	{
		bool known = false;
		for (size_t i = 0; next_key(NULL, i); i++)
			known |= strcmp(next_key(NULL, i), key) == 0;
		if (!known)
			return unknown(err, "part of a query named", key, next_key, NULL);
	}
	return 0;
}

static int read_time(const json_t *json, const char *name, const char *otherwise, int64_t now_ns, int64_t *ret_ns,
		     struct err *err)
{
	const json_t *value = json_object_get(json, name);
	char text[32];
	const char *given = text_of(json, name);
	if (json_is_integer(value)) {
		snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		given = text;
	} else if (value && !json_is_null(value) && !given) {
		return err_set(err, -EINVAL, "%s: a time must be text, as \"-24h\" or \"2026-01-31T09:00:00Z\"", name);
	}
	int code = time_parse(given ? given : otherwise, now_ns, ret_ns, err);
	return code < 0 ? err_prefix(err, code, "%s", name) : 0;
}

static int read_span(struct query *query, const json_t *json, int64_t now_ns, struct err *err)
{
	int code = read_time(json, "from", "-24h", now_ns, &query->from_ns, err);
	if (code == 0)
		code = read_time(json, "to", "now", now_ns, &query->to_ns, err);
	if (code == 0 && query->from_ns >= query->to_ns) {
		char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
		return err_set(err, -EINVAL, "from (%s) is not before to (%s)", time_format(query->from_ns, from),
			       time_format(query->to_ns, to));
	}
	return code;
}

/* An array of at most `most`; absent and null are empty. */
static int array_of(const json_t *json, const char *name, size_t most, const json_t **ret_array, struct err *err)
{
	const json_t *value = json_object_get(json, name);
	*ret_array = value;
	if (!value || json_is_null(value)) {
		*ret_array = NULL;
		return 0;
	}
	if (!json_is_array(value) || json_array_size(value) > most)
		return err_set(err, -EINVAL, "%s: a list of at most %zu was expected", name, most);
	return 0;
}

static int check_op(const struct column *column, enum query_op op, struct err *err)
{
	enum value_style style = value_style(column);
	bool text = style == VALUE_TEXT || style == VALUE_JSON;
	if (op == OP_PREFIX && style != VALUE_ADDR)
		return err_set(err, -EINVAL, "%s: prefix is for addresses", column->name);
	if (op == OP_LIKE && !text)
		return err_set(err, -EINVAL, "%s: like is for texts", column->name);
	return 0;
}

static int read_filter(struct query *query, const json_t *json, int64_t now_ns, struct err *err)
{
	struct query_filter *filter = &query->filters[query->filter_count];
	const char *op = text_of(json, "op");
	int code = find_column(query->kind, text_of(json, "field"), &filter->column, err);
	if (code < 0)
		return err_prefix(err, code, "filters");
	int number = code_by_name(query_op_names, op ? op : "=");
	if (number < 0)
		return unknown(err, "filter operation", op, next_name, query_op_names);
	filter->op = (enum query_op)number;
	const struct column *column = &query->kind->columns[filter->column];
	code = check_op(column, filter->op, err);
	const json_t *value = json_object_get(json, "value");
	bool list = json_is_array(value);
	if (code == 0 && list != (filter->op == OP_IN))
		return err_set(err, -EINVAL, list ? "%s: a list of values is for \"in\"" : "%s: \"in\" needs a list",
			       column->name);
	filter->count = list ? json_array_size(value) : 1;
	if (code == 0 && (filter->count == 0 || filter->count > QUERY_VALUES_MAX))
		return err_set(err, -EINVAL, "%s: 1 to %d values were expected", column->name, QUERY_VALUES_MAX);
	if (code == 0)
		filter->values = pool_array(query->pool, filter->count, sizeof *filter->values);
	if (code == 0 && !filter->values)
		return err_set(err, -ENOMEM, "no memory for the values of a filter");
	for (size_t i = 0; i < filter->count && code == 0; i++)
		code = value_from_json(column, filter->op, list ? json_array_get(value, i) : value, now_ns, query->pool,
				       &filter->values[i], err);
	query->filter_count++;
	return code;
}

static int read_filters(struct query *query, const json_t *json, int64_t now_ns, struct err *err)
{
	const json_t *filters;
	int code = array_of(json, "filters", QUERY_FILTERS_MAX, &filters, err);
	for (size_t i = 0; code == 0 && i < json_array_size(filters); i++)
		code = read_filter(query, json_array_get(filters, i), now_ns, err);
	return code;
}

static int read_keys(struct query *query, const json_t *json, struct err *err)
{
	const json_t *keys;
	int code = array_of(json, "keys", QUERY_KEYS_MAX, &keys, err);
	for (size_t i = 0; code == 0 && i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		if (!json_is_string(key) || strlen(json_string_value(key)) != json_string_length(key))
			return err_set(err, -EINVAL, "keys: a list of field names was expected");
		code = find_column(query->kind, json_string_value(key), &query->keys[i], err);
		if (code < 0)
			return err_prefix(err, code, "keys");
		for (size_t before = 0; before < i; before++)
			if (query->keys[before] == query->keys[i])
				return err_set(err, -EINVAL, "keys: %s is given twice", json_string_value(key));
		query->key_count++;
	}
	return code;
}

static int read_bucket(struct query *query, const json_t *json, struct err *err)
{
	const json_t *value = json_object_get(json, "bucket");
	if (!value || json_is_null(value))
		return 0;
	const char *text = text_of(json, "bucket");
	if (!text)
		return err_set(err, -EINVAL, "bucket: a length of time was expected, as \"1h\", or month, or year");
	query->bucket = strcmp(text, "month") == 0 || strcmp(text, "1month") == 0 ? BUCKET_MONTH
			: strcmp(text, "year") == 0 || strcmp(text, "1year") == 0 ? BUCKET_YEAR
										  : BUCKET_SPAN;
	if (query->bucket != BUCKET_SPAN)
		return 0;
	int code = duration_parse(text, &query->bucket_ns, err);
	if (code == 0 && (query->bucket_ns < NS_PER_MS || query->bucket_ns > 3660 * NS_PER_DAY))
		code = err_set(err, -EINVAL, "%s is not between 1ms and 3660d", text);
	return code < 0 ? err_prefix(err, code, "bucket") : 0;
}

static int check_aggregate(const struct column *column, enum query_aggregate_op op, struct err *err)
{
	enum value_style style = value_style(column);
	if ((op == AGGREGATE_SUM || op == AGGREGATE_AVG) && style != VALUE_NUMBER && style != VALUE_REAL)
		return err_set(err, -EINVAL, "%s cannot be added up: %s is not a quantity", column->name, column->name);
	if ((op == AGGREGATE_MIN || op == AGGREGATE_MAX) && (style == VALUE_JSON || style == VALUE_CODE))
		return err_set(err, -EINVAL, "%s has no order", column->name);
	return 0;
}

static int read_aggregate(struct query *query, const json_t *json, struct err *err)
{
	struct query_aggregate *aggregate = &query->aggregates[query->aggregate_count];
	const char *op = text_of(json, "op");
	int number = op ? code_by_name(query_aggregate_names, op) : -1;
	if (number < 0)
		return op ? unknown(err, "aggregate", op, next_name, query_aggregate_names)
			  : err_set(err, -EINVAL, "aggregates: a list of {\"op\",\"field\"} was expected");
	aggregate->op = (enum query_aggregate_op)number;
	aggregate->column = -1;
	snprintf(aggregate->name, sizeof aggregate->name, "count");
	if (aggregate->op != AGGREGATE_COUNT) {
		int code = find_column(query->kind, text_of(json, "field"), &aggregate->column, err);
		if (code == 0)
			code = check_aggregate(&query->kind->columns[aggregate->column], aggregate->op, err);
		if (code < 0)
			return err_prefix(err, code, "aggregates");
		snprintf(aggregate->name, sizeof aggregate->name, "%s_%s", op,
			 query->kind->columns[aggregate->column].name);
	}
	for (size_t i = 0; i < query->aggregate_count; i++)
		if (strcmp(query->aggregates[i].name, aggregate->name) == 0)
			return err_set(err, -EINVAL, "aggregates: %s is given twice", aggregate->name);
	query->aggregate_count++;
	return 0;
}

static int read_aggregates(struct query *query, const json_t *json, struct err *err)
{
	const json_t *aggregates;
	int code = array_of(json, "aggregates", QUERY_AGGREGATES_MAX, &aggregates, err);
	for (size_t i = 0; code == 0 && i < json_array_size(aggregates); i++)
		code = read_aggregate(query, json_array_get(aggregates, i), err);
	if (code == 0 && query->aggregate_count == 0 && (query->key_count > 0 || query->bucket != BUCKET_NONE)) {
		query->aggregates[0] = (struct query_aggregate){AGGREGATE_COUNT, -1, "count"};
		query->aggregate_count = 1;
	}
	return code;
}

bool query_groups(const struct query *query)
{
	return query->aggregate_count > 0;
}

size_t query_result_count(const struct query *query)
{
	if (query_groups(query))
		return (query->bucket != BUCKET_NONE) + query->key_count + query->aggregate_count;
	size_t count = 0;
	for (const struct column *column = query->kind->columns; column->name; column++)
		count += column->type != COLUMN_BLOB;
	return count;
}

struct query_result query_result(const struct query *query, size_t i)
{
	static const struct column bucket = {"time", COLUMN_TIME, NULL, NULL, "start of the bucket"};
	static const struct column counted = {"", COLUMN_U64, NULL, NULL, NULL}, averaged = {"", COLUMN_F64};
	const struct column *columns = query->kind->columns;
	if (!query_groups(query)) {
		for (; columns->name; columns++)
			if (columns->type != COLUMN_BLOB && i-- == 0)
				break;
		return (struct query_result){columns->name, columns};
	}
	if (query->bucket != BUCKET_NONE && i-- == 0)
		return (struct query_result){"time", &bucket};
	if (i < query->key_count)
		return (struct query_result){columns[query->keys[i]].name, &columns[query->keys[i]]};
	const struct query_aggregate *aggregate = &query->aggregates[i - query->key_count];
	bool same = aggregate->op == AGGREGATE_MIN || aggregate->op == AGGREGATE_MAX;
	bool real = aggregate->op == AGGREGATE_AVG ||
		    (aggregate->op == AGGREGATE_SUM && columns[aggregate->column].type == COLUMN_F64);
	return (struct query_result){aggregate->name, same ? &columns[aggregate->column] : real ? &averaged : &counted};
}

static const char *next_result(const void *context, size_t i)
{
	return i < query_result_count(context) ? query_result(context, i).name : NULL;
}

static int read_order(struct query *query, const json_t *json, struct err *err)
{
	const json_t *orders;
	int code = array_of(json, "order", QUERY_KEYS_MAX, &orders, err);
	for (size_t i = 0; code == 0 && i < json_array_size(orders); i++) {
		const json_t *item = json_array_get(orders, i);
		const char *by = text_of(item, "by");
		if (!by)
			return err_set(err, -EINVAL, "order: a list of {\"by\",\"descending\"} was expected");
		int found = -1;
		for (size_t at = 0; at < query_result_count(query); at++)
			if (strcmp(query_result(query, at).name, by) == 0)
				found = (int)at;
		if (found < 0)
			return unknown(err, "column of the result to order by", by, next_result, query);
		query->orders[query->order_count++] =
			(struct query_order){found, json_is_true(json_object_get(item, "descending"))};
	}
	return code;
}

static int read_limit(struct query *query, const json_t *json, struct err *err)
{
	const json_t *value = json_object_get(json, "limit");
	query->limit = QUERY_LIMIT_DEFAULT;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > QUERY_LIMIT_MAX)
		return err_set(err, -EINVAL, "limit: a number from 1 to %d was expected", QUERY_LIMIT_MAX);
	query->limit = (uint32_t)json_integer_value(value);
	return 0;
}

int query_from_json(const json_t *json, int64_t now_ns, struct query **ret_query, struct err *err)
{
	if (!json_is_object(json))
		return err_set(err, -EINVAL, "a query is a JSON object, as {\"kind\":\"tuple\"}");
	struct pool *pool = pool_new(NULL, "query");
	struct query *query = pool ? pool_alloc(pool, sizeof *query) : NULL;
	if (!query) {
		pool_free(pool);
		return err_set(err, -ENOMEM, "no memory for a query");
	}
	query->pool = pool;
	int code = read_kind(query, json, err);
	if (code == 0)
		code = read_span(query, json, now_ns, err);
	if (code == 0)
		code = read_filters(query, json, now_ns, err);
	if (code == 0)
		code = read_keys(query, json, err);
	if (code == 0)
		code = read_bucket(query, json, err);
	if (code == 0)
		code = read_aggregates(query, json, err);
	if (code == 0)
		code = read_order(query, json, err);
	if (code == 0)
		code = read_limit(query, json, err);
	if (code < 0)
		query_free(query);
	else
		*ret_query = query;
	return code;
}

void query_free(struct query *query)
{
	if (query)
		pool_free(query->pool);
}

void query_free_at(struct query **query)
{
	query_free(*query);
}
