/* yagura flow run: datagrams of routers, by UDP, into an archive. Receivers hand batches to a queue (observe/flow,
 * record), a writer keeps them (store); this waits, shows rates and ends with the figures of each exporter.
 */
#include "cli/command_flow.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "core/log.h"
#include "observe/flow/listener.h"
#include "store/archive_writer.h"
#include "sys/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { QUEUE_ROWS = 8192, QUEUE_LEAST = 16 };
#define FLUSH_NS NS_PER_S /* of receivers, and of the archive: what came is seen at most twice this later */
#define STEP_NS (100 * NS_PER_MS)

const struct option_spec flow_run_option_table[] = {
	{"listen", OPTION_TEXTS, OPTION_AT(struct flow_run_options, listen), .argument = "ADDR:PORT", .required = true,
	 .help = "address and UDP port that routers send to; may be given again",
	 .help_ja = "ルーターの送り先のアドレスと UDP ポート(繰り返し指定できる)"},
	{"archive", OPTION_PATH, OPTION_AT(struct flow_run_options, archive), .argument = "DIR", .required = true,
	 .letter = 'w', .help = "where flows are kept, made where it is not",
	 .help_ja = "フローを残すアーカイブ(なければ作る)"},
	{"sockets", OPTION_INT, OPTION_AT(struct flow_run_options, sockets), "0", .min = 0, .max = 64,
	 .help = "sockets and threads for each address; 0: one a core",
	 .help_ja = "アドレスごとのソケットとスレッドの数(0 はコアごとに 1 つ)"},
	{"receive-buffer", OPTION_SIZE, OPTION_AT(struct flow_run_options, buffer_bytes), "64MiB", .min = 1 << 16,
	 .max = INT64_C(1) << 30, .argument = "SIZE",
	 .help = "kernel memory for datagrams that wait, of each socket; without root at most net.core.rmem_max",
	 .help_ja = "読まれるのを待つデータグラムの記憶域(ソケットごと。root でなければ net.core.rmem_max まで)"},
	{"seconds", OPTION_DURATION, OPTION_AT(struct flow_run_options, seconds_ns), .min = NS_PER_MS,
	 .max = 3650 * NS_PER_DAY, .argument = "TIME", .help = "end after so long (90s, 2h)",
	 .help_ja = "この時間で終わる(90s、2h)"},
	{"every", OPTION_DURATION, OPTION_AT(struct flow_run_options, every_ns), "10s", .min = NS_PER_S / 10,
	 .max = NS_PER_DAY, .argument = "TIME", .help = "how often rates are shown", .help_ja = "頻度を示す間隔"},
	{"keep", OPTION_DURATION, OPTION_AT(struct flow_run_options, keep_ns), .min = NS_PER_MINUTE,
	 .max = 3650 * NS_PER_DAY, .argument = "TIME", .help = "remove flows that are older (90d)",
	 .help_ja = "これより古いフローを消す(90d)"},
	{"keep-size", OPTION_SIZE, OPTION_AT(struct flow_run_options, keep_bytes), .min = 1 << 20,
	 .max = INT64_C(1) << 50, .argument = "SIZE", .help = "remove the oldest flows beyond so much",
	 .help_ja = "この量を超えたら古いフローから消す"},
	{"unconfined", OPTION_FLAG, OPTION_AT(struct flow_run_options, unconfined),
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
	struct archive *archive;
	struct batch_queue *queue;
	struct archive_writer *writer;
	struct listener *listener;
	struct progress progress;
	int64_t began_ns, shown_ns;
	uint64_t shown_records;
	bool was_blocked;
};

/* --- what is shown ----------------------------------------------------------------------------------------------- */

static json_t *sums_json(struct run *run)
{
	struct listener_figures in = listener_figures(run->listener);
	struct archive_writer_figures out = archive_writer_figures(run->writer);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "datagrams", (json_int_t)in.datagrams, "bytes",
			 (json_int_t)in.bytes, "records", (json_int_t)in.records + (json_int_t)in.refused, "stored",
			 (json_int_t)out.rows, "not_stored", (json_int_t)(out.lost + in.refused), "dropped",
			 (json_int_t)in.dropped, "strange", (json_int_t)in.strange, "too_many_exporters",
			 (json_int_t)in.too_many);
}

static long long sum(const json_t *sums, const char *name)
{
	return json_integer_value(json_object_get(sums, name));
}

