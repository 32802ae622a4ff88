/* A block: up to PACK_ROWS_MAX records of one kind, each column packed by itself, so that a question reads only the
 * columns it asks for. Kinds without text columns.
 *
 *     "YGBK"  u16 form (1)  u16 kind  u16 kind's version  u16 columns  u32 rows  u32 bytes of the whole block
 *     i64 least and i64 greatest time of the kind's time column
 *     per column: u32 bytes, u32 low half of their XXH3-64
 *     u64 XXH3-64 of everything before; then the columns. All little-endian.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <stdbool.h>
#include <stdint.h>

enum { BLOCK_COLUMNS_MAX = RECORD_COLUMNS_MAX };

/* Bytes that block_write() may need for a batch. */
size_t block_bound(const struct batch *batch);
/* batch->rows of 1..PACK_ROWS_MAX, no text columns. Returns bytes written. */
size_t block_write(const struct batch *batch, uint8_t *out);

struct block {
	const struct record_kind *kind;
	uint32_t rows, bytes;
	int64_t first_ns, last_ns;
	unsigned columns;
	struct {
		const uint8_t *data; /* borrowed */
		uint32_t bytes, sum;
	} column[BLOCK_COLUMNS_MAX];
};

/* The block at the beginning of `data`: 1; 0: fewer bytes are there than a block has (a write that was cut); -EBADMSG
 * with what is wrong: no block, damaged, of a kind that is not known. Columns are not looked into. */
int block_read(const void *data, size_t bytes, struct block *ret_block, struct err *err) must_check;

/* The values of a column as numbers, block->rows each: `ret_low`, and for addresses `ret_high` (as two big-endian
 * halves, else it may be NULL). -EBADMSG: damaged. */
int block_column(const struct block *block, unsigned column, uint64_t *ret_low, uint64_t *ret_high,
		 struct err *err) must_check;
/* All columns as a batch of the block's kind, which has room for its rows: what is in it is replaced. -EBADMSG. */
int block_batch(const struct block *block, struct batch *batch, struct err *err) must_check;
/* Whether all addresses of a column are IPv4: then their high halves are 0 and low >> 32 is 0xffff. */
bool block_column_is_v4(const struct block *block, unsigned column);
