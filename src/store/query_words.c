/* The command line's form of a query, both ways. Words become the API's JSON, so every check is query.c's. */
#include "store/query.h"
#include "store/query_parts.h"

#include "core/clock.h"
#include "core/module.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char query_arguments_help[] =
	"  KIND                 tuple, echo, rollup, finding, sighting, raw, block, health\n"
	"  --from T, --to T     times: 2026-01-31T09:00:00Z, 2026-01-31, -24h, now (default: the last 24 hours)\n"
	"  --where CONDITION    port=23  country!=JP  packets>=100  tool=mirai,zmap  source~192.0.2.0/24  rule~=scan%\n"
	"  --by FIELD           group by a field; may be given again, or as A,B\n"
	"  --bucket LENGTH      group by time: 1m, 10m, 1h, 1d, month, year\n"
	"  --count  --sum F  --min F  --max F  --avg F  --distinct F  --approx-distinct F\n"
	"  --order [-]NAME      by a column of the result; - for the greatest first\n"
	"  --limit N            rows at most (default 1000)\n";
const char query_arguments_help_ja[] =
	"  KIND                 tuple, echo, rollup, finding, sighting, raw, block, health のどれか\n"
	"  --from T, --to T     時刻: 2026-01-31T09:00:00Z、2026-01-31、-24h、now（省略時は直近24時間）\n"
	"  --where CONDITION    port=23  country!=JP  packets>=100  tool=mirai,zmap  source~192.0.2.0/24  rule~=scan%\n"
	"  --by FIELD           項目でまとめる。複数回、または A,B の形でも\n"
	"  --bucket LENGTH      時間でまとめる: 1m、10m、1h、1d、month、year\n"
	"  --count  --sum F  --min F  --max F  --avg F  --distinct F  --approx-distinct F\n"
	"  --order [-]NAME      結果の列で並べる。- を付けると大きい順\n"
	"  --limit N            最大行数（省略時 1000）\n";

/* "field OP value": the operation is the first of these characters found, the longest at that place. */
static int split_condition(const char *text, char *field, size_t room, enum query_op *ret_op, const char **ret_value,
			   struct err *err)
{
	static const struct {
		const char *sign;
		enum query_op op;
	} signs[] = {{"!=", OP_NE},    {"<=", OP_LE}, {">=", OP_GE}, {"~=", OP_LIKE},
		     {"~", OP_PREFIX}, {"=", OP_EQ},  {"<", OP_LT},  {">", OP_GT}};
	size_t length = strcspn(text, "!<>=~");
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (length > 0 && length < room && strncmp(text + length, signs[i].sign, strlen(signs[i].sign)) == 0) {
			memcpy(field, text, length);
			field[length] = '\0';
			*ret_op = signs[i].op;
			*ret_value = text + length + strlen(signs[i].sign);
			return 0;
		}
	return err_set(err, -EINVAL, "--where %.100s: FIELD, one of = != < <= > >= ~ ~= and a value were expected",
		       text);
}

static json_t *split_list(const char *text)
{
	json_t *list = json_array();
	for (;;) {
		size_t length = strcspn(text, ",");
		json_array_append_new(list, json_stringn(text, length));
		if (!text[length])
			return list;
		text += length + 1;
	}
}

static int add_condition(json_t *query, const char *text, struct err *err)
{
	char field[64];
	enum query_op op = OP_EQ;
	const char *value = "";
	int code = split_condition(text, field, sizeof field, &op, &value, err);
	if (code < 0)
		return code;
	json_t *filter = json_object();
	bool list = op == OP_EQ && strchr(value, ',');
	json_object_set_new(filter, "field", json_string(field));
	json_object_set_new(filter, "op", json_string(query_op_names[list ? OP_IN : op]));
	json_object_set_new(filter, "value", list ? split_list(value) : json_string(value));
	json_array_append_new(json_object_get(query, "filters"), filter);
	return 0;
}

static void add_aggregate(json_t *query, const char *op, const char *field)
{
	json_t *aggregate = json_object();
	json_object_set_new(aggregate, "op", json_string(op));
	if (field)
		json_object_set_new(aggregate, "field", json_string(field));
	json_array_append_new(json_object_get(query, "aggregates"), aggregate);
}

