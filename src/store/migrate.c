/* Migrations. A step is never changed once it was released; a new one is added at the end. Version 1 was the tables as
 * the kinds say; step 2 keeps samples of sources, from which periods without tuples are
 * estimated, and which roll-ups are due (rollup.c); step 3 says from when on roll-ups are kept (plan.c); step 4 has
 * sightings, and findings that name a member; step 5 lets findings and sightings be written beside the rest (lane.h).
 */
#include "store/migrate.h"

#include "store/engine.h"
#include "store/tables.h"

#include <errno.h>

static int first_tables(duckdb_connection connection, struct err *err)
{
	int code = tables_create(connection, err);
	return code < 0 ? code
			: engine_run(connection, err,
				     "CREATE TABLE intake (boot UBIGINT NOT NULL, highest UBIGINT NOT NULL, "
				     "base UBIGINT NOT NULL, seen BLOB NOT NULL, touched TIMESTAMP NOT NULL)");
}

static int source_samples(duckdb_connection connection, struct err *err)
{
	return engine_run(connection, err,
			  "CREATE TABLE source_sample (time TIMESTAMP NOT NULL, sensor USMALLINT NOT NULL, "
			  "dimension UTINYINT NOT NULL, \"key\" VARCHAR NOT NULL, kind UTINYINT NOT NULL, "
			  "theta DOUBLE NOT NULL, hashes UBIGINT[] NOT NULL); "
			  "CREATE TABLE rollup_due (level UTINYINT NOT NULL, time TIMESTAMP NOT NULL); "
			  "INSERT INTO rollup_due SELECT DISTINCT 0, minute FROM tuple; "
			  "CREATE TABLE flush_serial (serial UBIGINT NOT NULL); INSERT INTO flush_serial VALUES (0); "
			  "CREATE TABLE tuple_floor (time TIMESTAMP NOT NULL)");
}

static int rollup_floors(duckdb_connection connection, struct err *err)
{
	return engine_run(connection, err,
			  "CREATE TABLE rollup_floor (level UTINYINT NOT NULL, time TIMESTAMP NOT NULL)");
}

/* Version 1 made the tables as the kinds are in this program, so all of it may be there already. */
static int sightings(duckdb_connection connection, struct err *err)
{
	int code = tables_create(connection, err);
	return code < 0 ? code
			: engine_run(connection, err,
				     "ALTER TABLE finding ADD COLUMN IF NOT EXISTS member UINTEGER DEFAULT 0; "
				     "ALTER TABLE finding ADD COLUMN IF NOT EXISTS verdict UTINYINT DEFAULT 0; "
				     "ALTER TABLE finding ADD COLUMN IF NOT EXISTS state UTINYINT DEFAULT 0; "
				     "UPDATE finding SET state = %d WHERE ended = 1",
				     STATE_ENDED);
}

static int urgent_lane(duckdb_connection connection, struct err *err)
{
	return engine_run(
		connection, err,
		"CREATE TABLE urgent_intake (boot UBIGINT NOT NULL, highest UBIGINT NOT NULL, base UBIGINT NOT "
		"NULL, seen BLOB NOT NULL, touched TIMESTAMP NOT NULL); "
		"CREATE TABLE urgent_serial (serial UBIGINT NOT NULL); INSERT INTO urgent_serial VALUES (0)");
}

const struct migration migrations[] = {
	{"tables of the kinds of record", first_tables},
	{"samples of sources", source_samples},
	{"floors of roll-ups", rollup_floors},
	{"sightings", sightings},
	{"urgent lane", urgent_lane},
};
const size_t migration_count = sizeof migrations / sizeof *migrations;

int migrate(duckdb_connection connection, size_t wanted, struct err *err)
{
	int64_t version = 0;
	int code = engine_run(connection, err,
			      "CREATE TABLE IF NOT EXISTS schema_version (version UBIGINT NOT NULL, "
			      "what VARCHAR NOT NULL, applied TIMESTAMP NOT NULL)");
	if (code == 0)
		code = engine_number(connection, &version, err, "SELECT max(version) FROM schema_version");
	if (code == 0 && (size_t)version > migration_count)
		return err_set(err, -ENOTSUP,
			       "observations are of version %lld; this program knows versions up to %zu. "
			       "Start the program that wrote them, or a newer one",
			       (long long)version, migration_count);
	for (size_t next = (size_t)version; next < wanted && code == 0; next++) {
		code = engine_run(connection, err, "BEGIN");
		if (code == 0)
			code = migrations[next].run(connection, err);
		if (code == 0)
			code = engine_run(connection, err,
					  "INSERT INTO schema_version VALUES (%zu, '%s', now()::TIMESTAMP)", next + 1,
					  migrations[next].what);
		if (code == 0)
			code = engine_run(connection, err, "COMMIT");
		if (code < 0) {
			(void)!engine_run(connection, NULL, "ROLLBACK");
			return err_prefix(err, code, "migration to version %zu", next + 1);
		}
	}
	return code;
}
