/* See archive_writer.h. */
#include "store/archive_writer.h"

#include "core/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAKE_MS = 100 };
#define RETRY_NS NS_PER_S
#define RETAIN_NS NS_PER_MINUTE

struct archive_writer {
	struct archive *archive;
	struct batch_queue *queue;
	int64_t flush_ns, flushed_ns, retained_ns;
	uint64_t unflushed; /* rows */
	pthread_t thread;
	atomic_bool stop, give_up;
	pthread_mutex_t lock; /* of the figures */
	struct archive_writer_figures figures;
	int result;
};

struct archive_writer_figures archive_writer_figures(struct archive_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	struct archive_writer_figures figures = writer->figures;
	pthread_mutex_unlock(&writer->lock);
	return figures;
}

static void outcome_note(struct archive_writer *writer, int result, const struct err *err, uint64_t rows)
{
	pthread_mutex_lock(&writer->lock);
	if (result < 0) {
		writer->figures.blocked += !writer->figures.is_blocked;
		writer->figures.why = *err;
	}
	writer->figures.is_blocked = result < 0;
	writer->figures.rows += rows;
	pthread_mutex_unlock(&writer->lock);
}

static void lost_note(struct archive_writer *writer, int result, uint64_t rows)
{
	writer->result = result;
	pthread_mutex_lock(&writer->lock);
	writer->figures.lost += rows;
	pthread_mutex_unlock(&writer->lock);
}

static void retry_wait(struct archive_writer *writer)
{
	const struct timespec step = {0, 50 * NS_PER_MS};
	int64_t until_ns = clock_monotonic_ns() + RETRY_NS;
	while (clock_monotonic_ns() < until_ns && !atomic_load(&writer->stop) && !atomic_load(&writer->give_up))
		nanosleep(&step, NULL);
}

/* Until it is done or given up. */
static int insist(struct archive_writer *writer, const struct batch *batch)
{
	for (;;) {
		struct err err = {""};
		int result = batch ? archive_put(writer->archive, batch, &err) : archive_flush(writer->archive, &err);
		outcome_note(writer, result, &err, result == 0 && !batch ? writer->unflushed : 0);
		if (result == 0 || atomic_load(&writer->stop) || atomic_load(&writer->give_up))
			return result;
		retry_wait(writer);
	}
}

static void flush(struct archive_writer *writer)
{
	writer->flushed_ns = clock_monotonic_ns();
	if (!writer->unflushed)
		return;
	int result = insist(writer, NULL);
	if (result < 0)
		lost_note(writer, result, writer->unflushed);
	writer->unflushed = 0;
}

static void take(struct archive_writer *writer, const struct batch *batch)
{
	int result = insist(writer, batch);
	if (result < 0)
		lost_note(writer, result, batch->rows);
	else
		writer->unflushed += batch->rows;
	batch_queue_release(writer->queue);
}

static void *writer_run(void *argument)
{
	struct archive_writer *writer = argument;
	writer->flushed_ns = clock_monotonic_ns();
	for (;;) {
		bool last = atomic_load(&writer->stop); /* asked before the queue: nothing is put after it */
		const struct batch *batch = batch_queue_take(writer->queue, last ? 0 : TAKE_MS);
		if (batch)
			take(writer, batch);
		else if (last)
			break;
		int64_t now_ns = clock_monotonic_ns();
		if (now_ns - writer->flushed_ns >= writer->flush_ns)
			flush(writer);
		if (now_ns - writer->retained_ns >= RETAIN_NS) {
			struct err err;
			(void)archive_retain(writer->archive, clock_now_ns(), &err);
			writer->retained_ns = now_ns;
		}
	}
	flush(writer);
	return NULL;
}

int archive_writer_start(struct archive *archive, struct batch_queue *queue, int64_t flush_ns,
			 struct archive_writer **ret_writer, struct err *err)
{
	struct archive_writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return err_set(err, -ENOMEM, "no memory for a writer");
	writer->archive = archive;
	writer->queue = queue;
	writer->flush_ns = flush_ns;
	writer->retained_ns = clock_monotonic_ns() - RETAIN_NS;
	pthread_mutex_init(&writer->lock, NULL);
	int code = pthread_create(&writer->thread, NULL, writer_run, writer);
	if (code != 0) {
		archive_writer_free(writer);
		return err_set(err, -code, "no thread to write an archive: %s", strerror(code));
	}
	*ret_writer = writer;
	return 0;
}

void archive_writer_give_up(struct archive_writer *writer)
{
	atomic_store(&writer->give_up, true);
}

int archive_writer_stop(struct archive_writer *writer, struct err *err)
{
	atomic_store(&writer->stop, true);
	pthread_join(writer->thread, NULL);
	if (writer->result < 0)
		return err_set(err, writer->result, "%llu rows could not be written: %s",
			       (unsigned long long)writer->figures.lost, writer->figures.why.text);
	return 0;
}

void archive_writer_free(struct archive_writer *writer)
{
	if (!writer)
		return;
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}