static int add_option(json_t *query, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "from") == 0 || strcmp(name, "to") == 0 || strcmp(name, "bucket") == 0) {
		json_object_set_new(query, name, json_string(value));
	} else if (strcmp(name, "where") == 0) {
		return add_condition(query, value, err);
	} else if (strcmp(name, "by") == 0) {
		json_t *fields = split_list(value);
		json_array_extend(json_object_get(query, "keys"), fields);
		json_decref(fields);
	} else if (strcmp(name, "order") == 0) {
		json_t *order = json_object();
		json_object_set_new(order, "by", json_string(value[0] == '-' ? value + 1 : value));
		json_object_set_new(order, "descending", json_boolean(value[0] == '-'));
		json_array_append_new(json_object_get(query, "order"), order);
	} else if (strcmp(name, "limit") == 0) {
		char *end;
		long long limit = strtoll(value, &end, 10);
		if (end == value || *end)
			return err_set(err, -EINVAL, "--limit %.40s: a number was expected", value);
		json_object_set_new(query, "limit", json_integer(limit));
	} else {
		add_aggregate(query, strcmp(name, "approx-distinct") == 0 ? "approx_distinct" : name, value);
	}
	return 0;
}

static const char *next_option(const void *context, size_t i)
{
	static const char *const names[] = {"from",  "to",  "where", "by",  "bucket", "count",    "order",
					    "limit", "sum", "min",   "max", "avg",    "distinct", "approx-distinct",
					    NULL};
	(void)context;
	return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static int read_words(int argc, char **argv, json_t *query, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0)
			return err_set(err, -EINVAL, "\"%.60s\" was not expected; options of a query start with --",
				       argv[i]);
		char name[32];
		const char *value = strchr(argv[i], '=');
		size_t length = value ? (size_t)(value - argv[i] - 2) : strlen(argv[i] + 2);
		snprintf(name, sizeof name, "%.*s", (int)(length < 31 ? length : 31), argv[i] + 2);
		bool known = false;
		for (size_t at = 0; next_option(NULL, at); at++)
			known |= strcmp(next_option(NULL, at), name) == 0;
		if (!known) {
			const char *near = name_nearest(name, next_option, NULL);
			return err_set(err, -EINVAL, "there is no option --%s%s%s%s", name, near ? "; is --" : "",
				       near ? near : "", near ? " meant?" : "");
		}
		if (strcmp(name, "count") == 0) {
			add_aggregate(query, "count", NULL);
			continue;
		}
		if (!value && i + 1 >= argc)
			return err_set(err, -EINVAL, "--%s needs a value", name);
		int code = add_option(query, name, value ? value + 1 : argv[++i], err);
		if (code < 0)
			return code;
	}
	return 0;
}

int query_from_arguments(int argc, char **argv, int64_t now_ns, struct query **ret_query, struct err *err)
{
	if (argc < 1 || argv[0][0] == '-')
		return err_set(err, -EINVAL,
			       "a query begins with the kind of record to ask for, as: query tuple --count");
	json_t *query = json_object();
	json_object_set_new(query, "kind", json_string(argv[0]));
	static const char *const lists[] = {"filters", "keys", "aggregates", "order"};
	for (size_t i = 0; i < 4; i++)
		json_object_set_new(query, lists[i], json_array());
	int code = read_words(argc, argv, query, err);
	if (code == 0)
		code = query_from_json(query, now_ns, ret_query, err);
	json_decref(query);
	return code;
}

const char *query_bucket_text(const struct query *query, char text[32])
{
	static const struct {
		int64_t ns;
		const char *unit;
	} units[] = {{NS_PER_DAY, "d"}, {NS_PER_HOUR, "h"}, {NS_PER_MINUTE, "m"}, {NS_PER_S, "s"}, {NS_PER_MS, "ms"}};
	if (query->bucket == BUCKET_MONTH || query->bucket == BUCKET_YEAR)
		return query->bucket == BUCKET_MONTH ? "month" : "year";
	for (size_t i = 0; i < 5; i++)
		if (query->bucket_ns % units[i].ns == 0 || i == 4) {
			snprintf(text, 32, "%" PRId64 "%s", query->bucket_ns / units[i].ns, units[i].unit);
			break;
		}
	return text;
}

static json_t *filter_to_json(const struct query *query, const struct query_filter *filter)
{
	const struct column *column = &query->kind->columns[filter->column];
	json_t *json = json_object(), *value = NULL;
	json_object_set_new(json, "field", json_string(column->name));
	json_object_set_new(json, "op", json_string(query_op_names[filter->op]));
	if (filter->op == OP_IN) {
		value = json_array();
		for (size_t i = 0; i < filter->count; i++)
			json_array_append_new(value, value_to_json(column, filter->op, &filter->values[i]));
	} else {
		value = value_to_json(column, filter->op, &filter->values[0]);
	}
	json_object_set_new(json, "value", value);
	return json;
}

