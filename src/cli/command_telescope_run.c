/* yagura telescope run: a sensor without a hub of its own. Without --to it shows rates and ends with the report of
 * `telescope read`; with --to its batches go to a hub elsewhere, spooled until acknowledged.
 */
#include "cli/commands.h"
#include "cli/paths.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "hub/forward.h"
#include "observe/telescope/sensor.h"
#include "sys/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 100, DRAIN_MS = 10000, TOKEN_BYTES = 256 };

const struct option_spec telescope_run_option_table[] = {
	{"interface", OPTION_TEXT, OPTION_AT(struct telescope_run_options, interface), .argument = "IF",
	 .required = true, .help = "interface to listen on", .help_ja = "聞くインタフェース"},
	{"to", OPTION_TEXT, OPTION_AT(struct telescope_run_options, to), .argument = "URL",
	 .help = "hub that takes the observations: https://hub.example",
	 .help_ja = "観測を受け取るハブ(https://hub.example)"},
	{"token-file", OPTION_PATH, OPTION_AT(struct telescope_run_options, token_file), .argument = "FILE",
	 .help = "file with a token of role sensor, which the hub gave",
	 .help_ja = "ハブが発行した sensor 役のトークンの入ったファイル"},
	{"spool", OPTION_PATH, OPTION_AT(struct telescope_run_options, spool), "yagura-spool", .argument = "DIR",
	 .help = "where batches wait until the hub has acknowledged them",
	 .help_ja = "ハブが受領するまで観測を置くディレクトリ"},
	{"spool-size", OPTION_SIZE, OPTION_AT(struct telescope_run_options, spool_bytes), "1GiB", .min = 1 << 20,
	 .max = INT64_C(1) << 44, .argument = "SIZE", .help = "most that may wait there",
	 .help_ja = "そこに置く量の上限"},
	{"ca", OPTION_PATH, OPTION_AT(struct telescope_run_options, ca), .argument = "FILE",
	 .help = "certificates to trust for --to instead of the system's",
	 .help_ja = "--to の相手を確かめる証明書(既定値はシステムのもの)"},
	{"plain", OPTION_FLAG, OPTION_AT(struct telescope_run_options, plain),
	 .help = "let --to be http:// beyond this machine: token and records can then be read on the way",
	 .help_ja = "--to にこの計算機の外への http:// を許す(途中で読まれうる)"},
	{"every", OPTION_DURATION, OPTION_AT(struct telescope_run_options, every_ns), "5s", .min = NS_PER_S / 10,
	 .max = NS_PER_DAY, .argument = "TIME", .help = "how often rates are shown", .help_ja = "頻度を示す間隔"},
	{"ring-mib", OPTION_INT, OPTION_AT(struct telescope_run_options, ring_mib), "64", .min = 1, .max = 4096,
	 .help = "memory for packets between card and sensor, in MiB", .help_ja = "カードとセンサーの間の記憶域(MiB)"},
	{"unconfined", OPTION_FLAG, OPTION_AT(struct telescope_run_options, unconfined),
	 .help = "run also where the kernel cannot confine what reads packets",
	 .help_ja = "カーネルが隔離に対応していなくても動かす"},
	{NULL},
};

static _Atomic bool stop_asked;

static void stop_ask(int number)
{
	(void)number;
	stop_asked = true;
}

/* What is shown while it runs. */
struct watch {
	const struct telescope_run_options *options;
	struct progress progress;
	int64_t began_ns, shown_ns;
	uint64_t shown_packets;
};

/* One line: on a terminal over the one before, else on standard output, as JSON where that is wanted. `more` is
 * consumed. */
static void rate_show(struct watch *watch, uint64_t packets, uint64_t lost, const char *text, json_t *more)
{
	int64_t now = clock_monotonic_ns();
	char time[TIME_TEXT_BYTES], line[256];
	double rate = (double)(packets - watch->shown_packets) * 1e9 / (double)(now - watch->shown_ns);
	watch->shown_ns = now;
	watch->shown_packets = packets;
	time_format(clock_now_ns(), time);
	if (watch->options->common.json) {
		json_t *object = json_pack("{s:s, s:I, s:I, s:f}", "time", time, "packets", (json_int_t)packets, "lost",
					   (json_int_t)lost, "packets_per_second", rate);
		json_object_update(object, more);
		json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		printf("\n");
		json_decref(object);
	} else {
		snprintf(line, sizeof line, "%.0f packets/s, %llu packets, %llu lost%s", rate,
			 (unsigned long long)packets, (unsigned long long)lost, text);
		if (progress_visible(&watch->progress))
			progress_show(&watch->progress, packets, line);
		else
			printf("%s  %s\n", time, line);
	}
	json_decref(more);
	fflush(stdout);
}

static void report_show(const struct watch *watch, const json_t *report)
{
	if (watch->options->common.json) {
		json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		printf("\n");
	} else {
		reading_print(report, watch->options->reading.limit);
		printf("%lld lost\n", (long long)json_integer_value(json_object_get(report, "lost")));
	}
}

static int interface_read(struct reading *reading, struct capture *capture, struct watch *watch, struct err *err)
{
	struct frame frames[BURST_MAX];
	int result = 0;
	while (!stop_asked && result >= 0) {
		int count = capture_read(capture, frames, BURST_MAX, WAIT_MS, err);
		if (count < 0)
			return count;
		result = count ? telescope_feed(reading->telescope, frames, (unsigned)count, err)
			       : telescope_tick(reading->telescope, clock_now_ns(), err);
		if (clock_monotonic_ns() - watch->shown_ns >= watch->options->every_ns) {
			const struct telescope_counts *counts = telescope_counts(reading->telescope);
			rate_show(watch, counts->packets, capture_counters(capture)->lost, "",
				  json_pack("{s:I, s:I}", "outside", (json_int_t)counts->outside, "sources",
					    (json_int_t)counts->sources));
		}
	}
	return result < 0 ? result : 0;
}

