/* yagura cnc eval: how good the ranking is on captures whose servers are known. Hosts are judged, not services: a host
 * stands where its best service does. Where a capture holds servers of several families each is measured by itself, and
 * the others' servers are left out: they are no false alarms.
 */
#include "analyze/cnc/eval.h"
#include "cli/command_cnc.h"
#include "cli/command_cnc_labels.h"
#include "cli/table.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec cnc_eval_option_table[] = {
	{"labels", OPTION_PATH, OPTION_AT(struct cnc_eval_options, labels), .argument = "FILE", .required = true,
	 .help = "lines of CAPTURE ADDRESS FAMILY: known servers; of a capture without any, all alarms are false",
	 .help_ja =
		 "正解の一覧(1 行に キャプチャ名 アドレス ファミリー)。載っていないキャプチャでは全警報を誤報とする"},
	{"model", OPTION_PATH, OPTION_AT(struct cnc_eval_options, model), .argument = "FILE",
	 .help = "what tools/cnc-train learnt (default: data/cnc/model.json)",
	 .help_ja = "tools/cnc-train が学習したモデル(既定値 data/cnc/model.json)"},
	{"threshold", OPTION_TEXT, OPTION_AT(struct cnc_eval_options, threshold), .argument = "SCORE",
	 .help = "score of an alarm (default: for each family the best of the others)",
	 .help_ja = "警報とみなすスコア(省略時は、ファミリーごとに残りの最良値)"},
	{"draws", OPTION_INT, OPTION_AT(struct cnc_eval_options, draws), .default_text = "1000", .min = 100,
	 .max = 2000, .help = "draws of the bootstrap that confidence intervals come from",
	 .help_ja = "信頼区間を求めるブートストラップの回数"},
	{"quick", OPTION_FLAG, OPTION_AT(struct cnc_eval_options, quick), .help = "without times to detection",
	 .help_ja = "検知までの時間は測らない"},
	{NULL},
};

enum { CHECKS = 11 };

static const double RECALL = 0.8; /* at which alarms are compared */

static const int64_t checks_s[CHECKS] = {300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800};

/* A capture and one family of which it holds servers. */
struct capture {
	const char *path, *name, *family;
	const struct cnc_labels *labels;
	struct cnc_capture judged;
	struct cnc_ranked *ranked;
	uint32_t server_count, outside;
	int64_t first_ns, last_ns;
	float threshold;
	double detected_s; /* the earliest of its servers; -1: none was */
};

struct evaluation {
	const struct command_call *call;
	const struct cnc_eval_options *options;
	struct capture *captures;
	struct cnc_capture *judged; /* the captures', side by side */
	const char **families;
	uint32_t family_count;
	size_t count;
	unsigned troubles;
};

/* --- ranking one capture ----------------------------------------------------------------------------------------- */

/* The family that a host of a capture serves; NULL: it is no known server. */
static const char *family_of(const struct capture *capture, const struct addr *addr)
{
	for (size_t i = 0; i < capture->labels->count; i++) {
		const struct cnc_label *label = &capture->labels->items[i];
		if (addr_same(&label->server, addr) && strcmp(label->capture, capture->name) == 0)
			return label->family;
	}
	return NULL;
}

static bool is_server(const struct capture *capture, const struct addr *addr)
{
	const char *family = family_of(capture, addr);
	return family && strcmp(family, capture->family) == 0;
}

static int ranking_of(struct evaluation *evaluation, struct capture *capture, int64_t until_ns, json_t **ret_ranking,
		      struct err *err)
{
	struct cnc *cnc = NULL;
	int result = cnc_new(&(struct cnc_options){.until_ns = until_ns}, &cnc, err);
	if (result == 0)
		result = cnc_model_read(cnc, evaluation->call, evaluation->options->model, err);
	if (result == 0)
		result = cnc_file_read(cnc, evaluation->call, capture->path, &evaluation->troubles, err);
	if (result == 0)
		result = cnc_rank(cnc, 0, 0, false, ret_ranking, err);
	if (result == 0 && until_ns == 0) {
		capture->first_ns = cnc_figures(cnc).first_ns;
		capture->last_ns = cnc_figures(cnc).last_ns;
		result = cnc_outside_hosts(cnc, &capture->outside, err);
	}
	cnc_free(cnc);
	return result;
}

