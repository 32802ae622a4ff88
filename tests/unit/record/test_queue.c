/* Batches of several threads come out whole, once, and in each thread's order; who finds no room waits. */
#include "record/queue.h"

#include "../check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PRODUCERS = 4, BATCHES = 500, ROWS = 8 };

struct producer {
	struct batch_queue *queue;
	uint16_t number;
	atomic_uint put;
	int result;
};

static struct batch *batch_of(uint16_t producer, uint32_t number)
{
	struct batch *batch = batch_new(&record_flow, ROWS);
	batch->rows = 1 + number % ROWS;
	for (size_t c = 0; record_flow.columns[c].name; c++)
		memset(batch->columns[c], 0, batch->rows * column_width(record_flow.columns[c].type));
	for (uint32_t row = 0; row < batch->rows; row++) {
		BATCH_COLUMN(batch, uint16_t, 0)[row] = producer;
		BATCH_COLUMN(batch, uint32_t, 2)[row] = number;
	}
	return batch;
}

static void *produce(void *argument)
{
	struct producer *producer = argument;
	for (uint32_t i = 0; i < BATCHES && producer->result == 0; i++) {
		struct batch *batch = batch_of(producer->number, i);
		struct sink *sink = batch_queue_sink(producer->queue);
		producer->result = sink->put(sink, batch, NULL);
		atomic_fetch_add(&producer->put, producer->result == 0);
		batch_free(batch);
	}
	return NULL;
}

static void everything_comes_out_once_and_in_order(void **state)
{
	(void)state;
	struct batch_queue *queue;
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];
	uint32_t next[PRODUCERS] = {0};
	assert_int_equal(batch_queue_new(&record_flow, ROWS, 3, &queue, NULL), 0);
	for (uint16_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){.queue = queue, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	for (unsigned taken = 0; taken < PRODUCERS * BATCHES; taken++) {
		const struct batch *batch = batch_queue_take(queue, 10000);
		assert_non_null(batch);
		assert_ptr_equal(batch_queue_take(queue, 0), batch);
		uint16_t producer = BATCH_COLUMN(batch, uint16_t, 0)[0];
		uint32_t number = next[producer]++;
		assert_int_equal(batch->rows, 1 + number % ROWS);
		for (uint32_t row = 0; row < batch->rows; row++)
			assert_int_equal(BATCH_COLUMN(batch, uint32_t, 2)[row], number);
		batch_queue_release(queue);
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(batch_queue_take(queue, 1));
	batch_queue_free(queue);
}

static void without_room_a_producer_waits_until_the_end(void **state)
{
	(void)state;
	struct batch_queue *queue;
	pthread_t thread;
	assert_int_equal(batch_queue_new(&record_flow, ROWS, 3, &queue, NULL), 0);
	struct producer producer = {.queue = queue};
	assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
	for (int i = 0; i < 1000 && atomic_load(&producer.put) < 3; i++)
		usleep(1000);
	usleep(20000);
	assert_int_equal(atomic_load(&producer.put), 3);
	batch_queue_end(queue);
	pthread_join(thread, NULL);
	assert_int_equal(producer.result, -ECANCELED);
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(batch_queue_take(queue, 0));
		batch_queue_release(queue);
	}
	assert_null(batch_queue_take(queue, 0));
	batch_queue_free(queue);
}

static void too_large_a_batch_takes_no_room(void **state)
{
	(void)state;
	struct batch_queue *queue;
	struct batch *large = batch_of(0, ROWS - 1);
	assert_int_equal(batch_queue_new(&record_flow, ROWS / 2, 1, &queue, NULL), 0);
	struct sink *sink = batch_queue_sink(queue);
	assert_int_equal(sink->put(sink, large, NULL), -ENOMEM);
	large->rows = 1;
	assert_int_equal(sink->put(sink, large, NULL), 0);
	batch_free(large);
	batch_queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_out_once_and_in_order),
		cmocka_unit_test(without_room_a_producer_waits_until_the_end),
		cmocka_unit_test(too_large_a_batch_takes_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
