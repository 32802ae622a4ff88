/* Statistics for the public page, as JSON and CSV: of a month by days, or of a year by months. Calendar spans only: of
 * spans that one may choose freely, the difference of two would tell what is hidden in either. What is hidden is
 * decided in tally.c; no member is named. Without signing in it is served where --public-statistics says so.
 */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/api_answer.h"
#include "hub/keeper.h"
#include "hub/statistics.h"
#include "hub/tally.h"
#include "store/members.h"
#include "store/notices_answer.h"
#include "store/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { YEAR_FIRST = 1990, YEAR_LAST = 2199 };

struct statistics_call {
	struct api_call *call;
	struct statistics *statistics;
	struct err *err;
	enum statistics_period period;
	char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
};

/* --- which span --------------------------------------------------------------------------------------------------- */

static int64_t instant(int year, int month)
{
	struct tm parts = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = 1};
	return (int64_t)timegm(&parts) * NS_PER_S;
}

/* ?month=2026-11 or ?year=2026; absent: this month. The future is left out. */
static int span_asked(struct api_call *call, enum statistics_period *ret_period, int64_t *ret_from_ns,
		      int64_t *ret_to_ns, struct err *err)
{
	char text[16], rest;
	int64_t now_ns = clock_now_ns();
	time_t now = (time_t)(now_ns / NS_PER_S);
	struct tm today;
	gmtime_r(&now, &today);
	int year = today.tm_year + 1900, month = today.tm_mon + 1;
	bool yearly = api_argument(call, "year", text, sizeof text) != NULL;
	if (yearly && (strlen(text) != 4 || sscanf(text, "%4d%c", &year, &rest) != 1))
		year = 0;
	else if (!yearly && api_argument(call, "month", text, sizeof text) &&
		 (strlen(text) != 7 || sscanf(text, "%4d-%2d%c", &year, &month, &rest) != 2))
		year = 0;
	if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12)
		return err_set(err, -EINVAL, "month=2026-11 or year=2026 was expected");
	*ret_period = yearly ? PERIOD_MONTH : PERIOD_DAY;
	*ret_from_ns = yearly ? instant(year, 0) : instant(year, month - 1);
	*ret_to_ns = yearly ? instant(year + 1, 0) : instant(year, month);
	if (*ret_to_ns > now_ns && *ret_from_ns < now_ns)
		*ret_to_ns = now_ns;
	return 0;
}

/* --- what is counted ---------------------------------------------------------------------------------------------- */

static int take_member(void *context, uint32_t id, const char *kind)
{
	struct statistics_call *asked = context;
	return statistics_member(asked->statistics, id, kind, asked->err);
}

static int take_notice(void *context, const struct notice_times *times)
{
	struct statistics_call *asked = context;
	const struct statistics_notice notice = {times->member,  times->verdict,         times->made_ns,
						 times->told_ns, times->acknowledged_ns, times->bounced};
	return statistics_notice(asked->statistics, &notice, asked->err);
}

static int no_columns(void *context, const json_t *columns)
{
	(void)context;
	(void)columns;
	return 0;
}

/* Keys of the question below, then a count. */
static int take_alerts(void *context, const json_t *row)
{
	struct statistics_call *asked = context;
	const char *cells[6];
	for (size_t i = 1; i < 6; i++)
		if (!(cells[i] = json_string_value(json_array_get(row, i))))
			return err_set(asked->err, -EIO, "an alert without its verdict, state, subject or times");
	struct statistics_alert alert = {.member = (uint32_t)json_integer_value(json_array_get(row, 0)),
					 .verdict = cells[1],
					 .fixed = strcmp(cells[2], "ended") == 0,
					 .subject = cells[3]};
	json_int_t count = json_integer_value(json_array_get(row, 6));
	int result = time_parse(cells[4], 0, &alert.first_ns, asked->err);
	if (result == 0)
		result = time_parse(cells[5], 0, &alert.last_ns, asked->err);
	for (json_int_t i = 0; i < count && result == 0; i++)
		result = statistics_alert(asked->statistics, &alert, asked->err);
	return result;
}

static int count_alerts(struct statistics_call *asked)
{
	struct query *query = NULL;
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}], s:[s, s, s, s, "
			  "s, s], s:[{s:s}], s:i}",
			  "kind", "finding", "from", asked->from, "to", "2200-01-01", "filters", "field", "type", "op",
			  "=", "value", "livenet", "field", "first", "op", ">=", "value", asked->from, "field", "first",
			  "op", "<", "value", asked->to, "keys", "member", "verdict", "state", "subject", "first",
			  "last", "aggregates", "op", "count", "limit", QUERY_LIMIT_MAX);
	if (!json)
		return err_set(asked->err, -ENOMEM, "no memory for a query");
	int result = query_from_json(json, clock_now_ns(), &query, asked->err);
	json_decref(json);
	const struct store_rows rows = {no_columns, take_alerts, asked};
	if (result == 0)
		result = store_query_rows(asked->call->keeper->store, query, &rows, asked->err);
	query_free(query);
	return result;
}

