/* yagura flow make: the flows of captured packets, as a router would have told them. */
#include "cli/command_flow.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "observe/flow/meter.h"
#include "sys/capture.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

const struct option_spec flow_make_option_table[] = {
	{"active", OPTION_DURATION, OPTION_AT(struct flow_make_options, active_ns), .default_text = "120s",
	 .min = NS_PER_S, .max = NS_PER_DAY, .help = "a flow that goes on is told each so often",
	 .help_ja = "続いているフローを出力する間隔"},
	{"idle", OPTION_DURATION, OPTION_AT(struct flow_make_options, idle_ns), .default_text = "15s", .min = NS_PER_S,
	 .max = NS_PER_DAY, .help = "a flow is over when nothing came for so long",
	 .help_ja = "この時間パケットがなければフローの終わりとみなす"},
	{"tunnels", OPTION_FLAG, OPTION_AT(struct flow_make_options, tunnels),
	 .help = "look into GRE, IPIP, VXLAN and GTP-U", .help_ja = "GRE・IPIP・VXLAN・GTP-U の中を見る"},
	{NULL},
};

struct metering {
	struct flow_keep keep;
	struct meter *meter;
	struct progress progress;
	unsigned troubles;
};

static void trouble_tell(struct metering *metering, struct err *err)
{
	metering->troubles++;
	progress_end(&metering->progress);
	fprintf(stderr, "yagura flow make: %s\n", err->text);
	err->text[0] = '\0';
}

static void progress_tell(struct metering *metering, struct capture *capture)
{
	const struct capture_counters *counters = capture_counters(capture);
	char text[64];
	snprintf(text, sizeof text, "%.1f M packets", (double)meter_figures(metering->meter).packets / 1e6);
	metering->progress.whole = counters->total_bytes;
	progress_show(&metering->progress, counters->done_bytes, text);
}

/* One capture, or directory of them. What cannot be read is told; what was read before stays. */
static int capture_meter(struct metering *metering, const char *path, bool tunnels, struct err *err)
{
	struct capture *capture = NULL;
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	metering->progress.label = path;
	if (capture_open_file(path, false, &capture, err) < 0) {
		trouble_tell(metering, err);
		return 0;
	}
	int result = 0;
	while (result == 0) {
		int count = capture_read(capture, frames, BURST_MAX, -1, err);
		if (count == -ENODATA) {
			err->text[0] = '\0';
			break;
		}
		if (count < 0) {
			trouble_tell(metering, err);
			continue;
		}
		if (tunnels)
			packet_parse_inner(frames, (unsigned)count, packets);
		else
			packet_parse(frames, (unsigned)count, packets);
		result = meter_feed(metering->meter, packets, (unsigned)count, err);
		progress_tell(metering, capture);
	}
	progress_end(&metering->progress);
	if (capture_trouble(capture)) /* read over: times that leap, packets longer than told */
		fprintf(stderr, "yagura flow make: %s\n", capture_trouble(capture));
	capture_close(capture);
	return result < 0 ? result : meter_flush(metering->meter, err);
}

static json_t *report_json(const struct metering *metering, double seconds)
{
	struct meter_figures figures = meter_figures(metering->meter);
	json_t *report = flow_keep_json(&metering->keep);
	json_object_set_new(report, "metered", json_integer((json_int_t)figures.packets));
	json_object_set_new(report, "not_ip", json_integer((json_int_t)figures.others));
	json_object_set_new(report, "forced", json_integer((json_int_t)figures.forced));
	json_object_set_new(report, "late", json_integer((json_int_t)figures.late));
	json_object_set_new(report, "seconds", json_real(seconds));
	return report;
}

int command_flow_make(const struct command_call *call, struct err *err)
{
	const struct flow_make_options *options = call->options;
	if (call->operand_count == 0) {
		err_set(err, -EINVAL, "FILE was expected: a capture of packets, a directory, or - for standard input");
		return EXIT_USAGE;
	}
	struct metering metering = {.progress = {.label = ""}};
	const struct meter_options meter_options = {.active_ns = options->active_ns, .idle_ns = options->idle_ns};
	int64_t began = clock_monotonic_ns();
	const struct pseudonym_keys *keys = NULL;
	int result = pseudonym_file_read(&options->pseudonyms, call->pool, &keys, err);
	if (result == 0)
		result = flow_keep_open(&metering.keep, &options->keep, keys, options->common.json, err);
	if (result == 0)
		result = meter_new(&meter_options, metering.keep.begin, &metering.meter, err);
	for (int i = 0; i < call->operand_count && result == 0; i++)
		result = capture_meter(&metering, call->operands[i], options->tunnels, err);
	if (result == 0)
		result = flow_keep_end(&metering.keep, err);
	if (result == 0 && !options->keep.records && options->common.json) {
		json_t *report = report_json(&metering, (double)(clock_monotonic_ns() - began) / 1e9);
		json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(report);
	} else if (result == 0 && !options->keep.records) {
		flow_keep_print(&metering.keep);
	}
	meter_free(metering.meter);
	flow_keep_close(&metering.keep);
	return result < 0 || metering.troubles ? EXIT_FAILED : EXIT_DONE;
}
