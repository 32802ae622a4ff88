/* A backup that is made while writes go on restores to a whole store; one that was touched is refused. */
#include "store/indicators.h"
#include "store/registry.h"

#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

struct writer {
	struct store *store;
	_Atomic bool stop;
	uint64_t batches;
};

static void *write_on(void *argument)
{
	struct writer *writer = argument;
	for (uint64_t i = 1; !writer->stop; i++) {
		struct batch *batch = made_tuples(T0 + (int64_t)i * NS_PER_MINUTE, 100, 7, i);
		if (store_put(writer->store, batch, NULL) != 0 || store_flush(writer->store, NULL) != 0)
			writer->stop = true;
		else
			writer->batches = i;
		batch_free(batch);
	}
	return NULL;
}

static void a_backup_under_writes_restores_whole(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), backup[128], again[128];
	snprintf(backup, sizeof backup, "%s/backup", dir);
	snprintf(again, sizeof again, "%s/again", dir);
	char data[128];
	snprintf(data, sizeof data, "%s/data", dir);
	struct store_options options = options_for(data);
	struct writer writer = {NULL, false, 0};
	struct registry *registry = NULL;
	open_store(&options, &writer.store);
	must(registry_open(data, &registry, &must_err));
	must(registry_user_add(registry, "admin", "correct horse battery", ROLE_ADMIN, 0, &must_err));
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
	usleep(200 * 1000);
	must(store_backup(writer.store, backup, &must_err));
	usleep(100 * 1000);
	assert_false(writer.stop);
	writer.stop = true;
	pthread_join(thread, NULL);
	assert_true(writer.batches > 5);
	assert_int_equal(ask_number(writer.store, COUNT_TUPLES), (int64_t)writer.batches * 100);
	assert_int_equal(store_backup(writer.store, backup, NULL), -EEXIST);
	struct err err = {""};
	assert_int_equal(store_restore(backup, data, true, &err), -EBUSY);
	assert_int_equal(store_restore(backup, data, false, &err), -EEXIST);
	registry_close(registry);
	store_close(writer.store);

	must(store_restore(backup, again, false, &must_err));
	struct store_options restored = options_for(again);
	struct store *store = NULL;
	open_store(&restored, &store);
	int64_t rows = ask_number(store, COUNT_TUPLES);
	uint64_t acknowledged = store_acknowledged(store, 7);
	assert_true(rows > 0 && rows % 100 == 0 && rows <= (int64_t)writer.batches * 100);
	assert_int_equal(acknowledged * 100, rows);
	must(put_tuples(store, T0, 100, 7, acknowledged + 1, &must_err));
	store_close(store);
	must(registry_open(again, &registry, &must_err));
	assert_int_equal(registry_user_count(registry), 1);
	registry_close(registry);
	must(store_restore(backup, again, true, &must_err));
	open_store(&restored, &store);
	assert_int_equal(ask_number(store, COUNT_TUPLES), rows);
	store_close(store);
	remove_tree(dir);
}

/* Objects are put in pairs: a copy that holds half of one is of no instant. */
struct putter {
	struct indicators *indicators;
	_Atomic bool stop;
	_Atomic unsigned pairs;
};

static void *put_on(void *argument)
{
	struct putter *putter = argument;
	struct err err = {""};
	for (unsigned i = 1; !putter->stop; i++) {
		struct indicators_object object = {.type = "report",
						   .type_bytes = 6,
						   .version_us = 1,
						   .version_digits = 3,
						   .text = "{}",
						   .bytes = 2};
		int64_t source;
		bool failed =
			indicators_begin(putter->indicators, &err) != 0 ||
			indicators_source_add(putter->indicators, &(struct indicators_source){"file", "a.json", "test"},
					      T0, &source, &err) < 0;
		for (uint8_t half = 0; half < 2 && !failed; half++) {
			memcpy(object.uuid, &i, sizeof i);
			object.uuid[15] = half;
			failed = indicators_put(putter->indicators, &object, source, 0, T0, &err) != 0;
		}
		if (failed || indicators_commit(putter->indicators, &err) != 0)
			putter->stop = true;
		else
			putter->pairs = i;
	}
	return NULL;
}

