/* A thread that takes batches from a queue and keeps them in an archive: what is put can be read a moment later, old
 * segments go as the archive's options say, and a full disk is waited for.
 */
#pragma once

#include "record/queue.h"
#include "store/archive.h"

#include <stdbool.h>

struct archive_writer;

struct archive_writer_figures {
	uint64_t rows;    /* on the disk */
	uint64_t lost;    /* rows that could not be written before the end */
	uint64_t blocked; /* times that writing failed */
	bool is_blocked;  /* now; it is tried again every second */
	struct err why;   /* of the last failure */
};

/* Archive and queue are borrowed. What was put is on the disk at the latest after `flush_ns`. */
int archive_writer_start(struct archive *archive, struct batch_queue *queue, int64_t flush_ns,
			 struct archive_writer **ret_writer, struct err *err) must_check;
struct archive_writer_figures archive_writer_figures(struct archive_writer *writer);
/* Writes what waits in the queue, whose producers have ended, and ends the thread. -errno: it could not, and rows are
 * lost. */
int archive_writer_stop(struct archive_writer *writer, struct err *err) must_check;
/* Do not wait for a full disk any more: who puts is refused. */
void archive_writer_give_up(struct archive_writer *writer);
void archive_writer_free(struct archive_writer *writer); /* stopped before; NULL is fine */
