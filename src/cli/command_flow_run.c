/* yagura flow run: datagrams of routers, by UDP, into an archive (flow_collect.h). This waits, shows rates and ends
 * with the figures of each exporter.
 */
#include "cli/command_flow.h"
#include "cli/flow_collect.h"
#include "cli/progress.h"

#include "core/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define STEP_NS (100 * NS_PER_MS)

const struct option_spec flow_run_option_table[] = {
	{"listen", OPTION_TEXTS, OPTION_AT(struct flow_run_options, collect.listen), .argument = "ADDR:PORT",
	 .required = true, .help = "address and UDP port that routers send to; may be given again",
	 .help_ja = "ルーターの送り先のアドレスと UDP ポート(繰り返し指定できる)"},
	{"archive", OPTION_PATH, OPTION_AT(struct flow_run_options, collect.archive), .argument = "DIR",
	 .required = true, .letter = 'w', .help = "where flows are kept, made where it is not",
	 .help_ja = "フローを残すアーカイブ(なければ作る)"},
	{"sockets", OPTION_INT, OPTION_AT(struct flow_run_options, collect.sockets), "0", .min = 0, .max = 64,
	 .help = "sockets and threads for each address; 0: one a core",
	 .help_ja = "アドレスごとのソケットとスレッドの数(0 はコアごとに 1 つ)"},
	{"receive-buffer", OPTION_SIZE, OPTION_AT(struct flow_run_options, collect.buffer_bytes), "64MiB",
	 .min = 1 << 16, .max = INT64_C(1) << 30, .argument = "SIZE",
	 .help = "kernel memory for datagrams that wait, of each socket; without root at most net.core.rmem_max",
	 .help_ja = "読まれるのを待つデータグラムの記憶域(ソケットごと。root でなければ net.core.rmem_max まで)"},
	{"seconds", OPTION_DURATION, OPTION_AT(struct flow_run_options, seconds_ns), .min = NS_PER_MS,
	 .max = 3650 * NS_PER_DAY, .argument = "TIME", .help = "end after so long (90s, 2h)",
	 .help_ja = "この時間で終わる(90s、2h)"},
	{"every", OPTION_DURATION, OPTION_AT(struct flow_run_options, every_ns), "10s", .min = NS_PER_S / 10,
	 .max = NS_PER_DAY, .argument = "TIME", .help = "how often rates are shown", .help_ja = "頻度を示す間隔"},
	{"keep", OPTION_DURATION, OPTION_AT(struct flow_run_options, collect.keep_ns), .min = NS_PER_MINUTE,
	 .max = 3650 * NS_PER_DAY, .argument = "TIME", .help = "remove flows that are older (90d)",
	 .help_ja = "これより古いフローを消す(90d)"},
	{"keep-size", OPTION_SIZE, OPTION_AT(struct flow_run_options, collect.keep_bytes), .min = 1 << 20,
	 .max = INT64_C(1) << 50, .argument = "SIZE", .help = "remove the oldest flows beyond so much",
	 .help_ja = "この量を超えたら古いフローから消す"},
	{"unconfined", OPTION_FLAG, OPTION_AT(struct flow_run_options, collect.unconfined),
	 .help = "run also where the kernel cannot confine what reads datagrams",
	 .help_ja = "カーネルが隔離に対応していなくても動かす"},
	{NULL},
};

static volatile sig_atomic_t stop_asked;

static void stop_ask(int number)
{
	(void)number;
	stop_asked = 1;
}

struct run {
	const struct flow_run_options *options;
	struct flow_collect *collect;
	struct progress progress;
	int64_t began_ns, shown_ns;
	uint64_t shown_records;
};

static long long sum(const json_t *sums, const char *name)
{
	return json_integer_value(json_object_get(sums, name));
}

static void rate_show(struct run *run)
{
	int64_t now_ns = clock_monotonic_ns();
	json_t *sums = flow_collect_sums(run->collect);
	uint64_t records = (uint64_t)sum(sums, "records");
	double rate = (double)(records - run->shown_records) * 1e9 / (double)(now_ns - run->shown_ns);
	char time[TIME_TEXT_BYTES], line[256];
	time_format(clock_now_ns(), time);
	if (run->options->common.json) {
		json_object_set_new(sums, "time", json_string(time));
		json_object_set_new(sums, "records_per_second", json_real(rate));
		json_dumpf(sums, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		printf("\n");
	} else {
		snprintf(line, sizeof line,
			 "%.0f flows/s; %lld datagrams, %lld flows, %lld stored; %lld datagrams dropped", rate,
			 sum(sums, "datagrams"), sum(sums, "records"), sum(sums, "stored"), sum(sums, "dropped"));
		if (progress_visible(&run->progress))
			progress_show(&run->progress, records, line);
		else
			printf("%s  %s\n", time, line);
	}
	fflush(stdout);
	json_decref(sums);
	run->shown_ns = now_ns;
	run->shown_records = records;
}

static void report_show(struct run *run)
{
	json_t *report = flow_collect_sums(run->collect), *exporters = flow_collect_exporters(run->collect);
	double seconds = (double)(clock_monotonic_ns() - run->began_ns) / 1e9;
	if (run->options->common.json) {
		json_object_set_new(report, "seconds", json_real(seconds));
		json_object_set(report, "exporters", exporters);
		json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		printf("\n");
	} else {
		flow_exporters_print(exporters);
		printf("%lld datagrams in %.1f s, %lld dropped by the kernel, %lld of no known form; %lld flows, %lld "
		       "stored\n",
		       sum(report, "datagrams"), seconds, sum(report, "dropped"), sum(report, "strange"),
		       sum(report, "records"), sum(report, "stored"));
	}
	json_decref(exporters);
	json_decref(report);
}

static int run_loop(struct run *run, struct err *err)
{
	const struct timespec step = {0, STEP_NS};
	int64_t limit_ns = run->options->seconds_ns;
	bool failed = false;
	while (!stop_asked && !failed && (!limit_ns || clock_monotonic_ns() - run->began_ns < limit_ns)) {
		nanosleep(&step, NULL);
		failed = flow_collect_look(run->collect);
		if (clock_monotonic_ns() - run->shown_ns >= run->options->every_ns)
			rate_show(run);
	}
	progress_end(&run->progress);
	int result = flow_collect_stop(run->collect, err);
	report_show(run);
	return result;
}

int command_flow_run(const struct command_call *call, struct err *err)
{
	struct run run = {.options = call->options, .progress = {.label = "flow run"}};
	const struct sigaction stop = {.sa_handler = stop_ask};
	if (run.options->collect.listen.count == 0) {
		err_set(err, -EINVAL, "--listen ADDR:PORT was expected");
		return EXIT_USAGE;
	}
	struct flow_collect_options collect = run.options->collect;
	if (pseudonym_file_read(&run.options->pseudonyms, call->pool, &collect.pseudonyms, err) < 0)
		return EXIT_FAILED;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	(void)progress_visible(&run.progress); /* asks the terminal, before the process is confined */
	int result = flow_collect_start(&collect, &run.collect, err);
	run.began_ns = run.shown_ns = clock_monotonic_ns();
	if (result == 0)
		result = run_loop(&run, err);
	flow_collect_free(run.collect);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
