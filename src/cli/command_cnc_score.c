/* yagura cnc score: services that look like command and control, best first, with grounds. */
#include "cli/command_cnc.h"
#include "cli/table.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct option_spec cnc_score_option_table[] = {
	{"infected", OPTION_PATH, OPTION_AT(struct cnc_score_options, infected), .argument = "LIST",
	 .help = "hosts that are known to be infected: an address a line",
	 .help_ja = "感染が分かっているホストの一覧(1 行に 1 アドレス)"},
	{"inside", OPTION_PREFIXES, OPTION_AT(struct cnc_score_options, inside), .argument = "PREFIX",
	 .help = "networks that are watched (default: inferred from who asks)",
	 .help_ja = "監視対象のネットワーク(省略時は通信の向きから推定)"},
	{"store", OPTION_PATH, OPTION_AT(struct cnc_score_options, archive), .argument = "DIR", .letter = 'r',
	 .help = "an archive of flows (of a hub: DATA/flow) instead of files",
	 .help_ja = "ファイルの代わりに読むフローのアーカイブ(ハブでは DATA/flow)"},
	{"from", OPTION_TEXT, OPTION_AT(struct cnc_score_options, from), .default_text = "-24h", .argument = "TIME",
	 .help = "of the archive, flows that begin from then on",
	 .help_ja = "アーカイブのうち、この時刻以後に始まったフロー"},
	{"to", OPTION_TEXT, OPTION_AT(struct cnc_score_options, to), .default_text = "now", .argument = "TIME",
	 .help = "and before", .help_ja = "この時刻より前に始まったフロー"},
	{"model", OPTION_PATH, OPTION_AT(struct cnc_score_options, model), .argument = "FILE",
	 .help = "what tools/cnc-train learnt (default: data/cnc/model.json)",
	 .help_ja = "tools/cnc-train が学習したモデル(既定値 data/cnc/model.json)"},
	{"explain", OPTION_FLAG, OPTION_AT(struct cnc_score_options, explain),
	 .help = "what every detector measured, not only what counts",
	 .help_ja = "決め手以外も含め、各検知器の測定値をすべて示す"},
	{"limit", OPTION_INT, OPTION_AT(struct cnc_score_options, limit), .default_text = "100", .min = 0,
	 .max = UINT32_MAX, .letter = 'n', .help = "services to print at most; 0: all of them",
	 .help_ja = "表示するサービスの上限(0 はすべて)"},
	{"least", OPTION_TEXT, OPTION_AT(struct cnc_score_options, least), .default_text = "0", .argument = "SCORE",
	 .help = "only services of at least this score, 0 to 1", .help_ja = "このスコア以上のサービスだけ(0〜1)"},
	{NULL},
};

static void cell_add(json_t *columns, const char *name)
{
	json_array_append_new(columns, json_pack("{s:s}", "name", name));
}

static void ranking_print(const json_t *ranking, bool explain)
{
	bool japanese = language_is_japanese();
	json_t *columns = json_array(), *rows = json_array();
	static const char *const names[] = {"rank", "score", "address", "port", "protocol", "clients", "grounds"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cell_add(columns, names[i]);
	size_t index, g;
	json_t *line, *ground;
	json_array_foreach(ranking, index, line)
	{
		json_array_foreach(json_object_get(line, "grounds"), g, ground)
		{
			char score[16], told[512];
			json_t *from = g == 0 ? line : ground;
			snprintf(score, sizeof score, "%.3f", json_real_value(json_object_get(from, "score")));
			snprintf(told, sizeof told, "%s: %s", json_string_value(json_object_get(ground, "detector")),
				 json_string_value(json_object_get(ground, japanese ? "text_ja" : "text")));
			json_t *row = json_array();
			for (size_t i = 0; i + 1 < sizeof names / sizeof *names; i++)
				json_array_append_new(row, i == 1   ? json_string(score)
							   : g == 0 ? json_incref(json_object_get(line, names[i]))
								    : json_string(""));
			json_array_append_new(row, json_string(told));
			json_array_append_new(rows, row);
			if (!explain)
				break;
		}
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}

int command_cnc_score(const struct command_call *call, struct err *err)
{
	const struct cnc_score_options *options = call->options;
	char *end;
	double least = strtod(options->least, &end);
	if (*end || !(least >= 0 && least <= 1)) {
		err_set(err, -EINVAL, "--least: '%s' is no number of 0 to 1", options->least);
		return EXIT_USAGE;
	}
	if ((call->operand_count == 0) == !options->archive) {
		err_set(err, -EINVAL,
			"either FILE was expected, flows as `yagura flow read` takes them, or --store DIR");
		return EXIT_USAGE;
	}
	int64_t from_ns, to_ns, now_ns = clock_now_ns();
	if (time_parse(options->from, now_ns, &from_ns, err) < 0 || time_parse(options->to, now_ns, &to_ns, err) < 0)
		return EXIT_USAGE;
	struct cnc *cnc = NULL;
	json_t *ranking = NULL;
	unsigned troubles = 0;
	int result = cnc_new(&(struct cnc_options){0}, &cnc, err);
	if (result == 0)
		result = cnc_model_read(cnc, call, options->model, err);
	for (size_t i = 0; result == 0 && i < options->inside.count; i++)
		result = cnc_inside(cnc, &options->inside.items[i], err);
	if (result == 0 && options->infected)
		result = cnc_infected_read(cnc, options->infected, err);
	if (result == 0)
		result = options->archive
				 ? cnc_archive_read(cnc, call, options->archive, from_ns, to_ns, &troubles, err)
				 : cnc_files_read(cnc, call, &troubles, err);
	if (result == 0)
		result = cnc_rank(cnc, (uint32_t)options->limit, least, options->explain, &ranking, err);
	if (result == 0 && cnc_figures(cnc).refused) {
		fprintf(stderr, "yagura cnc score: %llu times there was no room for another host, service or pair\n",
			(unsigned long long)cnc_figures(cnc).refused);
		troubles++;
	}
	if (result == 0 && options->common.json) {
		json_dumpf(ranking, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else if (result == 0) {
		ranking_print(ranking, options->explain);
	}
	json_decref(ranking);
	cnc_free(cnc);
	return result < 0 || troubles ? EXIT_FAILED : EXIT_DONE;
}
