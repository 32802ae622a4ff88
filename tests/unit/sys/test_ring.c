/* Rings: order, wrapping, a full ring, waiting across processes, dead and hostile producers, dead consumers. */
#include "../check.h"

#include "core/hash.h"
#include "sys/ring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_order_and_wrapping(void **state)
{
	(void)state;
	struct ring *ring;
	struct err err;
	uint8_t record[700];
	uint64_t random = 1;
	assert_int_equal(ring_new(4096, &ring, &err), 0);
	for (unsigned round = 0; round < 5000; round++) {
		for (unsigned i = 0; i < 3; i++) {
			size_t bytes = 1 + random_below(&random, sizeof record);
			memset(record, (int)(round + i), bytes);
			assert_int_equal(ring_write(ring, record, bytes, 0, &err), 0);
		}
		/* the reader's side is another copy of the struct after a fork; here both sides share one position,
		 * so give it its own */
		ring_consume(ring);
		const uint8_t *data;
		size_t bytes;
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(ring_take(ring, (const void **)&data, &bytes, &err), 1);
			for (size_t k = 0; k < bytes; k++)
				assert_int_equal(data[k], (uint8_t)(round + i));
		}
		assert_int_equal(ring_take(ring, (const void **)&data, &bytes, &err), 0);
		ring_release(ring);
	}
	assert_int_equal(ring_counters(ring).records, 15000);
	assert_int_equal(ring_counters(ring).waiting_bytes, 0);
	ring_free(ring);
}

static void test_full_ring_counts_what_it_loses(void **state)
{
	(void)state;
	struct ring *ring;
	struct err err;
	uint8_t record[1000] = {0};
	assert_int_equal(ring_new(4096, &ring, &err), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ring_write(ring, record, sizeof record, 0, &err), 0);
	assert_int_equal(ring_write(ring, record, sizeof record, 0, &err), -EAGAIN);
	assert_int_equal(ring_write(ring, record, sizeof record, 20, &err), -EAGAIN);
	assert_int_equal(ring_counters(ring).lost_records, 2);
	assert_int_equal(ring_counters(ring).lost_bytes, 2000);
	assert_int_equal(ring_write(ring, record, 3000, 0, &err), -EMSGSIZE);
	assert_int_equal(ring_write(ring, record, 0, 0, &err), -EMSGSIZE);
	ring_free(ring);
}

static void produce_numbers(struct ring *ring, uint64_t from, uint64_t to)
{
	struct err err;
	uint64_t record[16] = {0};
	ring_produce(ring);
	for (record[0] = from; record[0] < to; record[0]++)
		if (ring_write(ring, record, 8 + (record[0] % 15) * 8, 5000, &err) < 0)
			_exit(1);
}

static void consume_numbers(struct ring *ring, uint64_t from, uint64_t to)
{
	struct err err;
	const uint64_t *data;
	size_t bytes;
	for (uint64_t wanted = from; wanted < to;) {
		int result = ring_take(ring, (const void **)&data, &bytes, &err);
		assert_true(result >= 0);
		if (result == 1) {
			assert_int_equal(data[0], wanted);
			assert_int_equal(bytes, 8 + (wanted % 15) * 8);
			if (++wanted % 7 == 0)
				ring_release(ring);
			continue;
		}
		ring_release(ring);
		struct pollfd readable = {.fd = ring_fd(ring), .events = POLLIN};
		assert_int_equal(poll(&readable, 1, 5000), 1);
		ring_quiet(ring);
	}
	ring_release(ring);
}

static void test_across_processes_with_restarts(void **state)
{
	(void)state;
	struct ring *ring;
	struct err err;
	assert_int_equal(ring_new(4096, &ring, &err), 0);
	ring_consume(ring);
	for (uint64_t round = 0; round < 3; round++) { /* each round is a producer started anew */
		pid_t pid = fork();
		if (pid == 0) {
			produce_numbers(ring, round * 20000, (round + 1) * 20000);
			_exit(0);
		}
		consume_numbers(ring, round * 20000, (round + 1) * 20000);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ring_counters(ring).lost_records, 0);
	ring_free(ring);
}

static void test_unreleased_records_come_again(void **state)
{
	(void)state;
	struct ring *ring;
	struct err err;
	const void *data;
	size_t bytes;
	assert_int_equal(ring_new(4096, &ring, &err), 0);
	produce_numbers(ring, 0, 3);
	ring_consume(ring);
	assert_int_equal(ring_take(ring, &data, &bytes, &err), 1);
	ring_release(ring);
	assert_int_equal(ring_take(ring, &data, &bytes, &err), 1);
	ring_consume(ring); /* the consumer died here; its successor */
	assert_int_equal(ring_take(ring, &data, &bytes, &err), 1);
	assert_int_equal(*(const uint64_t *)data, 1);
	ring_free(ring);
}

/* A producer that was taken over writes anything anywhere in the shared memory. */
static void test_hostile_producer(void **state)
{
	(void)state;
	struct ring *ring;
	struct err err;
	const void *data;
	size_t bytes;
	assert_int_equal(ring_new(4096, &ring, &err), 0);
	uint8_t *shared = *(uint8_t **)ring; /* the first member */
	uint64_t random = 7;
	unsigned damaged = 0;
	for (unsigned round = 0; round < 20000; round++) {
		ring_produce(ring);
		for (unsigned i = 0; i < 5; i++) {
			uint64_t record[20] = {i};
			int written = ring_write(ring, record, sizeof record, 0, &err);
			assert_true(written == 0 || written == -EAGAIN);
		}
		ring_consume(ring);
		for (unsigned i = 0; i < 6; i++)
			shared[random_below(&random, 256 + 4096)] = (uint8_t)random_next(&random);
		for (unsigned reads = 0; reads < 20; reads++) {
			int result = ring_take(ring, &data, &bytes, &err);
			if (result == 1)
				assert_in_range(bytes, 1, 2048);
			damaged += result == -EBADMSG;
			assert_true(result == 1 || result == 0 || result == -EBADMSG);
		}
		ring_release(ring);
	}
	assert_true(damaged > 100);
	ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_wrapping),
		cmocka_unit_test(test_full_ring_counts_what_it_loses),
		cmocka_unit_test(test_across_processes_with_restarts),
		cmocka_unit_test(test_unreleased_records_come_again),
		cmocka_unit_test(test_hostile_producer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
