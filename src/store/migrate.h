/* The schema of observations and how it came to be: an ordered list of steps, one transaction each. */
#pragma once

#include "core/err.h"

#include <duckdb.h>
#include <stddef.h>

struct migration {
	const char *what;
	int (*run)(duckdb_connection connection, struct err *err);
};

/* Step i brings version i to version i + 1. */
extern const struct migration migrations[];
extern const size_t migration_count;

/* Bring the database to version `wanted` (at most migration_count; tests stop earlier). -ENOTSUP when it is later than
 * migration_count: a newer program wrote it. */
int migrate(duckdb_connection connection, size_t wanted, struct err *err) must_check;
