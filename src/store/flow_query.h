/* Questions to an archive of flows in nfdump's words, as the command line and the API put them. Answers are JSON.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOW_BINS_MAX = 1000, FLOW_GROUPS_MAX = 1000000 };

/* Texts are borrowed until the query is freed. */
struct flow_question {
	const char *filter;                /* see flow_filter.h; NULL: every flow */
	const char *statistic, *aggregate; /* "srcip/bytes" or "srcip,dstport"; NULL; neither: single flows */
	int64_t from_ns, to_ns;            /* [from, to) of the first packet */
	size_t limit;                      /* groups or flows; 0: all, of groups at most FLOW_GROUPS_MAX */
	unsigned bins; /* not 0: sums over so many equal parts of [from, to), instead of the above */
};

struct flow_query;

/* -EINVAL: what was asked, and what was expected. */
int flow_query_new(const struct flow_question *question, struct flow_query **ret_query, struct err *err) must_check;
void flow_query_free(struct flow_query *query); /* NULL is fine */
/* The names that are grouped by. */
const char *const *flow_query_names(const struct flow_query *query, unsigned *ret_count);

struct flow_query_visit {
	void (*flow)(void *context, const struct batch *row); /* single flows: a batch of one */
	void (*trouble)(void *context, const char *sentence); /* a damaged part of the archive; may be NULL */
	void *context;
	int64_t limit_ns; /* how long it may take; 0: as long as it takes */
};
/* Once a query. *ret_answer: {"flows", "packets", "bytes"} and, of groups, {"groups": [{NAME: value, ..., "flows",
 * "packets", "bytes"}], "of": how many there are}; of bins {"bins": {"flows": [...], "packets": [...], "bytes": [...]}}
 * . Of single flows "flows" counts those that were looked at until the limit. -ETIME: limit_ns; -ENOENT: no archive. */
int flow_query_run(struct flow_query *query, const char *dir, const struct flow_query_visit *visit, json_t **ret_answer,
		   struct err *err) must_check;

/* One flow of a batch as JSON: an object by the names of the columns. */
json_t *flow_json(const struct batch *batch, uint32_t row);