static int host_order(const void *one, const void *other)
{
	return addr_compare(*(const struct addr *const *)one, *(const struct addr *const *)other);
}

/* Each host once, where its best service stands. */
static int hosts_take(struct capture *capture, const json_t *ranking, struct pool *pool, struct err *err)
{
	size_t lines = json_array_size(ranking), i;
	struct addr *hosts = pool_array(pool, lines + 1, sizeof *hosts);
	const struct addr **order = pool_array(pool, lines + 1, sizeof *order);
	bool *again = pool_array(pool, lines + 1, sizeof *again);
	capture->ranked = pool_array(pool, lines + 1, sizeof *capture->ranked);
	if (!hosts || !order || !again || !capture->ranked)
		return err_set(err, -ENOMEM, "no memory for a ranking");
	const json_t *line;
	json_array_foreach(ranking, i, line)
	{
		if (addr_parse(json_string_value(json_object_get(line, "address")), &hosts[i], err) < 0)
			return -EINVAL;
		order[i] = &hosts[i];
	}
	qsort(order, lines, sizeof *order, host_order);
	for (size_t begin = 0, end; begin < lines; begin = end) {
		size_t first = begin;
		for (end = begin; end < lines && addr_same(order[end], order[begin]); end++)
			first = order[end] < order[first] ? end : first;
		for (size_t at = begin; at < end; at++)
			again[order[at] - hosts] = at != first;
	}
	struct cnc_capture *judged = &capture->judged;
	json_array_foreach(ranking, i, line)
	{
		const char *family = again[i] ? NULL : family_of(capture, &hosts[i]);
		bool server = family && strcmp(family, capture->family) == 0;
		if (!again[i] && (!family || server))
			capture->ranked[judged->count++] =
				(struct cnc_ranked){(float)json_real_value(json_object_get(line, "score")), server};
	}
	judged->ranked = capture->ranked;
	judged->servers = capture->server_count;
	return 0;
}

/* --- time to detection ------------------------------------------------------------------------------------------- */

/* The earliest check at which a server was over the threshold, from its first contact. */
static int detection_time(struct evaluation *evaluation, struct capture *capture, struct err *err)
{
	capture->detected_s = -1;
	for (int check = 0; check < CHECKS; check++) {
		int64_t until_ns = capture->first_ns + checks_s[check] * NS_PER_S;
		json_t *ranking = NULL, *line;
		size_t i;
		int result = ranking_of(evaluation, capture, until_ns, &ranking, err);
		if (result < 0)
			return result;
		json_array_foreach(ranking, i, line)
		{
			struct addr addr;
			int64_t first_ns;
			if (json_real_value(json_object_get(line, "score")) < (double)capture->threshold)
				break;
			if (addr_parse(json_string_value(json_object_get(line, "address")), &addr, NULL) == 0 &&
			    is_server(capture, &addr) &&
			    time_parse(json_string_value(json_object_get(line, "first")), 0, &first_ns, NULL) == 0) {
				int64_t seen_ns = until_ns < capture->last_ns ? until_ns : capture->last_ns;
				capture->detected_s = (double)(seen_ns - first_ns) / 1e9;
				break;
			}
		}
		json_decref(ranking);
		if (capture->detected_s >= 0 || until_ns >= capture->last_ns)
			return 0;
	}
	return 0;
}

/* --- figures ----------------------------------------------------------------------------------------------------- */

static double precision_figure(const struct cnc_capture *captures, size_t count)
{
	return cnc_mean_precision(captures, count);
}

