/* The packets that sightings kept: few, and in the table itself, so that they stand as long as what they prove, however
 * often the ring of raw packets has gone round since. */
#include "store/state.h"

#include "core/clock.h"
#include "store/tables.h"

#include <errno.h>

static const char sql[] = "SELECT evidence FROM sighting WHERE address = ? AND (role <> 0) = ? AND \"time\" >= ? AND "
			  "\"first\" <= ? AND octet_length(evidence) > 0 ORDER BY \"first\" LIMIT ?";

static int bind_wanted(duckdb_prepared_statement prepared, const struct store_evidence *wanted)
{
	duckdb_timestamp from = {time_floor(wanted->from_ns, NS_PER_US) / NS_PER_US};
	duckdb_timestamp to = {time_floor(wanted->to_ns, NS_PER_US) / NS_PER_US};
	bool bound = duckdb_bind_uhugeint(prepared, 1, addr_to_number(&wanted->address)) == DuckDBSuccess &&
		     duckdb_bind_boolean(prepared, 2, wanted->attacked) == DuckDBSuccess &&
		     duckdb_bind_timestamp(prepared, 3, from) == DuckDBSuccess &&
		     duckdb_bind_timestamp(prepared, 4, to) == DuckDBSuccess &&
		     duckdb_bind_uint32(prepared, 5, wanted->rows_max) == DuckDBSuccess;
	return bound ? 0 : -EIO;
}

static int hand_out(duckdb_result *result, int (*each)(void *context, const void *records, size_t bytes), void *context)
{
	int code = 0;
	for (idx_t row = 0; row < duckdb_row_count(result) && code == 0; row++) {
		duckdb_blob blob = duckdb_value_blob(result, 0, row);
		code = each(context, blob.data, blob.size);
		duckdb_free(blob.data);
	}
	return code;
}

static int ask_evidence(duckdb_connection connection, const struct store_evidence *wanted,
			int (*each)(void *context, const void *records, size_t bytes), void *context, struct err *err)
{
	duckdb_prepared_statement prepared = NULL;
	duckdb_result result;
	int code = 0;
	if (duckdb_prepare(connection, sql, &prepared) != DuckDBSuccess)
		code = err_set(err, -EIO, "evidence: %s", duckdb_prepare_error(prepared));
	if (code == 0 && bind_wanted(prepared, wanted) < 0)
		code = err_set(err, -EIO, "evidence: a value cannot be bound");
	if (code == 0) {
		code = duckdb_execute_prepared(prepared, &result) == DuckDBSuccess ? hand_out(&result, each, context)
										   : engine_result_error(&result, err);
		duckdb_destroy_result(&result);
	}
	duckdb_destroy_prepare(&prepared);
	return code;
}

int store_evidence(struct store *store, const struct store_evidence *wanted,
		   int (*each)(void *context, const void *records, size_t bytes), void *context, struct err *err)
{
	struct running running;
	int code = running_begin(store, &running, err);
	if (code < 0)
		return code;
	code = ask_evidence(running.connection, wanted, each, context, err);
	int why = running_end(store, &running);
	return code == -ECANCELED && why ? err_set(err, why, "the search for evidence was ended") : code;
}