static void rate_show(struct run *run)
{
	int64_t now_ns = clock_monotonic_ns();
	json_t *sums = sums_json(run);
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

static void writer_watch(struct run *run)
{
	struct archive_writer_figures figures = archive_writer_figures(run->writer);
	if (figures.is_blocked && !run->was_blocked)
		LOG(LOG_ERROR, "flow.not_stored", "flows cannot be stored; it is tried again",
		    LOG_TEXT("why", figures.why.text));
	if (!figures.is_blocked && run->was_blocked)
		LOG(LOG_INFO, "flow.stored_again", "flows are stored again");
	run->was_blocked = figures.is_blocked;
}

static int exporter_add(void *context, const struct exporter *exporter)
{
	json_array_append_new(context, flow_exporter_json(exporter));
	return 0;
}

static void report_show(struct run *run)
{
	json_t *report = sums_json(run), *exporters = json_array();
	double seconds = (double)(clock_monotonic_ns() - run->began_ns) / 1e9;
	listener_visit(run->listener, exporter_add, exporters);
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

/* --- running ----------------------------------------------------------------------------------------------------- */

static int run_open(struct run *run, struct err *err)
{
	const struct flow_run_options *options = run->options;
	const struct listener_options listening = {
		.where = options->listen.items,
		.where_count = options->listen.count,
		.lanes = (unsigned)options->sockets,
		.buffer_bytes = options->buffer_bytes,
		.flush_ns = FLUSH_NS,
	};
	const struct archive_options keeping = {.dir = options->archive,
						.kind = &record_flow,
						.keep_ns = options->keep_ns,
						.keep_bytes = options->keep_bytes};
	int result = archive_open(&keeping, &run->archive, err);
	if (result == 0)
		result = listener_open(&listening, &run->listener, err);
	if (result == 0)
		result = batch_queue_new(&record_flow, QUEUE_ROWS, QUEUE_LEAST, &run->queue, err);
	return result;
}

static int run_confine(const struct run *run, struct err *err)
{
	const char *const paths[] = {run->options->archive, NULL};
	const struct confine_policy policy = {.write_paths = paths, .threads = true};
	int result = confine(&policy, run->options->unconfined, err);
	return result < 0 ? result : 0;
}

static void listening_tell(const struct run *run)
{
	int64_t buffer = listener_buffer_bytes(run->listener);
	for (size_t i = 0; i < run->options->listen.count; i++)
		LOG(LOG_INFO, "flow.listening", "routers are listened to",
		    LOG_TEXT("listen", run->options->listen.items[i]),
		    LOG_NUMBER("port", listener_port(run->listener, i)), LOG_NUMBER("buffer_bytes", buffer));
	if (buffer < run->options->buffer_bytes)
		LOG(LOG_WARNING, "flow.small_buffer",
		    "the kernel gives sockets less memory than was asked for; raise net.core.rmem_max",
		    LOG_NUMBER("asked", run->options->buffer_bytes), LOG_NUMBER("given", buffer));
}

static bool is_over(const struct run *run)
{
	int64_t limit_ns = run->options->seconds_ns;
	return stop_asked || (limit_ns && clock_monotonic_ns() - run->began_ns >= limit_ns) ||
	       listener_figures(run->listener).failed;
}

static int run_loop(struct run *run, struct err *err)
{
	const struct timespec step = {0, STEP_NS};
	struct err later = {""};
	int result = archive_writer_start(run->archive, run->queue, FLUSH_NS, &run->writer, err);
	if (result < 0)
		return result;
	result = listener_start(run->listener, batch_queue_sink(run->queue), err);
	if (result == 0)
		listening_tell(run);
	while (result == 0 && !is_over(run)) {
		nanosleep(&step, NULL);
		writer_watch(run);
		if (clock_monotonic_ns() - run->shown_ns >= run->options->every_ns)
			rate_show(run);
	}
	progress_end(&run->progress);
	archive_writer_give_up(run->writer);
	if (result == 0)
		result = listener_stop(run->listener, err);
	int written = archive_writer_stop(run->writer, result < 0 ? &later : err);
	report_show(run);
	return result < 0 ? result : written;
}

int command_flow_run(const struct command_call *call, struct err *err)
{
	struct run run = {.options = call->options, .progress = {.label = "flow run"}};
	const struct sigaction stop = {.sa_handler = stop_ask};
	if (run.options->listen.count == 0) {
		err_set(err, -EINVAL, "--listen ADDR:PORT was expected");
		return EXIT_USAGE;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	int result = run_open(&run, err);
	(void)progress_visible(&run.progress);
	if (result == 0)
		result = run_confine(&run, err);
	if (result == 0) {
		run.began_ns = run.shown_ns = clock_monotonic_ns();
		result = run_loop(&run, err);
	}
	listener_free(run.listener);
	archive_writer_free(run.writer);
	batch_queue_free(run.queue);
	archive_close(run.archive);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