/* False hosts per million outside hosts and day, each capture at its own threshold, or all at that one. */
static double false_rate(const struct evaluation *evaluation, const float *threshold)
{
	double hosts_days = 0, alarms = 0;
	for (size_t i = 0; i < evaluation->count; i++) {
		const struct capture *capture = &evaluation->captures[i];
		double days = (double)(capture->last_ns - capture->first_ns) / (double)NS_PER_DAY;
		hosts_days += capture->outside * days;
		alarms +=
			cnc_at_threshold(&capture->judged, 1, threshold ? *threshold : capture->threshold).false_alarms;
	}
	return hosts_days > 0 ? alarms / hosts_days * 1e6 : 0;
}

static json_t *interval_json(const struct evaluation *evaluation, double (*figure)(const struct cnc_capture *, size_t))
{
	struct cnc_interval interval =
		cnc_bootstrap(evaluation->judged, evaluation->count, (unsigned)evaluation->options->draws, figure);
	return json_pack("[f, f]", interval.low, interval.high);
}

static json_t *capture_json(const struct capture *capture)
{
	struct cnc_at_threshold at = cnc_at_threshold(&capture->judged, 1, capture->threshold);
	json_t *ranks = json_array();
	for (size_t i = 0; i < capture->judged.count; i++)
		if (capture->ranked[i].is_server)
			json_array_append_new(ranks, json_integer((json_int_t)i + 1));
	double precision = cnc_average_precision(&capture->judged);
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:f, s:i, s:i, s:o}", "capture", capture->name, "family",
			 capture->family, "hosts", (int)capture->judged.count, "outside_hosts", (int)capture->outside,
			 "servers", (int)capture->server_count, "average_precision",
			 precision < 0 ? json_null() : json_real(precision), "ranks", ranks, "threshold",
			 (double)capture->threshold, "found", (int)at.found, "false_alarms", (int)at.false_alarms,
			 "detected_s", capture->detected_s < 0 ? json_null() : json_real(capture->detected_s));
}

static json_t *family_json(const struct evaluation *evaluation, uint32_t family)
{
	double sum = 0, detected = -1;
	unsigned captures = 0;
	struct cnc_at_threshold at = {0};
	for (size_t i = 0; i < evaluation->count; i++) {
		const struct capture *capture = &evaluation->captures[i];
		if (capture->judged.family != family)
			continue;
		struct cnc_at_threshold own = cnc_at_threshold(&capture->judged, 1, capture->threshold);
		sum += cnc_average_precision(&capture->judged);
		captures++;
		at.found += own.found;
		at.missed += own.missed;
		at.false_alarms += own.false_alarms;
		if (capture->detected_s >= 0 && (detected < 0 || capture->detected_s < detected))
			detected = capture->detected_s;
	}
	return json_pack("{s:s, s:i, s:f, s:i, s:i, s:i, s:o}", "family", evaluation->families[family], "captures",
			 (int)captures, "average_precision", sum / captures, "found", (int)at.found, "missed",
			 (int)at.missed, "false_alarms", (int)at.false_alarms, "detected_s",
			 detected < 0 ? json_null() : json_real(detected));
}

