/* See queue.h. Batches are copied outside the lock: those that are free lie on a stack, full ones in a ring. */
#include "record/queue.h"

#include "core/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct batch_queue {
	struct sink sink;
	pthread_mutex_t lock;
	pthread_cond_t freed, filled;
	struct batch **batches; /* `count` of them, owned */
	struct batch **idle;    /* a stack */
	struct batch **full;    /* a ring of `count` */
	unsigned count, idle_count, first, full_count;
	bool ended;
};

static struct batch *idle_take(struct batch_queue *queue)
{
	struct batch *batch = NULL;
	pthread_mutex_lock(&queue->lock);
	while (!queue->idle_count && !queue->ended)
		pthread_cond_wait(&queue->freed, &queue->lock);
	if (!queue->ended)
		batch = queue->idle[--queue->idle_count];
	pthread_mutex_unlock(&queue->lock);
	return batch;
}

static int queue_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct batch_queue *queue = (struct batch_queue *)sink;
	struct batch *copy = idle_take(queue);
	if (!copy)
		return err_set(err, -ECANCELED, "batches are not taken any more");
	int result = batch_copy(batch, copy);
	pthread_mutex_lock(&queue->lock);
	if (result < 0) {
		queue->idle[queue->idle_count++] = copy;
	} else {
		queue->full[(queue->first + queue->full_count++) % queue->count] = copy;
		pthread_cond_signal(&queue->filled);
	}
	pthread_mutex_unlock(&queue->lock);
	return result < 0 ? err_set(err, result, "a batch of %u rows has no room", batch->rows) : 0;
}

int batch_queue_new(const struct record_kind *kind, uint32_t rows, unsigned count, struct batch_queue **ret_queue,
		    struct err *err)
{
	struct batch_queue *queue = calloc(1, sizeof *queue);
	if (!queue)
		return err_set(err, -ENOMEM, "no memory for a queue");
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	queue->sink.put = queue_put;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->freed, NULL);
	pthread_cond_init(&queue->filled, &monotonic);
	pthread_condattr_destroy(&monotonic);
	queue->batches = calloc(3 * (size_t)count, sizeof *queue->batches);
	queue->count = queue->batches ? count : 0;
	if (queue->batches) {
		queue->idle = queue->batches + count;
		queue->full = queue->idle + count;
	}
	for (; queue->idle_count < queue->count; queue->idle_count++) {
		struct batch *batch = batch_new(kind, rows);
		if (!batch)
			break;
		queue->batches[queue->idle_count] = queue->idle[queue->idle_count] = batch;
	}
	if (queue->idle_count < count) {
		batch_queue_free(queue);
		return err_set(err, -ENOMEM, "no memory for a queue of %u batches", count);
	}
	*ret_queue = queue;
	return 0;
}

void batch_queue_free(struct batch_queue *queue)
{
	if (!queue)
		return;
	for (unsigned i = 0; i < queue->count; i++)
		batch_free(queue->batches[i]);
	free(queue->batches);
	pthread_cond_destroy(&queue->filled);
	pthread_cond_destroy(&queue->freed);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

struct sink *batch_queue_sink(struct batch_queue *queue)
{
	return &queue->sink;
}

void batch_queue_end(struct batch_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->ended = true;
	pthread_cond_broadcast(&queue->freed);
	pthread_mutex_unlock(&queue->lock);
}

static struct timespec after_ms(int timeout_ms)
{
	int64_t until_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	return (struct timespec){until_ns / NS_PER_S, until_ns % NS_PER_S};
}

const struct batch *batch_queue_take(struct batch_queue *queue, int timeout_ms)
{
	struct timespec until = after_ms(timeout_ms);
	pthread_mutex_lock(&queue->lock);
	while (!queue->full_count && timeout_ms > 0 &&
	       pthread_cond_timedwait(&queue->filled, &queue->lock, &until) == 0)
		;
	const struct batch *batch = queue->full_count ? queue->full[queue->first] : NULL;
	pthread_mutex_unlock(&queue->lock);
	return batch;
}

void batch_queue_release(struct batch_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->idle[queue->idle_count++] = queue->full[queue->first];
	queue->first = (queue->first + 1) % queue->count;
	queue->full_count--;
	pthread_cond_signal(&queue->freed);
	pthread_mutex_unlock(&queue->lock);
}
