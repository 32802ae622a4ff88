/* What the writers of a query share: names of its parts, and the columns of its result. */
#pragma once

#include "store/query.h"

extern const char *const query_op_names[]; /* by enum query_op; NULL-terminated */
extern const char *const query_aggregate_names[];

bool query_groups(const struct query *query); /* false: rows themselves */

struct query_result {
	const char *name;
	const struct column *column; /* whose values it has, or a made one for counts and averages */
};
size_t query_result_count(const struct query *query);
struct query_result query_result(const struct query *query, size_t i);

/* "1h", "10m", "month"; the shortest exact form. */
const char *query_bucket_text(const struct query *query, char text[32]);
