/* An archive: blocks of one kind of record behind one another, in segment files of a directory.
 *
 *     DIR/current.seg              being written: blocks, appended; what a crash cut is dropped at the next opening
 *     DIR/FIRST-LAST-NUMBER.seg    finished; FIRST and LAST are the least and greatest time in it, in seconds since
 * 1970
 *
 * One writer at a time; readers need no lock, and see what was flushed. Beside DuckDB because of what it costs
 * there: 1.7 million rows a second put, where routers send more (the README has the figures).
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"
#include "store/block.h"

#include <stdint.h>

struct archive;

struct archive_options {
	const char *dir; /* made where it is not */
	const struct record_kind *kind;
	int64_t segment_bytes; /* 0: 256 MiB; a segment is finished when it is larger */
	int64_t keep_bytes;    /* 0: all; else the oldest segments go */
	int64_t keep_ns;       /* 0: for ever; else segments go whose last record is older */
};

/* -EBUSY: another process writes it. */
int archive_open(const struct archive_options *options, struct archive **ret_archive, struct err *err) must_check;
/* Gathered into blocks; on the disk with archive_flush(). -ENOSPC, -EIO: what was gathered is kept and tried again. */
int archive_put(struct archive *archive, const struct batch *batch, struct err *err) must_check;
int archive_flush(struct archive *archive, struct err *err) must_check;
/* Remove what options say is too old or too much. Returns how many segments went. */
int archive_retain(struct archive *archive, int64_t now_ns, struct err *err);
void archive_close(struct archive *archive); /* flushes; NULL is fine */

/* How much there is, and of which times. -ENOENT: no archive. */
struct archive_extent {
	uint64_t segments, bytes;
	int64_t first_ns, last_ns; /* first after last: nothing */
};
int archive_extent(const char *dir, struct archive_extent *ret_extent, struct err *err) must_check;

/* Every block that may hold records of [from_ns, to_ns), in the order of segments. `each` may end it by a nonzero
 * answer, which is returned. A damaged segment is told to `trouble` (may be NULL) and the rest goes on. */
struct archive_visit {
	int (*each)(void *context, const struct block *block, struct err *err);
	void (*trouble)(void *context, const char *sentence);
	void *context;
};
int archive_read(const char *dir, int64_t from_ns, int64_t to_ns, const struct archive_visit *visit,
		 struct err *err) must_check;
