/* Batches between threads: many put, one takes. Bounded: who puts waits while there is no room, so that what comes too
 * quickly piles up where it is counted (a socket's buffer) and not in memory.
 */
#pragma once

#include "record/batch.h"

struct batch_queue;

/* Room for `count` batches of at most `rows`. -ENOMEM. */
int batch_queue_new(const struct record_kind *kind, uint32_t rows, unsigned count, struct batch_queue **ret_queue,
		    struct err *err) must_check;
void batch_queue_free(struct batch_queue *queue); /* what waits is dropped; NULL is fine */

/* To be put into from any thread: copies; waits for room; -ECANCELED after batch_queue_end(). */
struct sink *batch_queue_sink(struct batch_queue *queue);
/* No more is taken in: who waits to put is refused. What is there can still be taken. */
void batch_queue_end(struct batch_queue *queue);

/* The oldest batch, borrowed until batch_queue_release(); NULL when none came within timeout_ms. Taken again before it
 * was released, it is the same one. */
const struct batch *batch_queue_take(struct batch_queue *queue, int timeout_ms);
void batch_queue_release(struct batch_queue *queue);