static json_t *report_json(const struct evaluation *evaluation)
{
	json_t *captures = json_array(), *families = json_array();
	struct cnc_at_threshold sums = {0};
	double family_sum = 0;
	for (size_t i = 0; i < evaluation->count; i++) {
		struct cnc_at_threshold at =
			cnc_at_threshold(&evaluation->judged[i], 1, evaluation->captures[i].threshold);
		sums.found += at.found;
		sums.missed += at.missed;
		sums.false_alarms += at.false_alarms;
		json_array_append_new(captures, capture_json(&evaluation->captures[i]));
	}
	for (uint32_t i = 0; i < evaluation->family_count; i++) {
		json_t *family = family_json(evaluation, i);
		family_sum += json_real_value(json_object_get(family, "average_precision"));
		json_array_append_new(families, family);
	}
	uint32_t alarms = sums.found + sums.false_alarms, servers = sums.found + sums.missed;
	float at_recall = cnc_threshold_for_recall(evaluation->judged, evaluation->count, RECALL);
	return json_pack("{s:f, s:o, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o}", "mean_average_precision",
			 cnc_mean_precision(evaluation->judged, evaluation->count), "mean_average_precision_95",
			 interval_json(evaluation, precision_figure), "mean_over_families",
			 evaluation->family_count ? family_sum / evaluation->family_count : -1, "precision",
			 alarms ? (double)sums.found / alarms : 1, "recall", servers ? (double)sums.found / servers : 0,
			 "false_per_million_hosts_and_day", false_rate(evaluation, NULL), "threshold_at_recall_80",
			 at_recall < 0 ? json_null() : json_real((double)at_recall),
			 "false_per_million_hosts_and_day_at_recall_80",
			 at_recall < 0 ? json_null() : json_real(false_rate(evaluation, &at_recall)), "families",
			 families, "captures", captures);
}

