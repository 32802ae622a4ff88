/* yagura flow read: what files of flow information hold; nothing is kept. */
#include "cli/command_flow.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "observe/flow/reader.h"
#include "store/archive.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

const struct option_spec flow_read_option_table[] = {
	{"records", OPTION_FLAG, OPTION_AT(struct flow_read_options, records), .help = "print every flow, one a line",
	 .help_ja = "フローを 1 行ずつすべて表示する"},
	{"limit", OPTION_INT, OPTION_AT(struct flow_read_options, limit), .min = 0, .max = INT64_MAX,
	 .help = "flows to print at most; 0: all of them", .help_ja = "表示するフローの上限(0 はすべて)"},
	{"archive", OPTION_PATH, OPTION_AT(struct flow_read_options, archive), .argument = "DIR", .letter = 'w',
	 .help = "keep the flows in this archive, made where it is not",
	 .help_ja = "フローをこのアーカイブに残す(なければ作る)"},
	{NULL},
};

struct flows {
	struct sink sink;
	struct progress progress;
	const struct flow_read_options *options;
	struct archive *archive; /* NULL: nothing is kept */
	uint64_t records, printed, packets, bytes;
	int64_t first_ns, last_ns;
	unsigned troubles;
};

static int flows_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct flows *flows = (struct flows *)sink;
	int first = record_column_index(batch->kind, "first"), last = record_column_index(batch->kind, "last");
	int packets = record_column_index(batch->kind, "packets"), bytes = record_column_index(batch->kind, "bytes");
	for (uint32_t row = 0; row < batch->rows; row++) {
		int64_t first_ns = BATCH_COLUMN(batch, int64_t, first)[row];
		int64_t last_ns = BATCH_COLUMN(batch, int64_t, last)[row];
		flows->first_ns = first_ns < flows->first_ns ? first_ns : flows->first_ns;
		flows->last_ns = last_ns > flows->last_ns ? last_ns : flows->last_ns;
		flows->packets += BATCH_COLUMN(batch, uint64_t, packets)[row];
		flows->bytes += BATCH_COLUMN(batch, uint64_t, bytes)[row];
		bool shown = !flows->options->limit || flows->printed < (uint64_t)flows->options->limit;
		flows->printed += shown;
		if (shown && flows->options->records && flows->options->common.json)
			flow_print_json(batch, row);
		else if (shown && flows->options->records)
			flow_print_line(batch, row);
	}
	flows->records += batch->rows;
	return flows->archive ? archive_put(flows->archive, batch, err) : 0;
}

/* --- report ------------------------------------------------------------------------------------------------------ */

static json_t *report_json(const struct flows *flows, const struct collector *collector, double seconds)
{
	json_t *exporters = json_array();
	for (size_t i = 0; i < collector_exporters(collector); i++)
		json_array_append_new(exporters, flow_exporter_json(collector_exporter(collector, i)));
	json_t *report = json_pack("{s:I, s:I, s:I, s:f, s:o}", "records", (json_int_t)flows->records, "packets",
				   (json_int_t)flows->packets, "bytes", (json_int_t)flows->bytes, "seconds", seconds,
				   "exporters", exporters);
	char text[TIME_TEXT_BYTES];
	if (flows->records) {
		json_object_set_new(report, "first", json_string(time_format(flows->first_ns, text)));
		json_object_set_new(report, "last", json_string(time_format(flows->last_ns, text)));
	}
	return report;
}

static void report_print(const json_t *report)
{
	flow_exporters_print(json_object_get(report, "exporters"));
	const char *first = json_string_value(json_object_get(report, "first"));
	printf("%lld flows, %lld packets, %lld bytes%s%s%s%s\n",
	       (long long)json_integer_value(json_object_get(report, "records")),
	       (long long)json_integer_value(json_object_get(report, "packets")),
	       (long long)json_integer_value(json_object_get(report, "bytes")), first ? ", " : "", first ? first : "",
	       first ? " to " : "", first ? json_string_value(json_object_get(report, "last")) : "");
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static void progress_tell(void *context, const struct flow_file_figures *figures)
{
	struct flows *flows = context;
	char text[64];
	snprintf(text, sizeof text, "%.1f M flows", (double)flows->records / 1e6);
	flows->progress.whole = figures->total_bytes;
	progress_show(&flows->progress, figures->done_bytes, text);
}

static void trouble_tell(void *context, const char *sentence)
{
	struct flows *flows = context;
	flows->troubles++;
	progress_end(&flows->progress);
	fprintf(stderr, "yagura flow read: %s\n", sentence);
}

int command_flow_read(const struct command_call *call, struct err *err)
{
	const struct flow_read_options *options = call->options;
	if (call->operand_count == 0) {
		err_set(err, -EINVAL, "FILE was expected: a capture of exports, a directory, or - for standard input");
		return EXIT_USAGE;
	}
	struct flows flows = {.sink.put = flows_put,
			      .options = options,
			      .progress = {.label = ""},
			      .first_ns = INT64_MAX,
			      .last_ns = INT64_MIN};
	struct flow_watch watch = {progress_tell, trouble_tell, &flows};
	struct collector *collector = NULL;
	int64_t began = clock_monotonic_ns();
	struct archive_options keeping = {.dir = options->archive, .kind = &record_flow};
	int result = options->archive ? archive_open(&keeping, &flows.archive, err) : 0;
	if (result == 0)
		result = collector_new(&(struct collector_options){.sensor = 0}, &flows.sink, &collector, err);
	for (int i = 0; i < call->operand_count && result == 0; i++) {
		struct flow_file_figures figures = {0};
		flows.progress.label = call->operands[i];
		if (flow_file_read(call->operands[i], collector, &watch, &figures, err) < 0)
			trouble_tell(&flows, err->text);
		progress_end(&flows.progress);
	}
	if (result == 0)
		result = collector_flush(collector, err);
	if (result == 0 && flows.archive)
		result = archive_flush(flows.archive, err);
	if (result == 0 && !options->records) {
		json_t *report = report_json(&flows, collector, (double)(clock_monotonic_ns() - began) / 1e9);
		if (options->common.json) {
			json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
			putchar('\n');
		} else {
			report_print(report);
		}
		json_decref(report);
	}
	collector_free(collector);
	archive_close(flows.archive);
	return result < 0 || flows.troubles ? EXIT_FAILED : EXIT_DONE;
}