static int row_count(void *context, const struct indicators_row *row)
{
	(void)row;
	++*(unsigned *)context;
	return 0;
}

static unsigned on_shelf(const char *dir, const char *name)
{
	struct indicators *indicators = NULL;
	struct indicators_collection collection;
	unsigned count = 0;
	bool more = true;
	must(indicators_open(dir, &indicators, &must_err));
	must(indicators_collection_find(indicators, name, &collection, &must_err));
	const struct indicators_want want = {
		.collection = collection.id, .limit = INDICATORS_PAGE_MAX, .versions = VERSIONS_LAST};
	must(indicators_shelf(indicators, &want, row_count, &count, &more, &must_err));
	indicators_close(indicators);
	assert_false(more);
	return count;
}

static void indicators_are_in_it_as_of_one_instant(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), data[128], backup[128], again[128];
	snprintf(data, sizeof data, "%s/data", dir);
	snprintf(backup, sizeof backup, "%s/backup", dir);
	snprintf(again, sizeof again, "%s/again", dir);
	struct store_options options = options_for(data);
	struct store *store = NULL;
	struct putter putter = {NULL, false, 0};
	struct indicators_collection collection = {
		.name = "members", .title = "t", .clearance = TLP_RED, .automatic = true, .readers = "*"};
	pthread_t thread;
	open_store(&options, &store);
	must(indicators_open(data, &putter.indicators, &must_err));
	must(indicators_collection_put(putter.indicators, &collection, T0, &must_err));
	assert_int_equal(pthread_create(&thread, NULL, put_on, &putter), 0);
	while (putter.pairs < 20 && !putter.stop)
		usleep(1000);
	unsigned before = putter.pairs;
	must(store_backup(store, backup, &must_err));
	assert_false(putter.stop);
	putter.stop = true;
	pthread_join(thread, NULL);
	indicators_close(putter.indicators);
	store_close(store);

	must(store_restore(backup, again, false, &must_err));
	unsigned restored = on_shelf(again, "members");
	assert_true(restored >= 2 * before && restored % 2 == 0);
	must(store_restore(backup, data, true, &must_err));
	assert_int_equal(on_shelf(data, "members"), restored);
	remove_tree(dir);
}

static void a_touched_backup_is_refused(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), backup[128], again[128], path[256];
	snprintf(backup, sizeof backup, "%s-backup", dir);
	snprintf(again, sizeof again, "%s-again", dir);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct err err = {""};
	open_store(&options, &store);
	must(put_tuples(store, T0, 100, 7, 1, &must_err));
	must(store_backup(store, backup, &must_err));
	store_close(store);

	snprintf(path, sizeof path, "%s/observations.duckdb", backup);
	int fd = open(path, O_RDWR);
	char byte = 0;
	assert_int_equal(pread(fd, &byte, 1, 20000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 20000), 1);
	close(fd);
	assert_int_equal(store_restore(backup, again, false, &err), -EBADMSG);
	assert_contains(err.text, "hash differs");
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(store_restore(backup, again, true, &err), -EBADMSG);
	assert_contains(err.text, "bytes were expected");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_restore(backup, again, true, &err), -EBADMSG);

	snprintf(path, sizeof path, "%s/manifest.json", backup);
	FILE *file = fopen(path, "w");
	fputs("{\"format\":1,\"files\":[{\"path\":\"raw/../../outside\",\"bytes\":0,\"blake2b\":\"\"}]}", file);
	fclose(file);
	assert_int_equal(store_restore(backup, again, true, &err), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_restore(backup, again, true, &err), -ENOENT);
	remove_tree(dir);
	remove_tree(backup);
	remove_tree(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backup_under_writes_restores_whole),
		cmocka_unit_test(indicators_are_in_it_as_of_one_instant),
		cmocka_unit_test(a_touched_backup_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
