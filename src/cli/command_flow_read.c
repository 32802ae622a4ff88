/* yagura flow read: what files of flow information hold; kept and written where that is wanted. */
#include "cli/command_flow.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "observe/flow/reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

struct files {
	struct flow_keep keep;
	struct progress progress;
	unsigned troubles;
};

static json_t *report_json(const struct files *files, const struct collector *collector, double seconds)
{
	json_t *exporters = json_array(), *report = flow_keep_json(&files->keep);
	for (size_t i = 0; i < collector_exporters(collector); i++)
		json_array_append_new(exporters, flow_exporter_json(collector_exporter(collector, i)));
	json_object_set_new(report, "seconds", json_real(seconds));
	json_object_set_new(report, "exporters", exporters);
	return report;
}

static void progress_tell(void *context, const struct flow_file_figures *figures)
{
	struct files *files = context;
	char text[64];
	snprintf(text, sizeof text, "%.1f M flows", (double)files->keep.records / 1e6);
	files->progress.whole = figures->total_bytes;
	progress_show(&files->progress, figures->done_bytes, text);
}

static void trouble_tell(void *context, const char *sentence)
{
	struct files *files = context;
	files->troubles++;
	progress_end(&files->progress);
	fprintf(stderr, "yagura flow read: %s\n", sentence);
}

int command_flow_read(const struct command_call *call, struct err *err)
{
	const struct flow_read_options *options = call->options;
	if (call->operand_count == 0) {
		err_set(err, -EINVAL, "FILE was expected: a capture of exports, a directory, or - for standard input");
		return EXIT_USAGE;
	}
	struct files files = {.progress = {.label = ""}};
	struct flow_watch watch = {progress_tell, trouble_tell, &files};
	struct collector *collector = NULL;
	int64_t began = clock_monotonic_ns();
	const struct pseudonym_keys *keys = NULL;
	int result = pseudonym_file_read(&options->pseudonyms, call->pool, &keys, err);
	if (result == 0)
		result = flow_keep_open(&files.keep, &options->keep, keys, options->common.json, err);
	if (result == 0)
		result = collector_new(&(struct collector_options){.sensor = 0}, files.keep.begin, &collector, err);
	for (int i = 0; i < call->operand_count && result == 0; i++) {
		struct flow_file_figures figures = {0};
		files.progress.label = call->operands[i];
		if (flow_file_read(call->operands[i], collector, &watch, &figures, err) < 0)
			trouble_tell(&files, err->text);
		progress_end(&files.progress);
	}
	if (result == 0)
		result = collector_flush(collector, err);
	if (result == 0)
		result = flow_keep_end(&files.keep, err);
	if (result == 0 && !options->keep.records) {
		json_t *report = report_json(&files, collector, (double)(clock_monotonic_ns() - began) / 1e9);
		if (options->common.json) {
			json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
			putchar('\n');
		} else {
			flow_exporters_print(json_object_get(report, "exporters"));
			flow_keep_print(&files.keep);
		}
		json_decref(report);
	}
	collector_free(collector);
	flow_keep_close(&files.keep);
	return result < 0 || files.troubles ? EXIT_FAILED : EXIT_DONE;
}
