/* A query in an engine's words. What differs between engines stands in one struct; what is asked does not. Values are
 * always bound, never pasted. */
#pragma once

#include "core/module.h"
#include "store/query.h"

struct dialect {
	const char *name;
	/* printf forms of one expression each */
	const char *bucket_span;  /* column text, ns as integer of us */
	const char *bucket_month; /* column text */
	const char *bucket_year;
	const char *approx_distinct;
	const char *sum, *avg, *count;
};
extern const struct dialect dialect_duckdb;

/* A value to bind, in the order of the question marks. */
struct bound {
	const struct column *column;
	enum query_op op;
	struct query_value value;
};

struct statement {
	struct text_buffer sql;
	struct bound *bound; /* in the query's pool */
	size_t bound_count, bound_room;
};

/* `rows`: a SELECT to ask instead of the kind's table, or NULL. */
int statement_write(const struct dialect *dialect, const struct query *query, const char *rows,
		    struct statement *ret_statement, struct err *err) must_check;
/* SELECT count(*) of the query's rows whose `exact` is 0; for kinds that have that column. */
int statement_write_estimates(const struct dialect *dialect, const struct query *query, struct statement *ret_statement,
			      struct err *err) must_check;
void statement_done(struct statement *statement);
