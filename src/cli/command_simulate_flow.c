/* yagura simulate flow: a carrier's flow information with known truth, to an archive or a file. */
#include "cli/commands.h"
#include "cli/paths.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "train/carrier.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

const struct option_spec simulate_flow_option_table[] = {
	{"description", OPTION_PATH, OPTION_AT(struct simulate_flow_options, description), .argument = "FILE.yaml",
	 .help = "who does what (default: data/simulate/carrier.yaml)",
	 .help_ja = "振る舞いの記述(既定値 data/simulate/carrier.yaml)"},
	{"homes", OPTION_INT, OPTION_AT(struct simulate_flow_options, homes), .min = 0, .max = 10000000,
	 .help = "homes of the carrier (default: as the description says)",
	 .help_ja = "加入者の家の数(省略時は記述のとおり)"},
	{"duration", OPTION_DURATION, OPTION_AT(struct simulate_flow_options, duration_ns), .default_text = "24h",
	 .min = NS_PER_S, .max = 366 * NS_PER_DAY, .help = "how long it goes on", .help_ja = "シミュレーションの長さ"},
	{"sampling", OPTION_INT, OPTION_AT(struct simulate_flow_options, sampling), .default_text = "1", .min = 1,
	 .max = 1000000, .help = "routers look at one packet in so many",
	 .help_ja = "ルーターはこの数に 1 つのパケットだけを見る"},
	{"seed", OPTION_INT, OPTION_AT(struct simulate_flow_options, seed), .default_text = "1",
	 .help = "the same seed makes the same flows", .help_ja = "同じ種からは同じフローができる"},
	{"start", OPTION_TEXT, OPTION_AT(struct simulate_flow_options, start), .default_text = "2026-01-01T00:00:00Z",
	 .argument = "TIME", .help = "time of the beginning", .help_ja = "開始時刻"},
	{"truth", OPTION_PATH, OPTION_AT(struct simulate_flow_options, truth), .argument = "FILE.json",
	 .help = "where the truth goes: servers, bots, behaviours",
	 .help_ja = "正解(サーバー・ボット・振る舞い)の出力先"},
	{"labels", OPTION_PATH, OPTION_AT(struct simulate_flow_options, labels), .argument = "FILE.tsv",
	 .help = "the servers as `yagura cnc eval --labels` reads them; needs --output",
	 .help_ja = "`yagura cnc eval --labels` が読む形のサーバーの一覧(--output が必要)"},
	{NULL},
};

struct simulating {
	struct flow_keep keep;
	struct progress progress;
};

static void progress_tell(void *context, int64_t done_ns)
{
	struct simulating *simulating = context;
	char text[48];
	snprintf(text, sizeof text, "%.1f M flows", (double)simulating->keep.records / 1e6);
	progress_show(&simulating->progress, (uint64_t)done_ns, text);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int carrier_make(struct carrier *carrier, const struct simulate_flow_options *options,
			struct simulating *simulating, struct err *err)
{
	int result = flow_keep_open(&simulating->keep, &options->keep, NULL, options->common.json, err);
	if (result == 0)
		result = carrier_run(carrier, simulating->keep.begin, progress_tell, simulating, err);
	progress_end(&simulating->progress);
	if (result == 0)
		result = flow_keep_end(&simulating->keep, err);
	if (result == 0 && options->truth)
		result = carrier_write_truth(carrier, options->truth, err);
	if (result == 0 && options->labels)
		result = carrier_write_labels(carrier, name_of(options->keep.ipfix), options->labels, err);
	flow_keep_close(&simulating->keep);
	return result;
}

int command_simulate_flow(const struct command_call *call, struct err *err)
{
	const struct simulate_flow_options *options = call->options;
	struct carrier_options carrier_options = {
		.description = path_shared(call->pool, options->description, "data/simulate/carrier.yaml"),
		.seed = (uint64_t)options->seed,
		.duration_ns = options->duration_ns,
		.homes = options->homes,
		.sampling = options->sampling,
	};
	if (!options->keep.ipfix && !options->keep.archive && !options->keep.records) {
		err_set(err, -EINVAL, "one of --output FILE.ipfix, --archive DIR and --records is needed");
		return EXIT_USAGE;
	}
	if (options->labels && !options->keep.ipfix) {
		err_set(err, -EINVAL, "--labels names the file of --output, which is missing");
		return EXIT_USAGE;
	}
	if (time_parse(options->start, clock_now_ns(), &carrier_options.start_ns, err) < 0)
		return EXIT_USAGE;
	struct simulating simulating = {.progress = {.label = "simulate", .whole = (uint64_t)options->duration_ns}};
	struct carrier *carrier = NULL;
	int64_t began = clock_monotonic_ns();
	int result = carrier_open(&carrier_options, &carrier, err);
	if (result == 0)
		result = carrier_make(carrier, options, &simulating, err);
	carrier_close(carrier);
	if (result < 0)
		return EXIT_FAILED;
	if (options->common.json && !options->keep.records) {
		json_t *report = flow_keep_json(&simulating.keep);
		json_object_set_new(report, "seconds", json_real((double)(clock_monotonic_ns() - began) / 1e9));
		json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(report);
	} else if (!options->keep.records) {
		flow_keep_print(&simulating.keep);
	}
	return EXIT_DONE;
}
