/* What is put and flushed is there, once, in every kind of value; one process holds the directory. */
#include "rows.h"

#include <errno.h>
#include <sys/wait.h>

static void a_batch_is_there_after_a_flush(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	must(put_tuples(store, T0, 1000, 7, 1, &must_err));
	assert_int_equal(ask_number(store, COUNT_TUPLES), 0);
	assert_int_equal(store_acknowledged(store, 7), 0);
	must(store_flush(store, &must_err));
	assert_int_equal(ask_number(store, COUNT_TUPLES), 1000);
	assert_int_equal(store_acknowledged(store, 7), 1);
	store_close(store);
	open_store(&options, &store);
	assert_int_equal(ask_number(store, COUNT_TUPLES), 1000);
	assert_int_equal(store_acknowledged(store, 7), 1);
	store_close(store);
	remove_tree(dir);
}

static void a_batch_sent_twice_is_stored_once(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct err err = {""};
	open_store(&options, &store);
	assert_int_equal(put_tuples(store, T0, 10, 7, 1, &err), 0);
	assert_int_equal(put_tuples(store, T0, 10, 7, 1, &err), 1);
	assert_int_equal(put_tuples(store, T0, 10, 7, 3, &err), 0);
	must(store_flush(store, &must_err));
	assert_int_equal(store_acknowledged(store, 7), 1);
	assert_int_equal(put_tuples(store, T0, 10, 7, 2, &err), 0); /* late, not a duplicate */
	assert_int_equal(put_tuples(store, T0, 10, 8, 1, &err), 0); /* another boot */
	assert_int_equal(put_tuples(store, T0, 10, 9, 0, &err), 0); /* no acknowledgement wanted */
	assert_int_equal(put_tuples(store, T0, 10, 9, 0, &err), 0);
	store_close(store);
	open_store(&options, &store);
	assert_int_equal(put_tuples(store, T0, 10, 7, 2, &err), 1);
	assert_int_equal(put_tuples(store, T0, 10, 8, 1, &err), 1);
	assert_int_equal(put_tuples(store, T0, 10, 7, 5000, &err), 0);
	assert_int_equal(put_tuples(store, T0, 10, 7, 5000 - 1024, &err), 1); /* behind the window */
	assert_int_equal(put_tuples(store, T0, 10, 7, 5000 - 1023, &err), 0);
	must(store_flush(store, &must_err));
	assert_int_equal(ask_number(store, COUNT_TUPLES), 80);
	assert_int_equal(store_acknowledged(store, 7), 5000 - 1023);
	store_close(store);
	remove_tree(dir);
}

static void values_come_back_as_people_write_them(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	must(put_tuples(store, T0, 7, 7, 1, &must_err));
	must(store_flush(store, &must_err));
	json_t *answer = ask_store(store, "{'kind':'tuple','from':'2026-01-01','to':'2026-01-02','filters':"
					  "[{'field':'port','op':'=','value':53}]}");
	json_t *rows = json_object_get(answer, "rows"), *row = json_array_get(rows, 0);
	assert_int_equal(json_array_size(rows), 1);
	char *text = json_dumps(row, 0);
	assert_string_equal(text,
			    "[\"2026-01-01T00:00:00Z\", 1, \"192.0.2.6\", \"scan\", \"unknown\", 0, \"udp\", 53, 2, "
			    "50, 0, 1, 40, 1, \"2026-01-01T00:00:06.000123Z\", \"2026-01-01T00:00:06.000123Z\", "
			    "\"0xfedcba9876543210\", \"0xabcd0001\", \"JP\", 2906]");
	free(text);
	assert_true(json_is_true(json_object_get(answer, "exact")));
	assert_string_equal(json_string_value(json_object_get(answer, "command")),
			    "yagura query tuple --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z --where port=53");
	json_decref(answer);
	store_close(store);
	remove_tree(dir);
}