static void rows_print(const json_t *items, const char *const *names)
{
	json_t *columns = json_array(), *rows = json_array(), *item;
	size_t i;
	for (size_t c = 0; names[c]; c++)
		json_array_append_new(columns, json_pack("{s:s}", "name", names[c]));
	json_array_foreach(items, i, item)
	{
		json_t *row = json_array();
		for (size_t c = 0; names[c]; c++) {
			const json_t *value = json_object_get(item, names[c]);
			char text[32];
			snprintf(text, sizeof text, "%.3f", json_number_value(value));
			json_array_append_new(row, json_is_real(value) ? json_string(text)
						   : json_is_null(value)
							   ? json_string("-")
							   : json_incref(json_object_get(item, names[c])));
		}
		json_array_append_new(rows, row);
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}

static void report_print(const json_t *report)
{
	static const char *const captures[] = {"capture", "family",       "hosts",      "servers", "average_precision",
					       "found",   "false_alarms", "detected_s", NULL};
	static const char *const families[] = {"family", "captures",     "average_precision", "found",
					       "missed", "false_alarms", "detected_s",        NULL};
	const json_t *interval = json_object_get(report, "mean_average_precision_95");
	rows_print(json_object_get(report, "captures"), captures);
	rows_print(json_object_get(report, "families"), families);
	printf("mean average precision %.3f (95 %%: %.3f to %.3f), over families %.3f; precision %.3f, recall %.3f; "
	       "%.0f "
	       "false hosts per million and day\n",
	       json_real_value(json_object_get(report, "mean_average_precision")),
	       json_real_value(json_array_get(interval, 0)), json_real_value(json_array_get(interval, 1)),
	       json_real_value(json_object_get(report, "mean_over_families")),
	       json_real_value(json_object_get(report, "precision")),
	       json_real_value(json_object_get(report, "recall")),
	       json_real_value(json_object_get(report, "false_per_million_hosts_and_day")));
	const json_t *at_recall = json_object_get(report, "false_per_million_hosts_and_day_at_recall_80");
	if (json_is_real(at_recall))
		printf("to find 80 %% of all servers: score %.3f, %.0f false hosts per million and day\n",
		       json_real_value(json_object_get(report, "threshold_at_recall_80")), json_real_value(at_recall));
	else
		puts("80 % of all servers are found at no score");
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static uint32_t family_number(struct evaluation *evaluation, const char *family)
{
	for (uint32_t i = 0; i < evaluation->family_count; i++)
		if (strcmp(evaluation->families[i], family) == 0)
			return i;
	evaluation->families[evaluation->family_count] = family;
	return evaluation->family_count++;
}

/* One entry for each family of a file; one without a family where nothing in it is known. */
static void captures_add(struct evaluation *evaluation, const char *path, const struct cnc_labels *labels)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t first = evaluation->count;
	for (size_t i = 0; i < labels->count; i++) {
		const struct cnc_label *label = &labels->items[i];
		size_t at = first;
		if (strcmp(label->capture, name) != 0)
			continue;
		while (at < evaluation->count && strcmp(evaluation->captures[at].family, label->family) != 0)
			at++;
		if (at == evaluation->count)
			evaluation->captures[evaluation->count++] =
				(struct capture){.path = path,
						 .name = name,
						 .family = label->family,
						 .labels = labels,
						 .detected_s = -1,
						 .judged.family = family_number(evaluation, label->family)};
		evaluation->captures[at].server_count++;
	}
	if (evaluation->count == first)
		evaluation->captures[evaluation->count++] = (struct capture){.path = path,
									     .name = name,
									     .family = "-",
									     .labels = labels,
									     .detected_s = -1,
									     .judged.family = UINT32_MAX - 1};
}

static int captures_judge(struct evaluation *evaluation, struct err *err)
{
	const struct cnc_eval_options *options = evaluation->options;
	int result = 0;
	json_t *ranking = NULL; /* of the file of the entry before */
	for (size_t i = 0; i < evaluation->count && result == 0; i++) {
		struct capture *capture = &evaluation->captures[i];
		const struct capture *before = i ? capture - 1 : NULL;
		if (before && before->path == capture->path) {
			capture->first_ns = before->first_ns;
			capture->last_ns = before->last_ns;
			capture->outside = before->outside;
		} else {
			json_decref(ranking);
			ranking = NULL;
			result = ranking_of(evaluation, capture, 0, &ranking, err);
		}
		if (result == 0)
			result = hosts_take(capture, ranking, evaluation->call->pool, err);
		evaluation->judged[i] = capture->judged;
	}
	json_decref(ranking);
	for (size_t i = 0; i < evaluation->count && result == 0; i++) {
		struct capture *capture = &evaluation->captures[i];
		capture->threshold = options->threshold ? strtof(options->threshold, NULL)
							: cnc_threshold_choose(evaluation->judged, evaluation->count,
									       capture->judged.family);
		if (capture->server_count && !options->quick)
			result = detection_time(evaluation, capture, err);
	}
	return result;
}

int command_cnc_eval(const struct command_call *call, struct err *err)
{
	const struct cnc_eval_options *options = call->options;
	struct evaluation evaluation = {.call = call, .options = options};
	struct cnc_labels labels;
	char *end = NULL;
	if (call->operand_count == 0) {
		err_set(err, -EINVAL, "FILE was expected: captures as `yagura flow read` takes them");
		return EXIT_USAGE;
	}
	if (options->threshold && (!(strtod(options->threshold, &end) >= 0) || *end)) {
		err_set(err, -EINVAL, "--threshold: '%s' is no score", options->threshold);
		return EXIT_USAGE;
	}
	if (cnc_labels_read(options->labels, call->pool, &labels, err) < 0)
		return EXIT_FAILED;
	size_t entries = (size_t)call->operand_count + labels.count;
	evaluation.captures = pool_array(call->pool, entries, sizeof *evaluation.captures);
	evaluation.judged = pool_array(call->pool, entries, sizeof *evaluation.judged);
	evaluation.families = pool_array(call->pool, labels.count + 1, sizeof *evaluation.families);
	if (!evaluation.captures || !evaluation.judged || !evaluation.families) {
		err_set(err, -ENOMEM, "no memory for captures");
		return EXIT_FAILED;
	}
	for (int i = 0; i < call->operand_count; i++)
		captures_add(&evaluation, call->operands[i], &labels);
	if (captures_judge(&evaluation, err) < 0)
		return EXIT_FAILED;
	json_t *report = report_json(&evaluation);
	if (options->common.json) {
		json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		report_print(report);
	}
	json_decref(report);
	return evaluation.troubles ? EXIT_FAILED : EXIT_DONE;
}
