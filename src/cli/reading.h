/* What `telescope read` and `telescope run` share: frames go into `telescope`, a report comes out. Nothing is kept.
 */
#pragma once

#include "analyze/detectors.h"
#include "analyze/report.h"
#include "core/option.h"
#include "observe/telescope/telescope.h"
#include "sys/capture.h"
#include "sys/places.h"

#include <jansson.h>

struct reading_options {
	struct prefix_list darknet, exclude;
	const char *surveys, *deps;
	bool decapsulate;
	int64_t limit; /* rows of each list in the plain report */
};
extern const struct option_spec reading_option_table[];

struct relay;

struct reading {
	struct sink sink;
	struct relay *relay; /* NULL: everything in one thread */
	struct telescope *telescope;
	struct places *places;
	struct report *report;
	struct detectors *detectors;
	uint64_t trace_errors[TRACE_ANOMALIES];
};

/* `name` is the command's, for what is said on standard error. `apart`: detectors and report in a thread of their own,
 * so that the report is only to be had when finished. The struct is zeroed before, and closed also when this fails. */
int reading_open(struct reading *reading, const struct reading_options *options, const char *name, bool apart,
		 struct pool *pool, struct err *err) must_check;
/* Close the open minute and every open finding. */
int reading_finish(struct reading *reading, struct err *err) must_check;
/* The report; `seconds` is how long it took. */
json_t *reading_json(const struct reading *reading, double seconds);
void reading_print(const json_t *report, int64_t limit);
void reading_close(struct reading *reading);
