/* Flow information: how well the exporters' datagrams come, and questions to the archive. The collector is a process of
 * its own, which leaves its figures in a file beside the flows; the keeper reads both and writes neither. */
#include "hub/api_flow.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "store/archive.h"
#include "store/flow_query.h"
#include "sys/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4200, FLOWS_USUAL = 100, LATE_S = 10 };

static void dir_of(const struct keeper *keeper, char dir[PATH_BYTES])
{
	snprintf(dir, PATH_BYTES, "%s/" HUB_FLOW_DIR, keeper->setup->options->data);
}

/* What the collector wrote; NULL: nothing yet, or never. */
static json_t *collector_read(const struct keeper *keeper)
{
	char dir[PATH_BYTES], path[PATH_BYTES + 32], *text = NULL;
	size_t bytes;
	dir_of(keeper, dir);
	snprintf(path, sizeof path, "%s/collector.json", dir);
	if (text_file_read(path, LIMIT_FLOW_FILE_BYTES, &text, &bytes, NULL) < 0)
		return NULL;
	json_t *told = json_loadb(text, bytes, 0, NULL);
	free(text);
	return told;
}

/* A collector that was killed says nothing: its file grows old. */
static void running_judge(json_t *told)
{
	int64_t then_ns = 0;
	const char *time = json_string_value(json_object_get(told, "time"));
	bool fresh = time && time_parse(time, 0, &then_ns, NULL) == 0 && clock_now_ns() - then_ns < LATE_S * NS_PER_S;
	if (!fresh)
		json_object_set_new(told, "running", json_false());
}

int api_flow_get(struct api_call *call, struct err *err)
{
	char dir[PATH_BYTES], first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
	struct archive_extent extent;
	dir_of(call->keeper, dir);
	json_t *answer = json_object(), *told = collector_read(call->keeper);
	if (told)
		running_judge(told);
	json_object_set_new(answer, "collector", told ? told : json_null());
	int result = archive_extent(dir, &extent, err);
	if (result == 0 && extent.segments && extent.first_ns <= extent.last_ns)
		json_object_set_new(answer, "archive",
				    json_pack("{s:I, s:i, s:s, s:s}", "bytes", (json_int_t)extent.bytes, "segments",
					      (int)extent.segments, "first", time_format(extent.first_ns, first),
					      "last", time_format(extent.last_ns, last)));
	else
		json_object_set_new(answer, "archive", json_null());
	if (result < 0 && result != -ENOENT) {
		json_decref(answer);
		return result;
	}
	return api_json(call, 200, answer);
}

static int text_read(const json_t *body, const char *name, const char **ret_text, struct err *err)
{
	const json_t *value = json_object_get(body, name);
	if (value && !json_is_string(value) && !json_is_null(value))
		return err_set(err, -EINVAL, "%s: text was expected", name);
	*ret_text = json_string_length(value) ? json_string_value(value) : NULL;
	return 0;
}

static int count_read(const json_t *body, const char *name, json_int_t most, json_int_t usual, json_int_t *ret_count,
		      struct err *err)
{
	const json_t *value = json_object_get(body, name);
	*ret_count = value ? json_integer_value(value) : usual;
	if (value && (!json_is_integer(value) || *ret_count < 0 || *ret_count > most))
		return err_set(err, -EINVAL, "%s: a number up to %lld was expected", name, (long long)most);
	return 0;
}

static int question_read(const json_t *body, struct flow_question *question, struct err *err)
{
	static const char *const known[] = {"filter", "statistic", "aggregate", "from", "to", "limit", "bins", NULL};
	const char *from = NULL, *to = NULL, *name;
	json_int_t limit, bins;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)body, name, value)
	{
		size_t i = 0;
		while (known[i] && strcmp(known[i], name) != 0)
			i++;
		if (!known[i])
			return err_set(
				err, -EINVAL,
				"'%.32s' is not known; filter, statistic, aggregate, from, to, limit and bins are",
				name);
	}
	int64_t now_ns = clock_now_ns();
	int result = text_read(body, "filter", &question->filter, err);
	if (result == 0)
		result = text_read(body, "statistic", &question->statistic, err);
	if (result == 0)
		result = text_read(body, "aggregate", &question->aggregate, err);
	if (result == 0)
		result = text_read(body, "from", &from, err);
	if (result == 0)
		result = text_read(body, "to", &to, err);
	if (result == 0)
		result = count_read(body, "limit", LIMIT_FLOW_ROWS, FLOWS_USUAL, &limit, err);
	if (result == 0)
		result = count_read(body, "bins", FLOW_BINS_MAX, 0, &bins, err);
	if (result == 0)
		result = time_parse(from ? from : "-1h", now_ns, &question->from_ns, err);
	question->to_ns = now_ns;
	if (result == 0 && to)
		result = time_parse(to, now_ns, &question->to_ns, err);
	if (result == 0) {
		question->limit = limit ? (size_t)limit : LIMIT_FLOW_ROWS;
		question->bins = (unsigned)bins;
	}
	return result;
}

