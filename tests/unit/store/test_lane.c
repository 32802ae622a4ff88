/* Findings and sightings go a way of their own: flushed alone, together or not at all, beside whatever else is written.
 */
#include "core/hash.h"

#include "rows.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define COUNT_FINDINGS "{'kind':'finding','from':'2025-12-01','to':'2027-01-01','aggregates':[{'op':'count'}]}"
#define COUNT_SIGHTINGS "{'kind':'sighting','from':'2025-12-01','to':'2027-01-01','aggregates':[{'op':'count'}]}"
#define SUM_SIGHTINGS                                                                                                  \
	"{'kind':'sighting','from':'2025-12-01','to':'2027-01-01','aggregates':[{'op':'sum','field':'packets'}]}"
#define SUM_FINDINGS                                                                                                   \
	"{'kind':'finding','from':'2025-12-01','to':'2027-01-01','aggregates':[{'op':'sum','field':'packets'}]}"

static void texts_empty(struct batch *batch)
{
	for (size_t c = 0; batch->kind->columns[c].name; c++) {
		enum column_type type = batch->kind->columns[c].type;
		if (type == COLUMN_TEXT || type == COLUMN_JSON || type == COLUMN_BLOB)
			BATCH_COLUMN(batch, struct text, c)[0] = batch_text(batch, "{}", 2);
	}
}

static struct batch *made_finding(const char *id, uint64_t packets)
{
	struct batch *batch = batch_new(&record_finding, 1);
	batch->rows = 1;
	texts_empty(batch);
	BATCH_COLUMN(batch, struct text, 0)[0] = batch_text(batch, id, strlen(id));
	BATCH_COLUMN(batch, int64_t, 1)[0] = T0;
	BATCH_COLUMN(batch, uint64_t, 8)[0] = packets;
	return batch;
}

static struct batch *made_sighting(uint64_t boot, uint64_t sequence, int64_t at_ns, const char *evidence)
{
	struct batch *batch = batch_new(&record_sighting, 1);
	batch->rows = 1;
	batch->sensor_boot = boot;
	batch->sequence = sequence;
	texts_empty(batch);
	BATCH_COLUMN(batch, int64_t, 0)[0] = at_ns;
	BATCH_COLUMN(batch, struct addr, 3)[0] = addr_from_v4(0xcb007109);
	BATCH_COLUMN(batch, uint32_t, 16)[0] = 1;
	BATCH_COLUMN(batch, int64_t, 22)[0] = at_ns;
	BATCH_COLUMN(batch, struct text, 23)[0] = batch_text(batch, evidence, strlen(evidence));
	return batch;
}

static void put(struct store *store, struct batch *batch)
{
	must(store_put(store, batch, &must_err));
	batch_free(batch);
}

static void what_is_urgent_is_flushed_alone(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	must(put_tuples(store, T0, 100, 7, 1, &must_err));
	put(store, made_finding("a", 1));
	put(store, made_sighting(8, 1, T0, "x"));
	must(store_flush_urgent(store, &must_err));
	assert_int_equal(ask_number(store, COUNT_FINDINGS), 1);
	assert_int_equal(ask_number(store, COUNT_SIGHTINGS), 1);
	assert_int_equal(ask_number(store, COUNT_TUPLES), 0);
	must(store_flush(store, &must_err));
	assert_int_equal(ask_number(store, COUNT_TUPLES), 100);
	store_close(store);
	remove_tree(dir);
}

static void a_duplicate_is_told_before_it_is_worked_on(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct batch *sighting = made_sighting(8, 3, T0, "x");
	open_store(&options, &store);
	assert_int_equal(store_would_take(store, sighting, NULL), 0);
	struct batch *finding = made_finding("a", 1);
	const struct batch *const batches[] = {sighting, finding};
	must(store_put_together(store, batches, 2, &must_err));
	batch_free(finding);
	assert_int_equal(store_would_take(store, sighting, NULL), 1);
	assert_int_equal(store_put_together(store, batches, 1, NULL), 1);
	must(store_flush_urgent(store, &must_err));
	store_close(store);
	open_store(&options, &store);
	assert_int_equal(store_would_take(store, sighting, NULL), 1);
	/* the same name in the other lane is another's */
	must(put_tuples(store, T0, 1, 8, 3, &must_err));
	assert_int_equal(ask_number(store, COUNT_SIGHTINGS), 1);
	batch_free(sighting);
	store_close(store);
	remove_tree(dir);
}

static int evidence_add(void *context, const void *records, size_t bytes)
{
	strncat(context, records, bytes);
	return 0;
}

