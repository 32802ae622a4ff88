/* From what a question about tuples is answered: the tuples themselves, or roll-ups that hold the same sums.
 *
 * Sums of packets and bytes by time, kind and one of port, tool, country, network or sensor are in the roll-ups
 * exactly. Whole days, hours and minutes are taken from there, what is not rolled up yet from the tuples, so a month
 * costs what a day costs, and sums outlive the tuples. All else is asked of the tuples. */
#pragma once

#include "core/module.h"
#include "store/engine.h"
#include "store/query.h"

struct plan {
	struct text_buffer rows; /* a SELECT with the columns that the query uses; no bytes: the kind's own table */
	int64_t from_ns, to_ns;  /* what it answers for: widened to whole periods where nothing finer is kept */
	unsigned read;           /* bit PLAN_x for what it reads */
	int64_t since_ns; /* tuples before are gone and roll-ups do not answer this; INT64_MIN: nothing is missing */
};
enum { PLAN_MINUTE, PLAN_HOUR, PLAN_DAY, PLAN_TUPLE };

/* `connection` is in a transaction, in which the question is then asked. */
int plan_make(duckdb_connection connection, const struct query *query, struct plan *ret_plan,
	      struct err *err) must_check;
void plan_done(struct plan *plan);
