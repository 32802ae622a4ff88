/* Tables as the kinds of record say: name, columns, and how a batch's column goes into the engine's vectors.
 *
 * | column | SQL | why |
 * |---|---|---|
 * | TIME | TIMESTAMP | microseconds; finer digits of a record are cut |
 * | ADDR | UHUGEINT | the 16 bytes as one big-endian number: a prefix is a range, order is address order |
 * | CODE | UTINYINT | the index; names are put in and out by the query, so a new name needs no migration |
 * | TEXT, JSON | VARCHAR | |
 *
 * The table `block` has `segment`, `position` and `length` instead of `data`: the bytes lie in the raw ring.
 */
#pragma once

#include "store/engine.h"
#include "core/addr.h"
#include "record/batch.h"

#include <stdbool.h>

bool kind_is_stored(const struct record_kind *kind); /* all but sparks */
const char *column_sql_type(enum column_type type);
int tables_create(duckdb_connection connection, struct err *err) must_check;

/* Rows of staged columns, in the order of `rows` (NULL: as they are), through an appender into the kind's table.
 * `columns` are arrays as in a batch; the data of blocks is left out and `extra` columns (U64 arrays in that order,
 * NULL ends them) follow. */
int table_append(duckdb_connection connection, const struct record_kind *kind, void *const *columns, size_t count,
		 const uint32_t *rows, const uint64_t *const *extra, struct err *err) must_check;

duckdb_uhugeint addr_to_number(const struct addr *addr);
struct addr addr_from_number(duckdb_uhugeint number);
