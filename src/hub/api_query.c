/* Questions to the store: at once as JSON, or row by row as a download of any length. */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of the autonomous systems in a column "network", as "names": {"2907": "..."}; nothing without such a
 * column. */
static int add_names(const struct places *places, json_t *answer)
{
	const json_t *columns = json_object_get(answer, "columns"), *rows = json_object_get(answer, "rows");
	size_t at = 0;
	while (at < json_array_size(columns) &&
	       strcmp(json_string_value(json_object_get(json_array_get(columns, at), "name")), "network") != 0)
		at++;
	if (at == json_array_size(columns))
		return 0;
	json_t *names = json_object();
	for (size_t row = 0; row < json_array_size(rows); row++) {
		uint32_t network = (uint32_t)json_integer_value(json_array_get(json_array_get(rows, row), at));
		const char *name = places_network_name(places, network);
		char key[16];
		snprintf(key, sizeof key, "%u", network);
		if (*name && !json_object_get(names, key) && json_object_set_new(names, key, json_string(name)) < 0)
			break;
	}
	return json_object_set_new(answer, "names", names) < 0 ? -ENOMEM : 0;
}

int api_query_post(struct api_call *call, struct err *err)
{
	json_t *body, *answer = NULL;
	struct query *query = NULL;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	result = query_from_json(body, clock_now_ns(), &query, err);
	json_decref(body);
	if (result == 0 && query->limit > LIMIT_ANSWER_ROWS)
		query->limit = LIMIT_ANSWER_ROWS;
	if (result == 0)
		result = store_query(call->keeper->store, query, &answer, err);
	query_free(query);
	if (result == 0 && add_names(call->keeper->places, answer) < 0) {
		json_decref(answer);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return result < 0 ? result : api_json(call, 200, answer);
}

struct download {
	struct api_call *call;
	const struct query *query;
	bool begun, json, first;
	size_t columns;
};

static int download_text(struct download *download, const char *text)
{
	return api_add(download->call, text, strlen(text));
}

/* RFC 4180. */
static int csv_value(struct download *download, const json_t *value)
{
	char number[64];
	const char *text = number;
	if (json_is_string(value))
		text = json_string_value(value);
	else if (json_is_integer(value))
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(number, sizeof number, "%.9g", json_real_value(value));
	else if (json_is_boolean(value))
		text = json_is_true(value) ? "1" : "0";
	else if (json_is_null(value))
		text = "";
	char *dumped = json_is_object(value) || json_is_array(value) ? json_dumps(value, JSON_COMPACT) : NULL;
	if (dumped)
		text = dumped;
	int result;
	if (!strpbrk(text, ",\"\r\n")) {
		result = download_text(download, text);
	} else {
		result = download_text(download, "\"");
		for (const char *at = text; *at && result == 0;) {
			size_t plain = strcspn(at, "\"");
			result = api_add(download->call, at, plain);
			if (result == 0 && at[plain])
				result = download_text(download, "\"\"");
			at += plain + (at[plain] != 0);
		}
		if (result == 0)
			result = download_text(download, "\"");
	}
	free(dumped);
	return result;
}

static int csv_line(struct download *download, const json_t *values, bool names)
{
	int result = 0;
	for (size_t i = 0; i < json_array_size(values) && result == 0; i++) {
		const json_t *value = json_array_get(values, i);
		if (i)
			result = download_text(download, ",");
		if (result == 0)
			result = csv_value(download, names ? json_object_get(value, "name") : value);
	}
	return result == 0 ? download_text(download, "\r\n") : result;
}

static int json_part(struct download *download, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	int result = text ? download_text(download, text) : -ENOMEM;
	free(text);
	return result;
}

static int download_columns(void *context, const json_t *columns)
{
	struct download *download = context;
	char disposition[96];
	snprintf(disposition, sizeof disposition, "attachment; filename=\"yagura-%s.%s\"", download->query->kind->name,
		 download->json ? "json" : "csv");
	int result = api_begin(download->call, 200, download->json ? "application/json" : "text/csv; charset=utf-8",
			       disposition);
	if (result < 0)
		return result;
	download->begun = true;
	if (!download->json)
		return csv_line(download, columns, true);
	result = download_text(download, "{\"columns\":");
	if (result == 0)
		result = json_part(download, columns);
	return result == 0 ? download_text(download, ",\"rows\":[") : result;
}

static int download_row(void *context, const json_t *row)
{
	struct download *download = context;
	if (!download->json)
		return csv_line(download, row, false);
	int result = download->first ? 0 : download_text(download, ",\n");
	download->first = false;
	return result == 0 ? json_part(download, row) : result;
}

static int download_run(struct api_call *call, bool json, struct err *err)
{
	char *text = malloc(LIMIT_QUERY_BYTES);
	struct query *query = NULL;
	json_error_t error;
	json_t *body = text && api_argument(call, "q", text, LIMIT_QUERY_BYTES)
			       ? json_loads(text, JSON_REJECT_DUPLICATES, &error)
			       : NULL;
	free(text);
	if (!body)
		return err_set(err, -EINVAL, "q: a query as JSON was expected");
	int result = query_from_json(body, clock_now_ns(), &query, err);
	bool limited = json_object_get(body, "limit") != NULL;
	json_decref(body);
	if (result < 0)
		return result;
	if (!limited)
		query->limit = QUERY_LIMIT_MAX;
	struct download download = {.call = call, .query = query, .json = json, .first = true};
	const struct store_rows rows = {.columns = download_columns, .row = download_row, .context = &download};
	result = api_download_begin(call) ? 0 : err_set(err, -EBUSY, "too many downloads at a time; try again soon");
	if (result == 0) {
		result = store_query_rows(call->keeper->store, query, &rows, err);
		api_download_end(call);
	}
	if (result == 0 && json)
		result = download_text(&download, "]}\n");
	query_free(query);
	return result;
}

int api_query_csv(struct api_call *call, struct err *err)
{
	return download_run(call, false, err);
}

int api_query_json(struct api_call *call, struct err *err)
{
	return download_run(call, true, err);
}