static int run_here(const struct command_call *call, struct watch *watch, struct err *err)
{
	const struct telescope_run_options *options = watch->options;
	struct reading reading = {.telescope = NULL};
	struct capture *capture = NULL;
	struct err later = {""};
	int result = capture_open_interface(options->interface, (unsigned)options->ring_mib, 0, 0, &capture, err);
	if (result == 0)
		result = reading_open(&reading, &options->reading, call->command->name, false, call->pool, err);
	(void)progress_visible(&watch->progress);
	if (result == 0)
		result = confine(&(struct confine_policy){.raw = true}, options->unconfined, err);
	if (result >= 0) {
		watch->began_ns = watch->shown_ns = clock_monotonic_ns();
		result = interface_read(&reading, capture, watch, err);
		progress_end(&watch->progress);
		int finished = reading_finish(&reading, result < 0 ? &later : err);
		json_t *report = reading_json(&reading, (double)(clock_monotonic_ns() - watch->began_ns) / 1e9);
		json_object_set_new(report, "lost", json_integer((json_int_t)capture_counters(capture)->lost));
		report_show(watch, report);
		json_decref(report);
		result = result < 0 ? result : finished;
	}
	reading_close(&reading);
	capture_close(capture);
	return result;
}

static json_t *batches_json(const struct remote_counters *remote)
{
	return json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:b, s:s}}", "batches", "made", (json_int_t)remote->put,
			 "acknowledged", (json_int_t)remote->sent, "refused", (json_int_t)remote->refused, "waiting",
			 (json_int_t)remote->spooled_files, "waiting_bytes", (json_int_t)remote->spooled_bytes,
			 "reachable", remote->reachable, "trouble", remote->trouble);
}

static void forward_tell(void *context, const struct forward_figures *figures)
{
	char text[128];
	snprintf(text, sizeof text, ", %llu batches acknowledged, %llu wait%s",
		 (unsigned long long)figures->remote.sent, (unsigned long long)figures->remote.spooled_files,
		 figures->remote.reachable ? "" : " (the hub is not reached)");
	rate_show(context, figures->packets, figures->lost, text, batches_json(&figures->remote));
}

static int token_read(struct pool *pool, const char *path, const char **ret_token, struct err *err)
{
	char text[TOKEN_BYTES];
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	size_t bytes = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[bytes] = '\0';
	text[strcspn(text, " \t\r\n")] = '\0';
	*ret_token = pool_text(pool, text);
	return text[0] ? 0 : err_set(err, -EINVAL, "%s: a token was expected on its first line", path);
}

static int run_to_hub(const struct command_call *call, struct watch *watch, struct err *err)
{
	const struct telescope_run_options *options = watch->options;
	const struct telescope_sensor_options telescope = {
		.darknet = options->reading.darknet,
		.exclude = options->reading.exclude,
		.interface = options->interface,
		.surveys = path_shared(call->pool, options->reading.surveys, "data/survey-organisations.yaml"),
		.decapsulate = options->reading.decapsulate,
		.raw = true,
		.ring_mib = options->ring_mib,
		.workers = 1,
	};
	const struct hub_sensor sensor = {
		.module = &telescope_module, .options = &telescope, .name = "telescope", .live = true};
	struct forward_setup setup = {
		.sensor = &sensor,
		.remote = {.url = options->to,
			   .spool = options->spool,
			   .ca = options->ca,
			   .spool_bytes = options->spool_bytes,
			   .plain = options->plain},
		.unconfined = options->unconfined,
		.drain_ms = DRAIN_MS,
		.every_ns = options->every_ns,
		.tell = forward_tell,
		.context = watch,
		.stop = &stop_asked,
	};
	struct forward_figures figures = {0};
	int result = token_read(call->pool, options->token_file, &setup.remote.token, err);
	if (result < 0)
		return result;
	watch->began_ns = watch->shown_ns = clock_monotonic_ns();
	result = forward_run(&setup, &figures, err);
	progress_end(&watch->progress);
	if (options->common.json) {
		json_t *report = batches_json(&figures.remote);
		json_t *sums =
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "packets", (json_int_t)figures.packets, "bytes",
				  (json_int_t)figures.bytes, "outside", (json_int_t)figures.outside, "lost",
				  (json_int_t)figures.lost, "lost_batches", (json_int_t)figures.lost_batches, "seconds",
				  (double)(clock_monotonic_ns() - watch->began_ns) / 1e9);
		json_object_update(report, sums);
		json_decref(sums);
		json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		printf("\n");
		json_decref(report);
	} else {
		printf("%llu packets (%llu outside, %llu lost); %llu batches acknowledged by %s, %llu wait in %s\n",
		       (unsigned long long)figures.packets, (unsigned long long)figures.outside,
		       (unsigned long long)figures.lost, (unsigned long long)figures.remote.sent, options->to,
		       (unsigned long long)figures.remote.spooled_files, options->spool);
	}
	return result;
}

int command_telescope_run(const struct command_call *call, struct err *err)
{
	const struct telescope_run_options *options = call->options;
	struct watch watch = {.options = options, .progress = {.label = options->interface}};
	const struct sigaction stop = {.sa_handler = stop_ask};
	if (!options->to != !options->token_file) {
		err_set(err, -EINVAL, "--to URL and --token-file FILE belong together");
		return EXIT_USAGE;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	int result = options->to ? run_to_hub(call, &watch, err) : run_here(call, &watch, err);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