struct rows {
	json_t *flows, *troubles;
};

static void flow_take(void *context, const struct batch *row)
{
	json_array_append_new(((struct rows *)context)->flows, flow_json(row, 0));
}

static void trouble_take(void *context, const char *sentence)
{
	json_array_append_new(((struct rows *)context)->troubles, json_string(sentence));
}

static int question_ask(struct api_call *call, const struct flow_question *question, json_t **ret_answer,
			struct err *err)
{
	char dir[PATH_BYTES], from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	struct rows rows = {json_array(), json_array()};
	const struct flow_query_visit visit = {.flow = flow_take,
					       .trouble = trouble_take,
					       .context = &rows,
					       .limit_ns = LIMIT_FLOW_QUERY_S * NS_PER_S};
	struct flow_query *query = NULL;
	dir_of(call->keeper, dir);
	int64_t began_ns = clock_monotonic_ns();
	int result = flow_query_new(question, &query, err);
	if (result == 0 && !api_download_begin(call)) {
		result = err_set(err, -EBUSY, "too many long questions at a time; try again soon");
	} else if (result == 0) {
		result = flow_query_run(query, dir, &visit, ret_answer, err);
		api_download_end(call);
	}
	flow_query_free(query);
	if (result == 0) {
		json_object_set_new(*ret_answer, "from", json_string(time_format(question->from_ns, from)));
		json_object_set_new(*ret_answer, "to", json_string(time_format(question->to_ns, to)));
		json_object_set_new(*ret_answer, "seconds", json_real((double)(clock_monotonic_ns() - began_ns) / 1e9));
		json_object_set(*ret_answer, "troubles", rows.troubles);
		if (!question->bins && !question->statistic && !question->aggregate)
			json_object_set(*ret_answer, "rows", rows.flows);
	}
	json_decref(rows.flows);
	json_decref(rows.troubles);
	return result;
}

int api_flow_query(struct api_call *call, struct err *err)
{
	struct flow_question question = {0};
	json_t *body, *answer = NULL;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	result = question_read(body, &question, err);
	if (result == 0)
		result = question_ask(call, &question, &answer, err);
	json_decref(body);
	if (result == -ENOENT)
		return api_refuse(call, 404, "no-flows",
				  "no flows were collected yet; yagura hub --flow-listen ADDR:PORT",
				  "フローはまだ収集されていません(yagura hub --flow-listen ADDR:PORT)");
	if (result == -ETIME)
		return api_refuse(call, 422, "too-long", err->text,
				  "時間がかかりすぎます。期間を短くするか、フィルターを絞ってください");
	return result < 0 ? result : api_json(call, 200, answer);
}

static int figure_add(struct text_buffer *text, const json_t *exporters, const char *field, const char *name,
		      const char *type, const char *help)
{
	const json_t *exporter;
	size_t i;
	int result = text_add(text, "# HELP yagura_flow_%s %s\n# TYPE yagura_flow_%s %s\n", name, help, name, type);
	json_array_foreach(exporters, i, exporter) if (result == 0 && i < LIMIT_FLOW_SERIES)
	{
		result = text_add(text, "yagura_flow_%s{exporter=\"%s\",domain=\"%lld\",format=\"%s\"} %.9g\n", name,
				  json_string_value(json_object_get(exporter, "exporter")),
				  (long long)json_integer_value(json_object_get(exporter, "domain")),
				  json_string_value(json_object_get(exporter, "format")),
				  json_number_value(json_object_get(exporter, field)));
	}
	return result;
}

int flow_metrics(const struct keeper *keeper, struct text_buffer *text)
{
	static const char *const figures[][4] = {
		{"messages", "messages_total", "counter", "messages of an exporter"},
		{"records", "records_total", "counter", "flows that an exporter told of"},
		{"lost", "lost_total", "counter", "messages or records missing by the sequence numbers"},
		{"waiting", "waiting_total", "counter", "data sets that came before their template"},
		{"templates", "templates", "gauge", "templates that an exporter uses"},
		{"sampling", "sampling", "gauge", "one packet in so many is looked at"},
		{"skew_seconds", "skew_seconds", "gauge", "the exporter's clock against ours"},
	};
	json_t *told = collector_read(keeper);
	int result = 0;
	if (!told)
		return 0;
	for (size_t i = 0; i < sizeof figures / sizeof *figures && result == 0; i++)
		result = figure_add(text, json_object_get(told, "exporters"), figures[i][0], figures[i][1],
				    figures[i][2], figures[i][3]);
	json_decref(told);
	return result;
}