static int count_traffic(struct statistics_call *asked)
{
	json_t *answer = NULL;
	const char *level = asked->period == PERIOD_MONTH ? "month" : "day";
	int result = api_ask(asked->call,
			     json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}, {s:s, s:s}], s:[{s:s, s:s}, {s:s, s:s}], s:s}",
				       "kind", "rollup", "from", asked->from, "to", asked->to, "filters", "field",
				       "level", "value", level, "field", "dimension", "value", "total", "aggregates",
				       "op", "sum", "field", "packets", "op", "sum", "field", "sources", "bucket",
				       asked->period == PERIOD_MONTH ? "1month" : "1d"),
			     &answer, asked->err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		int64_t time_ns;
		result = time_parse(json_string_value(answer_cell(answer, i, 0)), 0, &time_ns, asked->err);
		if (result == 0)
			statistics_traffic(asked->statistics, time_ns, json_integer_value(answer_cell(answer, i, 1)),
					   json_integer_value(answer_cell(answer, i, 2)));
	}
	json_decref(answer);
	return result;
}

static int statistics_ask(struct api_call *call, json_t **ret_statistics, struct err *err)
{
	struct statistics_call asked = {.call = call, .err = err};
	struct registry *registry = call->keeper->registry;
	int64_t from_ns = 0, to_ns = 0;
	int result = span_asked(call, &asked.period, &from_ns, &to_ns, err);
	if (result == 0)
		result = statistics_new(asked.period, from_ns, to_ns, &asked.statistics, err);
	if (result < 0)
		return result;
	from_ns = statistics_from(asked.statistics);
	to_ns = statistics_to(asked.statistics);
	time_format(from_ns, asked.from);
	time_format(to_ns, asked.to);
	result = registry_member_kinds(registry, take_member, &asked, err);
	if (result == 0)
		result = count_alerts(&asked);
	if (result == 0)
		result = notices_times(registry, "livenet", from_ns, to_ns, take_notice, &asked, err);
	if (result == 0)
		result = count_traffic(&asked);
	json_t *json = result == 0 ? statistics_json(asked.statistics) : NULL;
	statistics_free(asked.statistics);
	if (result < 0)
		return result;
	if (!json)
		return err_set(err, -ENOMEM, "no memory for statistics");
	json_object_set_new(json, "by", json_string(statistics_period_names[asked.period]));
	json_object_set_new(json, "from", json_string(asked.from));
	json_object_set_new(json, "to", json_string(asked.to));
	json_object_set_new(json, "least", json_integer(TALLY_LEAST));
	json_object_set_new(json, "step", json_integer(TALLY_STEP));
	json_object_set_new(json, "simulated", json_boolean(strcmp(call->keeper->setup->hub->mode, "simulate") == 0));
	*ret_statistics = json;
	return 0;
}

int api_statistics_get(struct api_call *call, struct err *err)
{
	json_t *json = NULL;
	int result = statistics_ask(call, &json, err);
	return result < 0 ? result : api_json(call, 200, json);
}

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

/* One line: which table, the row's name, then the columns; empty what a table does not have, "<3" what is hidden. */
static int line_add(struct api_call *call, const char *table, const char *name, const json_t *row)
{
	static const char *const columns[] = {"found",   "told",    "bounced", "acknowledged", "fixed", "fix_median_s",
					      "packets", "sources", NULL};
	char line[512];
	size_t used = (size_t)snprintf(line, sizeof line, "%s,%s", table, name);
	for (size_t i = 0; columns[i] && used < sizeof line; i++) {
		const json_t *value = json_object_get(row, columns[i]);
		if (json_is_integer(value))
			used += (size_t)snprintf(line + used, sizeof line - used, ",%lld",
						 (long long)json_integer_value(value));
		else if (json_is_real(value))
			used += (size_t)snprintf(line + used, sizeof line - used, ",%.0f", json_real_value(value));
		else
			used += (size_t)snprintf(line + used, sizeof line - used,
						 json_is_null(value) && i < FIGURES ? ",<%d" : ",", TALLY_LEAST);
	}
	if (used + 2 >= sizeof line)
		return -EOVERFLOW;
	memcpy(line + used, "\r\n", 2);
	return api_add(call, line, used + 2);
}

static int table_add(struct api_call *call, const char *table, const char *name, const json_t *rows)
{
	size_t i;
	json_t *row;
	int result = 0;
	json_array_foreach(rows, i, row)
	{
		if (result == 0)
			result = line_add(call, table, json_string_value(json_object_get(row, name)), row);
	}
	return result;
}

int api_statistics_csv(struct api_call *call, struct err *err)
{
	static const char head[] = "table,name,found,told,bounced,acknowledged,fixed,fix_median_s,packets,sources\r\n";
	char disposition[96];
	json_t *json = NULL;
	int result = statistics_ask(call, &json, err);
	if (result < 0)
		return result;
	json_t *alerts = json_object_get(json, "alerts"), *machines = json_object_get(json, "machines");
	json_object_set(machines, "fixed", json_object_get(machines, "cleaned"));
	json_object_set(alerts, "fix_median_s", json_object_get(json_object_get(json, "times"), "fix_median_s"));
	snprintf(disposition, sizeof disposition, "attachment; filename=\"yagura-statistics-%.7s.csv\"",
		 json_string_value(json_object_get(json, "from")));
	result = api_begin(call, 200, "text/csv; charset=utf-8", disposition);
	if (result == 0)
		result = api_add(call, head, sizeof head - 1);
	if (result == 0)
		result = line_add(call, "all", "", alerts);
	if (result == 0)
		result = line_add(call, "machines", "", machines);
	if (result == 0)
		result = table_add(call, "verdict", "name", json_object_get(json, "verdicts"));
	if (result == 0)
		result = table_add(call, "sector", "name", json_object_get(json, "sectors"));
	if (result == 0)
		result = table_add(call, json_string_value(json_object_get(json, "by")), "time",
				   json_object_get(json, "periods"));
	json_decref(json);
	return result == 0 ? api_end(call) : result;
}
