/* yagura telescope read: a report of capture files; nothing is kept. */
#include "cli/commands.h"
#include "cli/progress.h"

#include "core/clock.h"
#include "sys/capture.h"

#include <errno.h>
#include <stdio.h>

struct files {
	struct reading reading;
	struct progress progress;
	unsigned failed;
};

static void file_show(struct files *files, struct capture *capture)
{
	const struct capture_counters *counters = capture_counters(capture);
	char text[64];
	snprintf(text, sizeof text, "%.1f M packets",
		 (double)telescope_counts(files->reading.telescope)->packets / 1e6);
	files->progress.whole = counters->total_bytes;
	progress_show(&files->progress, counters->done_bytes, text);
}

/* One operand. What cannot be read further is said; what was read before is kept. */
static int file_read(struct files *files, const char *path, struct err *err)
{
	struct capture *capture = NULL;
	struct frame frames[BURST_MAX];
	int result = capture_open_file(path, false, &capture, err);
	if (result < 0)
		return result;
	int faults = 0;
	files->progress.label = path;
	for (;;) {
		int count = capture_read(capture, frames, BURST_MAX, -1, err);
		if (count == -ENODATA)
			break;
		if (count < 0) {
			faults++;
			progress_end(&files->progress);
			fprintf(stderr, "yagura telescope read: %s\n", err->text);
			err->text[0] = '\0';
			continue;
		}
		result = telescope_feed(files->reading.telescope, frames, (unsigned)count, err);
		if (result < 0)
			break;
		file_show(files, capture);
	}
	progress_end(&files->progress);
	const struct capture_counters *counters = capture_counters(capture);
	for (size_t i = 0; i < TRACE_ANOMALIES; i++)
		files->reading.trace_errors[i] += counters->errors[i];
	if (capture_trouble(capture))
		fprintf(stderr, "yagura telescope read: %s\n", capture_trouble(capture));
	capture_close(capture);
	files->failed += faults > 0;
	return result;
}

int command_telescope_read(const struct command_call *call, struct err *err)
{
	const struct telescope_read_options *options = call->options;
	if (call->operand_count == 0) {
		err_set(err, -EINVAL, "FILE was expected: a capture, a directory of captures, or - for standard input");
		return EXIT_USAGE;
	}
	struct files files = {.progress = {.label = ""}};
	int result = reading_open(&files.reading, &options->reading, call->command->name, true, call->pool, err);
	int worst = result;
	int64_t began = clock_monotonic_ns();
	for (int i = 0; i < call->operand_count && result == 0; i++) {
		int file = file_read(&files, call->operands[i], err);
		if (file < 0) {
			fprintf(stderr, "yagura telescope read: %s\n", err->text);
			err->text[0] = '\0';
			worst = file;
		}
	}
	if (result == 0)
		result = reading_finish(&files.reading, err);
	if (result == 0) {
		json_t *report = reading_json(&files.reading, (double)(clock_monotonic_ns() - began) / 1e9);
		if (options->common.json) {
			json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
			printf("\n");
		} else {
			reading_print(report, options->reading.limit);
		}
		json_decref(report);
	}
	reading_close(&files.reading);
	return result < 0 || worst < 0 || files.failed ? EXIT_FAILED : EXIT_DONE;
}
