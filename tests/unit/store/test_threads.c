/* Everything that may be called from any thread, called from many at once: what was put is there in the end. Made for
 * the thread sanitizer, which sees what only sometimes goes wrong. */
#include "store/registry.h"

#include "rows.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WRITERS = 2, BATCHES = 150, BATCH_ROWS = 200 };

struct work {
	struct store *store;
	struct registry *registry;
	const char *dir;
	_Atomic bool stop;
	_Atomic unsigned failures, writers, done;
};

static void note(struct work *work, const char *what, int code, const struct err *err)
{
	if (code >= 0)
		return;
	fprintf(stderr, "%s: %d %s\n", what, code, err->text);
	work->failures++;
}

static void *write_batches(void *argument)
{
	struct work *work = argument;
	uint64_t boot = 7 + work->writers++;
	struct err err = {""};
	for (uint64_t i = 1; i <= BATCHES; i++) {
		int64_t minute_ns = T0 + (int64_t)(i / 4) * NS_PER_MINUTE;
		note(work, "put", put_tuples(work->store, minute_ns, BATCH_ROWS, boot, i, &err), &err);
		if (i % 5 == 0)
			note(work, "flush", store_flush(work->store, &err), &err);
		if (i % 5 == 0 && store_acknowledged(work->store, boot) != i)
			work->failures++;
	}
	work->done++;
	return NULL;
}

static int64_t rows_now(struct work *work, struct err *err)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:[{s:s}]}", "kind", "tuple", "from", "2025-12-01", "to",
				 "2027-01-01", "aggregates", "op", "count"),
	       *answer = NULL;
	struct query *query = NULL;
	int code = query_from_json(json, T0 + NS_PER_DAY, &query, err);
	if (code == 0)
		code = store_query(work->store, query, &answer, err);
	query_free(query);
	json_decref(json);
	const json_t *row = json_array_get(json_object_get(answer, "rows"), 0);
	int64_t rows = code < 0 ? code : json_integer_value(json_array_get(row, 0));
	json_decref(answer);
	return rows;
}

/* A count never falls, unless somebody interrupted it. */
static void *read_counts(void *argument)
{
	struct work *work = argument;
	struct err err = {""};
	for (int64_t before = 0; !work->stop;) {
		int64_t rows = rows_now(work, &err);
		if (rows == -ECANCELED)
			continue;
		note(work, "query", (int)(rows < 0 ? rows : 0), &err);
		if (rows >= 0 && (rows < before || rows % BATCH_ROWS != 0))
			work->failures++;
		before = rows >= 0 ? rows : before;
	}
	return NULL;
}

static void *do_chores(void *argument)
{
	struct work *work = argument;
	struct err err = {""};
	char backup[128];
	for (unsigned i = 0; !work->stop; i++) {
		note(work, "roll-up", store_roll_up(work->store, T0 + NS_PER_DAY, &err), &err);
		note(work, "retain", store_retain(work->store, T0 + NS_PER_DAY, &err), &err);
		snprintf(backup, sizeof backup, "%s/backup-%u", work->dir, i);
		if (i < 3)
			note(work, "backup", store_backup(work->store, backup, &err), &err);
	}
	return NULL;
}

static void *look_around(void *argument)
{
	struct work *work = argument;
	struct err err = {""};
	while (!work->stop) {
		json_t *status = NULL;
		char token[REGISTRY_TOKEN_BYTES];
		note(work, "status", store_status(work->store, &status, &err), &err);
		json_decref(status);
		note(work, "link", registry_link_new(work->registry, "admin", T0, NS_PER_HOUR, token, &err), &err);
		store_interrupt(work->store);
		usleep(50 * 1000);
	}
	return NULL;
}

static void many_threads_lose_nothing(void **state)
{
	(void)state;
	char room[64], data[128];
	struct work work = {.dir = make_quick_dir(room)};
	snprintf(data, sizeof data, "%s/data", work.dir);
	struct store_options options = options_for(data);
	options.keep_tuple_ns = 0;
	open_store(&options, &work.store);
	must(registry_open(data, &work.registry, &must_err));
	must(registry_user_add(work.registry, "admin", "correct horse battery", ROLE_ADMIN, 0, &must_err));
	void *(*const mains[])(void *) = {write_batches, write_batches, read_counts,
					  read_counts,   do_chores,     look_around};
	enum { THREADS = sizeof mains / sizeof *mains };
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mains[i], &work), 0);
	while (work.done < WRITERS)
		usleep(10 * 1000);
	work.stop = true;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(work.failures, 0);
	assert_int_equal(ask_number(work.store, COUNT_TUPLES), WRITERS * BATCHES * BATCH_ROWS);
	registry_close(work.registry);
	store_close(work.store);
	remove_tree(work.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(many_threads_lose_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
