/* yagura simulate telescope: made-up traffic with known truth, to a file or into a network namespace of our own. */
#include "cli/commands.h"
#include "cli/paths.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "train/simulate.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct option_spec simulate_option_table[] = {
	{"packets", OPTION_INT, OPTION_AT(struct simulate_options, packets), "1000000", .min = 1,
	 .max = INT64_C(100000000000), .help = "packets to make", .help_ja = "作るパケットの数"},
	{"seconds", OPTION_INT, OPTION_AT(struct simulate_options, seconds), "60", .min = 1, .max = 366 * 86400,
	 .help = "length of time they are spread over", .help_ja = "パケットを散らす時間の長さ(秒)"},
	{"seed", OPTION_INT, OPTION_AT(struct simulate_options, seed), "1",
	 .help = "the same seed makes the same packets", .help_ja = "同じ種からは同じパケットができる"},
	{"description", OPTION_PATH, OPTION_AT(struct simulate_options, description), .argument = "FILE.yaml",
	 .help = "what traffic (default: data/simulate/country.yaml)",
	 .help_ja = "通信の記述(既定値 data/simulate/country.yaml)"},
	{"start", OPTION_TEXT, OPTION_AT(struct simulate_options, start), "2026-01-01T00:00:00Z", .argument = "TIME",
	 .help = "time of the first packet", .help_ja = "最初のパケットの時刻"},
	{"output", OPTION_PATH, OPTION_AT(struct simulate_options, output), .argument = "FILE.pcap", .letter = 'o',
	 .help = "where the packets go", .help_ja = "パケットの出力先"},
	{"truth", OPTION_PATH, OPTION_AT(struct simulate_options, truth), .argument = "FILE.json",
	 .help = "where the truth goes: classes, sources, victims", .help_ja = "正解(種別・送信元・被害者)の出力先"},
	{"interface", OPTION_TEXT, OPTION_AT(struct simulate_options, interface), .argument = "IF",
	 .help = "send in real time on this interface instead; only on loopback or inside an own network namespace",
	 .help_ja = "実時間でこのインタフェースに送る(ループバックか専用のネットワーク名前空間の中だけ)"},
	{"deps", OPTION_PATH, OPTION_AT(struct simulate_options, deps), .argument = "DIR",
	 .help = "where the place databases are", .help_ja = "位置データベースの場所"},
	{NULL},
};

static _Atomic bool stop_asked;

static void stop_ask(int number)
{
	(void)number;
	stop_asked = true;
}

struct simulate_watch {
	struct progress progress;
};

static void simulate_progress(void *context, uint64_t packets)
{
	struct simulate_watch *watch = context;
	char text[48];
	snprintf(text, sizeof text, "%.1f M packets", (double)packets / 1e6);
	progress_show(&watch->progress, packets, text);
}

static int simulate_out(struct simulation *simulation, const struct simulate_options *options, uint64_t *ret_packets,
			struct err *err)
{
	if (options->interface) {
		signal(SIGINT, stop_ask);
		signal(SIGTERM, stop_ask);
		return simulation_send(simulation, options->interface, &stop_asked, ret_packets, err);
	}
	struct simulate_watch watch = {{.label = "simulate", .whole = (uint64_t)options->packets}};
	int result = simulation_write_pcap(simulation, options->output, simulate_progress, &watch, err);
	progress_end(&watch.progress);
	*ret_packets = simulation_packets(simulation);
	return result;
}

int command_simulate_telescope(const struct command_call *call, struct err *err)
{
	const struct simulate_options *options = call->options;
	int64_t start;
	if (!options->output == !options->interface) {
		err_set(err, -EINVAL, "one of --output FILE.pcap and --interface IF is needed");
		return EXIT_USAGE;
	}
	if (time_parse(options->start, clock_now_ns(), &start, err) < 0)
		return EXIT_USAGE;
	struct simulation_options simulation_options = {
		.description = path_shared(call->pool, options->description, "data/simulate/country.yaml"),
		.places_dir = path_shared(call->pool, options->deps, "deps"),
		.seed = (uint64_t)options->seed,
		.start_ns = options->interface ? clock_now_ns() : start,
		.packets = (uint64_t)options->packets,
		.duration_ns = options->seconds * NS_PER_S,
	};
	struct simulation *simulation = NULL;
	int64_t began = clock_monotonic_ns();
	uint64_t packets = 0;
	int result = simulation_open(&simulation_options, &simulation, err);
	if (result == 0)
		result = simulate_out(simulation, options, &packets, err);
	if (result == 0 && options->truth)
		result = simulation_write_truth(simulation, options->truth, err);
	simulation_close(simulation);
	if (result < 0)
		return EXIT_FAILED;
	double seconds = (double)(clock_monotonic_ns() - began) / 1e9;
	if (options->common.json) {
		json_t *report = json_pack("{s:I,s:f,s:s?,s:s?}", "packets", (json_int_t)packets, "seconds", seconds,
					   "output", options->output, "truth", options->truth);
		json_dumpf(report, stdout, JSON_INDENT(1));
		printf("\n");
		json_decref(report);
	} else {
		printf("%llu packets in %.1f s -> %s\n", (unsigned long long)packets, seconds,
		       options->output ? options->output : options->interface);
	}
	return EXIT_DONE;
}
