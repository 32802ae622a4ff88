/* Figures of alerts for everybody: how many were found, told, acknowledged and fixed, how long that took, by verdict,
 * by sector and by day or month. Pure counting; who asks and what is drawn is not its business. What of the counts is
 * told, and what hidden, is tally.h's; a median is told where its count would be.
 */
#pragma once

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATISTICS_PERIODS_MAX = 400 };

enum figure { FIGURE_FOUND, FIGURE_TOLD, FIGURE_BOUNCED, FIGURE_ACKNOWLEDGED, FIGURE_FIXED, FIGURES };
extern const char *const figure_names[]; /* NULL ends them */

enum statistics_period { PERIOD_DAY, PERIOD_MONTH };
extern const char *const statistics_period_names[]; /* NULL ends them */

struct statistics;

/* Whole days or months (UTC) from the one of `from_ns` to the one before `to_ns`. -EINVAL when there is none or more
 * than STATISTICS_PERIODS_MAX; -ENOMEM. */
int statistics_new(enum statistics_period period, int64_t from_ns, int64_t to_ns, struct statistics **ret_statistics,
		   struct err *err) must_check;
void statistics_free(struct statistics *statistics); /* NULL is fine */
int64_t statistics_from(const struct statistics *statistics);
int64_t statistics_to(const struct statistics *statistics);

/* The sector of a member; one that is not told, or no longer there, is "other". */
int statistics_member(struct statistics *statistics, uint32_t member, const char *sector, struct err *err) must_check;

/* An alert that began at `first_ns`. Fixed: it was silent after `last_ns` until it was held for over. An infected
 * address is a machine; it is clean when each of its alerts is fixed. */
struct statistics_alert {
	uint32_t member;
	const char *subject, *verdict;
	int64_t first_ns, last_ns;
	bool fixed;
};
int statistics_alert(struct statistics *statistics, const struct statistics_alert *alert, struct err *err) must_check;

/* A notice: when it was made, told and acknowledged; 0 where it was not. Bounced: a message of it could not be
 * delivered. */
struct statistics_notice {
	uint32_t member;
	const char *verdict;
	int64_t made_ns, told_ns, acknowledged_ns;
	bool bounced;
};
int statistics_notice(struct statistics *statistics, const struct statistics_notice *notice,
		      struct err *err) must_check;

/* What the darknet received in the period that holds the instant; outside: left out. */
void statistics_traffic(struct statistics *statistics, int64_t time_ns, int64_t packets, int64_t sources);

/* {"members": watched, "machines": {"found", "cleaned"}, "alerts": {counts}, "times": {tell_median_s,
 * acknowledge_median_s, fix_median_s}, "verdicts": [{"name", counts, "fix_median_s"}], "sectors": [the same],
 * "periods": [{"time", "packets", "sources", counts}]}; counts are figure_names; null is what is hidden. NULL: out of
 * memory. */
json_t *statistics_json(const struct statistics *statistics);