static struct batch *made_finding(const char *id, const char *subject, uint64_t packets)
{
	struct batch *batch = batch_new(&record_finding, 1);
	batch->rows = 1;
	BATCH_COLUMN(batch, struct text, 0)[0] = batch_text(batch, id, strlen(id));
	BATCH_COLUMN(batch, int64_t, 1)[0] = T0;
	BATCH_COLUMN(batch, struct text, 4)[0] = batch_text(batch, subject, strlen(subject));
	BATCH_COLUMN(batch, uint64_t, 8)[0] = packets;
	BATCH_COLUMN(batch, double, 9)[0] = 1.5;
	BATCH_COLUMN(batch, struct text, 12)[0] = batch_text(batch, "{\"rule\":[1,2]}", 14);
	return batch;
}

static void a_later_finding_replaces_an_earlier_one(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint64_t i = 1; i <= 5; i++) {
		struct batch *batch = made_finding(i == 3 ? "other" : "a", "192.0.2.1", i);
		must(store_put(store, batch, &must_err));
		batch_free(batch);
		if (i % 2 == 0)
			must(store_flush(store, &must_err));
	}
	must(store_flush(store, &must_err));
	json_t *answer = ask_store(store, "{'kind':'finding','from':'2026-01-01','to':'2026-01-02',"
					  "'order':[{'by':'packets','descending':true}]}");
	json_t *rows = json_object_get(answer, "rows");
	assert_int_equal(json_array_size(rows), 2);
	json_t *first = json_array_get(rows, 0);
	assert_int_equal(json_integer_value(json_array_get(first, 8)), 5);
	assert_true(json_is_object(json_array_get(first, 12)));
	json_decref(answer);
	store_close(store);
	remove_tree(dir);
}

static void one_process_holds_the_directory(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL, *second = NULL;
	struct err err = {""};
	open_store(&options, &store);
	assert_int_equal(store_open(&options, &second, &err), -EBUSY);
	assert_contains(err.text, "in use by process");
	store_close(store);
	open_store(&options, &store);
	store_close(store);
	store_close(NULL);
	options.dir = "/nonexistent/there";
	assert_int_equal(store_open(&options, &second, &err), -ENOENT);
	assert_contains(err.text, "/nonexistent/there");
	remove_tree(dir);
}

static void sparks_are_never_stored(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	struct batch *batch = batch_new(&record_spark, 1);
	assert_int_equal(store_put(store, batch, NULL), -EINVAL);
	batch_free(batch);
	store_close(store);
	remove_tree(dir);
}

static void the_status_counts(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	must(put_tuples(store, T0, 100, 7, 1, &must_err));
	must(put_tuples(store, T0 + 5 * NS_PER_MINUTE, 100, 7, 2, &must_err));
	must(store_flush(store, &must_err));
	for (int round = 0; round < 2; round++) {
		json_t *status = NULL;
		must(store_status(store, &status, &must_err));
		assert_string_equal(json_string_value(json_object_get(status, "state")), "ok");
		assert_string_equal(json_string_value(json_object_get(status, "oldest")), "2026-01-01T00:00:00Z");
		assert_string_equal(json_string_value(json_object_get(status, "newest")), "2026-01-01T00:05:00Z");
		json_t *tuple = json_object_get(json_object_get(status, "kinds"), "tuple");
		assert_int_equal(json_integer_value(json_object_get(tuple, "rows")), 200);
		assert_true(json_integer_value(json_object_get(status, "bytes")) > 1000);
		json_decref(status);
		store_close(store);
		open_store(&options, &store);
	}
	store_close(store);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_there_after_a_flush),
		cmocka_unit_test(a_batch_sent_twice_is_stored_once),
		cmocka_unit_test(values_come_back_as_people_write_them),
		cmocka_unit_test(a_later_finding_replaces_an_earlier_one),
		cmocka_unit_test(one_process_holds_the_directory),
		cmocka_unit_test(sparks_are_never_stored),
		cmocka_unit_test(the_status_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
