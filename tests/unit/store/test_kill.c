/* kill -9 at random moments: what was acknowledged is there, no batch is there in part, the store opens.
 *
 * A child puts, flushes, rolls up and checkpoints as fast as it can and says after each flush how far it came; it is
 * killed after a random while, and another child opens what is left and counts. */
#include "store/state.h"

#include "core/hash.h"

#include "rows.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <zstd.h>

enum { ROUNDS = 10, BATCH_ROWS = 500 };

static struct batch *made_block(uint64_t sequence)
{
	char packed[256], data[64];
	memset(data, (int)sequence & 127, sizeof data);
	size_t length = ZSTD_compress(packed, sizeof packed, data, sizeof data, 1);
	struct batch *batch = batch_new(&record_block, 1);
	batch->rows = 1;
	batch->sensor_boot = 8;
	batch->sequence = sequence;
	BATCH_COLUMN(batch, int64_t, 0)[0] = T0;
	BATCH_COLUMN(batch, int64_t, 1)[0] = T0 + NS_PER_S;
	BATCH_COLUMN(batch, uint64_t, 3)[0] = sequence;
	BATCH_COLUMN(batch, struct text, 5)[0] = batch_text(batch, packed, length);
	return batch;
}

/* Runs until it is killed; any failure ends it by itself, which the parent sees. */
static void work(const char *dir, int out)
{
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	struct err err = {""};
	if (store_open(&options, &store, &err) != 0) {
		fprintf(stderr, "open: %s\n", err.text);
		_exit(1);
	}
	store->wal_bytes_max = 300 << 10;
	for (uint64_t i = store_acknowledged(store, 7) + 1;; i++) {
		struct batch *batch = made_tuples(T0 + (int64_t)(i / 5) * NS_PER_MINUTE, BATCH_ROWS, 7, i);
		for (uint32_t row = 0; row < batch->rows; row++)
			BATCH_COLUMN(batch, uint64_t, 16)[row] = i;
		struct batch *block = made_block(i);
		int code = store_put(store, batch, &err);
		if (code >= 0)
			code = store_put(store, block, &err);
		if (code >= 0 && i % 3 == 0)
			code = store_flush(store, &err);
		if (code == 0 && i % 40 == 0)
			code = store_roll_up(store, T0 + NS_PER_DAY, &err);
		batch_free(batch);
		batch_free(block);
		if (code < 0) {
			fprintf(stderr, "batch %llu: %s\n", (unsigned long long)i, err.text);
			_exit(1);
		}
		if (i % 3 == 0 && write(out, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static int count_block(void *context, const struct store_block *block)
{
	bool whole = block->bytes == 64;
	for (size_t i = 0; whole && i < block->bytes; i++)
		whole = block->pcapng[i] == (block->block & 127);
	*(uint64_t *)context += whole;
	return 0;
}

static void check(const char *dir, uint64_t acknowledged)
{
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	uint64_t stored = store_acknowledged(store, 7), blocks = 0;
	assert_true(stored >= acknowledged);
	assert_int_equal(store_acknowledged(store, 8), stored);
	assert_int_equal(ask_number(store, COUNT_TUPLES), stored * BATCH_ROWS);
	json_t *answer = ask_store(store, "{'kind':'tuple','from':'2025-12-01','to':'2027-01-01','keys':['payload'],"
					  "'aggregates':[{'op':'count'}],'limit':1000000}");
	json_t *rows = json_object_get(answer, "rows");
	assert_int_equal(json_array_size(rows), stored);
	for (size_t i = 0; i < json_array_size(rows); i++)
		assert_int_equal(json_integer_value(json_array_get(json_array_get(rows, i), 1)), BATCH_ROWS);
	json_decref(answer);
	must(store_raw_packets(store, NULL, T0, T0 + NS_PER_HOUR, count_block, &blocks, &must_err));
	assert_int_equal(blocks, stored);
	assert_int_equal(store->raw_broken, 0);
	store_close(store);
}

static pid_t start(void (*run)(const char *dir, int out), const char *dir, int pipes[2])
{
	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pipes[0]);
		run(dir, pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	return child;
}

/* Let it work for `ms` after its first word; the last it said. */
static uint64_t listen_for(int in, int ms)
{
	uint64_t said = 0, last = 0;
	int64_t until = clock_monotonic_ns() + 10 * NS_PER_S;
	bool heard = false;
	while (clock_monotonic_ns() < until) {
		struct pollfd wait = {.fd = in, .events = POLLIN};
		if (poll(&wait, 1, 5) <= 0)
			continue;
		if (read(in, &said, sizeof said) != sizeof said)
			break;
		last = said;
		if (!heard)
			until = clock_monotonic_ns() + ms * NS_PER_MS;
		heard = true;
	}
	return last;
}

static void what_was_acknowledged_survives(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	uint64_t acknowledged = 0, seed = 42;
	for (int round = 0; round < ROUNDS; round++) {
		int pipes[2], status;
		pid_t child = start(work, dir, pipes);
		uint64_t said = listen_for(pipes[0], (int)random_below(&seed, 300));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		for (uint64_t more; read(pipes[0], &more, sizeof more) == sizeof more;)
			said = more; /* written before the signal came */
		close(pipes[0]);
		assert_true(said == 0 || said > acknowledged); /* 0: it was killed before the first was said */
		acknowledged = said ? said : acknowledged;
	}
	assert_true(acknowledged > 0);
	check(dir, acknowledged);
	print_message("killed %d times; %llu batches of %d rows acknowledged, none lost\n", ROUNDS,
		      (unsigned long long)acknowledged, BATCH_ROWS);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_survives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