json_t *query_to_json(const struct query *query)
{
	char text[TIME_TEXT_BYTES];
	json_t *json = json_object(), *filters = json_array(), *keys = json_array(), *order = json_array();
	json_object_set_new(json, "kind", json_string(query->kind->name));
	json_object_set_new(json, "from", json_string(time_format(query->from_ns, text)));
	json_object_set_new(json, "to", json_string(time_format(query->to_ns, text)));
	for (size_t i = 0; i < query->filter_count; i++)
		json_array_append_new(filters, filter_to_json(query, &query->filters[i]));
	for (size_t i = 0; i < query->key_count; i++)
		json_array_append_new(keys, json_string(query->kind->columns[query->keys[i]].name));
	json_object_set_new(json, "filters", filters);
	json_object_set_new(json, "keys", keys);
	json_object_set_new(json, "bucket", query->bucket ? json_string(query_bucket_text(query, text)) : json_null());
	json_object_set_new(json, "aggregates", json_array());
	for (size_t i = 0; i < query->aggregate_count; i++) {
		const struct query_aggregate *aggregate = &query->aggregates[i];
		add_aggregate(json, query_aggregate_names[aggregate->op],
			      aggregate->column < 0 ? NULL : query->kind->columns[aggregate->column].name);
	}
	for (size_t i = 0; i < query->order_count; i++) {
		json_t *item = json_object();
		json_object_set_new(item, "by", json_string(query_result(query, (size_t)query->orders[i].result).name));
		json_object_set_new(item, "descending", json_boolean(query->orders[i].descending));
		json_array_append_new(order, item);
	}
	json_object_set_new(json, "order", order);
	if (json_object_set_new(json, "limit", json_integer(query->limit)) == 0)
		return json;
	json_decref(json);
	return NULL;
}

/* A word for POSIX sh: as it is where nothing in it is special, in single quotes otherwise. */
static int add_word(struct text_buffer *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
	if (*word && strspn(word, plain) == strlen(word))
		return text_add(line, " %s", word);
	int code = text_add(line, " '");
	for (; *word && code == 0; word++)
		code = *word == '\'' ? text_add(line, "'\\''") : text_add(line, "%c", *word);
	return code == 0 ? text_add(line, "'") : code;
}

static int add_filter_words(struct text_buffer *line, const struct query *query, const struct query_filter *filter)
{
	static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">=", "=", "~", "~="};
	const struct column *column = &query->kind->columns[filter->column];
	struct text_buffer word = {NULL, 0, 0};
	char room[VALUE_TEXT_BYTES];
	int code = text_add(&word, "%s%s", column->name, signs[filter->op]);
	for (size_t i = 0; i < filter->count && code == 0; i++)
		code = text_add(&word, "%s%s", i ? "," : "",
				value_format(column, filter->op, &filter->values[i], room));
	if (code == 0 && filter->op == OP_IN && filter->count == 1)
		code = text_add(&word, ",%s", value_format(column, filter->op, &filter->values[0], room));
	if (code == 0)
		code = text_add(line, " --where");
	if (code == 0)
		code = add_word(line, word.bytes);
	free(word.bytes);
	return code;
}

static int add_group_words(struct text_buffer *line, const struct query *query)
{
	char text[32];
	int code = 0;
	for (size_t i = 0; i < query->key_count && code == 0; i++)
		code = text_add(line, " --by %s", query->kind->columns[query->keys[i]].name);
	if (query->bucket && code == 0)
		code = text_add(line, " --bucket %s", query_bucket_text(query, text));
	for (size_t i = 0; i < query->aggregate_count && code == 0; i++) {
		const struct query_aggregate *aggregate = &query->aggregates[i];
		if (aggregate->op == AGGREGATE_COUNT)
			code = text_add(line, " --count");
		else
			code = text_add(line, " --%s %s",
					aggregate->op == AGGREGATE_APPROX_DISTINCT
						? "approx-distinct"
						: query_aggregate_names[aggregate->op],
					query->kind->columns[aggregate->column].name);
	}
	for (size_t i = 0; i < query->order_count && code == 0; i++)
		code = text_add(line, " --order %s%s", query->orders[i].descending ? "-" : "",
				query_result(query, (size_t)query->orders[i].result).name);
	return code;
}

char *query_command(const struct query *query)
{
	struct text_buffer line = {NULL, 0, 0};
	char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	int code = text_add(&line, "yagura query %s --from %s --to %s", query->kind->name,
			    time_format(query->from_ns, from), time_format(query->to_ns, to));
	for (size_t i = 0; i < query->filter_count && code == 0; i++)
		code = add_filter_words(&line, query, &query->filters[i]);
	if (code == 0)
		code = add_group_words(&line, query);
	if (code == 0 && query->limit != QUERY_LIMIT_DEFAULT)
		code = text_add(&line, " --limit %u", query->limit);
	if (code == 0)
		return line.bytes;
	free(line.bytes);
	return NULL;
}
