/* A store of version 1 with rows in it is brought to this version; one of a later version is refused. */
#include "store/migrate.h"
#include "store/engine.h"

#include "rows.h"

#include <errno.h>

static void run_on(const char *dir, size_t version, const char *sql)
{
	char path[128];
	snprintf(path, sizeof path, "%s/observations.duckdb", dir);
	struct engine engine;
	struct engine_options options = {64 << 20, 1, dir};
	must(engine_open(&engine, path, &options, &must_err));
	must(migrate(engine.writer, version, &must_err));
	if (sql)
		must(engine_run(engine.writer, &must_err, "%s", sql));
	engine_close(&engine);
}

static void version_1_becomes_this_version(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	run_on(dir, 1,
	       "INSERT INTO tuple SELECT TIMESTAMP '2026-01-01 00:00:00', 1, 281473902969345::UHUGEINT, 0, 1, 0, 6, "
	       "23, 2, "
	       "50, 0, 7, 280, 1, TIMESTAMP '2026-01-01 00:00:01', TIMESTAMP '2026-01-01 00:00:01', 0, 0, 19024, 2907");
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	assert_int_equal(ask_number(store, COUNT_TUPLES), 1);
	must(store_roll_up(store, T0 + NS_PER_DAY, &must_err)); /* what was there before is due */
	assert_int_equal(ask_number(store,
				    "{'kind':'rollup','from':'2026-01-01','to':'2026-01-02','filters':["
				    "{'field':'level','value':'day'},{'field':'dimension','value':'port'},"
				    "{'field':'key','value':'tcp/23'}],'aggregates':[{'op':'sum','field':'packets'}]}"),
			 7);
	store_close(store);
	remove_tree(dir);
}

static void findings_of_version_3_have_a_state(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	run_on(dir, 3,
	       "DROP TABLE sighting; ALTER TABLE finding DROP COLUMN member; ALTER TABLE finding DROP COLUMN verdict; "
	       "ALTER TABLE finding DROP COLUMN state; "
	       "INSERT INTO finding SELECT 'a' || i, TIMESTAMP '2026-01-01 00:00:00', 0, 1, 'x', TIMESTAMP "
	       "'2026-01-01', "
	       "TIMESTAMP '2026-01-01', i % 2, 7, 0.5, 'r', 1, '{}' FROM range(4) AS t(i)");
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	assert_int_equal(ask_number(store, "{'kind':'finding','from':'2026-01-01','to':'2026-01-02','filters':["
					   "{'field':'state','value':'ended'},{'field':'member','value':0}],"
					   "'aggregates':[{'op':'count'}]}"),
			 2);
	assert_int_equal(ask_number(store, "{'kind':'sighting','from':'2026-01-01','to':'2026-01-02',"
					   "'aggregates':[{'op':'count'}]}"),
			 0);
	store_close(store);
	remove_tree(dir);
}

static void a_later_version_is_refused(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	run_on(dir, migration_count, "INSERT INTO schema_version VALUES (99, 'of the future', now()::TIMESTAMP)");
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct err err = {""};
	assert_int_equal(store_open(&options, &store, &err), -ENOTSUP);
	assert_contains(err.text, "version 99");
	remove_tree(dir);
}

static void a_broken_file_is_refused(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), path[128];
	snprintf(path, sizeof path, "%s/observations.duckdb", dir);
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 2000; i++)
		fputs("not a database ", file);
	fclose(file);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct err err = {""};
	assert_int_equal(store_open(&options, &store, &err), -EIO);
	assert_contains(err.text, "observations.duckdb");
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_becomes_this_version),
		cmocka_unit_test(findings_of_version_3_have_a_state),
		cmocka_unit_test(a_later_version_is_refused),
		cmocka_unit_test(a_broken_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
