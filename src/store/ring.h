/* The ring of raw packets: segment files DIR/raw/NNNNNNNN.seg of blocks one behind another; the oldest segment goes
 * when the ring is over its size. A block is what raw_block.h describes. Which block lies where stands in the table
 * `block`, written in the transaction that follows the file's fdatasync, so the index never names bytes that are not
 * there. */
#pragma once

#include "core/err.h"
#include "store/raw_block.h"
#include "store/store.h"

#include <duckdb.h>
#include <stdint.h>

struct ring_place {
	uint64_t segment, position, length; /* length with the header */
};

struct raw_ring {
	char dir[4096];
	int64_t bytes_max, segment_bytes;
	int fd;                /* of the segment that is written, -1: none */
	uint64_t segment, end; /* its number, and where the next block goes */
	uint64_t first;        /* oldest segment */
	int64_t bytes;         /* of all segments */
};

/* Cuts what is behind the last block of the index (put there, never committed) and finds the size. */
int ring_open(struct raw_ring *ring, const char *dir, int64_t bytes_max, duckdb_connection connection,
	      struct err *err) must_check;
void ring_close(struct raw_ring *ring);

int ring_append(struct raw_ring *ring, const struct raw_block *block, struct ring_place *ret_place,
		struct err *err) must_check;
int ring_sync(struct raw_ring *ring, struct err *err) must_check;
/* Take back what was appended since `mark`; the transaction failed. */
struct ring_place ring_mark(const struct raw_ring *ring);
void ring_back_to(struct raw_ring *ring, const struct ring_place *mark);

/* 1 and *ret_segment: segments below it are to go (their index rows first). 0: nothing. */
int ring_over(const struct raw_ring *ring, uint64_t *ret_segment);
int ring_drop_below(struct raw_ring *ring, uint64_t segment, struct err *err) must_check;

/* A block's bytes, decompressed, in malloc'd memory. -EBADMSG: torn or changed; -ENOENT: its segment is gone. */
int ring_read(const char *dir, const struct ring_place *place, uint8_t **ret_data, size_t *ret_bytes,
	      struct err *err) must_check;