static void evidence_comes_in_order_and_only_what_is_wanted(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), text[64] = "";
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint64_t i = 0; i < 6; i++) {
		char name[2] = {(char)('f' - i), 0};
		struct batch *sighting = made_sighting(8, i + 1, T0 + (int64_t)(6 - i) * NS_PER_S, i == 2 ? "" : name);
		BATCH_COLUMN(sighting, uint8_t, 5)[0] = i == 4 ? ROLE_QUOTED : ROLE_SOURCE;
		put(store, sighting);
	}
	must(store_flush_urgent(store, &must_err));
	struct store_evidence wanted = {
		.address = addr_from_v4(0xcb007109), .from_ns = T0, .to_ns = T0 + NS_PER_MINUTE, .rows_max = 100};
	must(store_evidence(store, &wanted, evidence_add, text, &must_err));
	assert_string_equal(text, "acef");
	wanted.attacked = true;
	must(store_evidence(store, &wanted, evidence_add, strcpy(text, ""), &must_err));
	assert_string_equal(text, "b");
	wanted = (struct store_evidence){wanted.address, false, T0 + 2 * NS_PER_S, T0 + 5 * NS_PER_S, 100};
	must(store_evidence(store, &wanted, evidence_add, strcpy(text, ""), &must_err));
	assert_string_equal(text, "ce");
	wanted.rows_max = 1;
	must(store_evidence(store, &wanted, evidence_add, strcpy(text, ""), &must_err));
	assert_string_equal(text, "c");
	wanted.address = addr_from_v4(0xcb00710a);
	must(store_evidence(store, &wanted, evidence_add, strcpy(text, ""), &must_err));
	assert_string_equal(text, "");
	store_close(store);
	remove_tree(dir);
}

struct bulk {
	struct store *store;
	_Atomic bool stop;
	_Atomic int64_t longest_ns;
};

static void *bulk_main(void *context)
{
	struct bulk *bulk = context;
	for (uint64_t sequence = 1; !bulk->stop; sequence++) {
		struct err err = {""};
		int code = 0;
		for (uint64_t i = 0; i < 8 && code == 0; i++)
			code = put_tuples(bulk->store, T0 + (int64_t)sequence * NS_PER_MINUTE, BATCH_ROWS_MAX, 7,
					  8 * sequence + i, &err);
		int64_t began_ns = clock_monotonic_ns();
		if (code == 0)
			code = store_flush(bulk->store, &err);
		int64_t took_ns = clock_monotonic_ns() - began_ns;
		if (code < 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(1);
		}
		if (took_ns > bulk->longest_ns)
			bulk->longest_ns = took_ns;
	}
	return NULL;
}

static void it_does_not_stand_behind_a_minute_of_tuples(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room), id[32];
	struct store_options options = options_for(dir);
	options.memory_bytes = 512 << 20;
	struct bulk bulk = {.stop = false};
	pthread_t thread;
	open_store(&options, &bulk.store);
	assert_int_equal(pthread_create(&thread, NULL, bulk_main, &bulk), 0);
	int64_t sum_ns = 0;
	unsigned count = 0;
	for (int64_t until_ns = clock_monotonic_ns() + 3 * NS_PER_S; clock_monotonic_ns() < until_ns; count++) {
		snprintf(id, sizeof id, "finding %u", count);
		put(bulk.store, made_finding(id, 1));
		int64_t began_ns = clock_monotonic_ns();
		must(store_flush_urgent(bulk.store, &must_err));
		sum_ns += clock_monotonic_ns() - began_ns;
		usleep(5000);
	}
	bulk.stop = true;
	pthread_join(thread, NULL);
	printf("longest flush of tuples %lld ms, mean urgent flush %.1f ms over %u\n",
	       (long long)(bulk.longest_ns / NS_PER_MS), (double)sum_ns / count / 1e6, count);
	assert_true(sum_ns / count < bulk.longest_ns / 3);
	assert_int_equal(ask_number(bulk.store, COUNT_FINDINGS), count);
	store_close(bulk.store);
	remove_tree(dir);
}

/* Runs until it is killed: one sighting and the finding that has counted it, together, each time. */
static void work(const char *dir, uint64_t begin)
{
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct err err = {""};
	if (store_open(&options, &store, &err) < 0)
		_exit(1);
	for (uint64_t i = begin;; i++) {
		struct batch *sighting = made_sighting(8, i, T0, "x"), *finding = made_finding("a", i);
		const struct batch *const batches[] = {sighting, finding};
		if (store_put_together(store, batches, 2, &err) < 0 ||
		    (i % 2 && store_put(store, made_tuples(T0, 3000, 9, i), &err) < 0) ||
		    (i % 3 == 0 ? store_flush(store, &err) : store_flush_urgent(store, &err)) < 0)
			_exit(1);
		batch_free(sighting);
		batch_free(finding);
	}
}

static void a_kill_leaves_both_or_none(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct store_options options = options_for(dir);
	uint64_t seed = 11, sightings = 0;
	for (int round = 0; round < 6; round++) {
		pid_t pid = fork();
		if (pid == 0)
			work(dir, sightings + 1);
		usleep(200000 + (useconds_t)random_below(&seed, 300000));
		int status = 0;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		struct store *store = NULL;
		open_store(&options, &store);
		uint64_t now = (uint64_t)ask_number(store, SUM_SIGHTINGS);
		assert_int_equal(ask_number(store, SUM_FINDINGS), now);
		assert_true(now >= sightings);
		sightings = now;
		store_close(store);
	}
	assert_true(sightings > 0);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_urgent_is_flushed_alone),
		cmocka_unit_test(a_duplicate_is_told_before_it_is_worked_on),
		cmocka_unit_test(evidence_comes_in_order_and_only_what_is_wanted),
		cmocka_unit_test(it_does_not_stand_behind_a_minute_of_tuples),
		cmocka_unit_test(a_kill_leaves_both_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
