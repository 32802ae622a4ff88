/* See block.h. A column of addresses is four packed columns: which are IPv4, those as numbers, and the two halves of
 * the others; where all are IPv4, it is one. */
#include "store/block.h"

#include "core/addr.h"
#include "store/pack.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

enum { FORM = 1, HEAD = 36, COLUMN_HEAD = 8, SUM = 8, ALL_V4 = 4, MIXED = 6 };
static const char magic[4] = {'Y', 'G', 'B', 'K'};
#define V4_MAPPED (UINT64_C(0xffff) << 32)

size_t block_bound(const struct batch *batch)
{
	size_t columns = record_column_count(batch->kind), bytes = HEAD + columns * COLUMN_HEAD + SUM;
	for (size_t c = 0; c < columns; c++)
		bytes += batch->kind->columns[c].type == COLUMN_ADDR ? 1 + 4 * pack_bound(batch->rows)
								     : pack_bound(batch->rows);
	return bytes;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

#define WIDEN(type)                                                                                                    \
	for (uint32_t i = 0; i < rows; i++)                                                                            \
	numbers[i] = ((const type *)values)[i]

static void widen(const void *values, size_t width, uint32_t rows, uint64_t *numbers)
{
	switch (width) {
	case 1:
		WIDEN(uint8_t);
		break;
	case 2:
		WIDEN(uint16_t);
		break;
	case 4:
		WIDEN(uint32_t);
		break;
	default:
		memcpy(numbers, values, (size_t)rows * 8);
	}
}

static size_t pack_some(const uint64_t *numbers, uint32_t count, uint8_t *out)
{
	return count ? pack_numbers(numbers, count, out) : 0;
}

static bool all_same(const void *values, size_t width, uint32_t rows)
{
	return memcmp(values, (const char *)values + width, (rows - 1) * width) == 0;
}

static size_t address_write(const struct addr *address, uint8_t *out)
{
	uint8_t *at = out;
	uint64_t high = load_be64(address->bytes), low = load_be64(address->bytes + 8);
	if (high == 0 && low >> 32 == 0xffff) {
		*at++ = ALL_V4;
		return 1 + pack_same(low & UINT32_MAX, at);
	}
	*at++ = MIXED;
	at += pack_same(0, at);
	at += pack_same(high, at);
	at += pack_same(low, at);
	return (size_t)(at - out);
}

static size_t addresses_write(const struct addr *addresses, uint32_t rows, uint8_t *out)
{
	static _Thread_local uint64_t is_v4[PACK_ROWS_MAX], four[PACK_ROWS_MAX], high[PACK_ROWS_MAX],
		low[PACK_ROWS_MAX];
	uint32_t fours = 0, sixes = 0;
	for (uint32_t i = 0; i < rows; i++) {
		uint64_t top = load_be64(addresses[i].bytes), bottom = load_be64(addresses[i].bytes + 8);
		bool v4 = top == 0 && bottom >> 32 == 0xffff;
		is_v4[i] = v4;
		four[fours] = bottom & UINT32_MAX;
		fours += v4;
		high[sixes] = top;
		low[sixes] = bottom;
		sixes += !v4;
	}
	uint8_t *at = out;
	*at++ = sixes ? MIXED : ALL_V4;
	if (sixes)
		at += pack_numbers(is_v4, rows, at);
	at += pack_some(four, fours, at);
	at += pack_some(high, sixes, at);
	at += pack_some(low, sixes, at);
	return (size_t)(at - out);
}

static size_t column_write(const struct batch *batch, size_t column, uint8_t *out)
{
	static _Thread_local uint64_t numbers[PACK_ROWS_MAX];
	enum column_type type = batch->kind->columns[column].type;
	const void *values = batch->columns[column];
	bool same = all_same(values, column_width(type), batch->rows);
	if (type == COLUMN_ADDR)
		return same ? address_write(values, out) : addresses_write(values, batch->rows, out);
	widen(values, column_width(type), same ? 1 : batch->rows, numbers);
	if (same)
		return pack_same(numbers[0], out);
	return pack_numbers(numbers, batch->rows, out);
}

static void times_of(const struct batch *batch, int64_t *ret_first, int64_t *ret_last)
{
	int column = record_column_index(batch->kind, batch->kind->time_column);
	const int64_t *times = batch->columns[column];
	*ret_first = *ret_last = times[0];
	for (uint32_t i = 1; i < batch->rows; i++) {
		*ret_first = times[i] < *ret_first ? times[i] : *ret_first;
		*ret_last = times[i] > *ret_last ? times[i] : *ret_last;
	}
}

static void put(uint8_t **at, uint64_t number, unsigned bytes)
{
	memcpy(*at, &number, bytes);
	*at += bytes;
}

size_t block_write(const struct batch *batch, uint8_t *out)
{
	size_t columns = record_column_count(batch->kind);
	size_t head = HEAD + columns * COLUMN_HEAD, end = head + SUM;
	uint8_t *at = out + HEAD;
	for (size_t c = 0; c < columns; c++) {
		size_t bytes = column_write(batch, c, out + end);
		put(&at, bytes, 4);
		put(&at, XXH3_64bits(out + end, bytes) & UINT32_MAX, 4);
		end += bytes;
	}
	int64_t first_ns, last_ns;
	times_of(batch, &first_ns, &last_ns);
	at = out;
	memcpy(at, magic, sizeof magic);
	at += sizeof magic;
	put(&at, FORM, 2);
	put(&at, batch->kind->id, 2);
	put(&at, batch->kind->version, 2);
	put(&at, columns, 2);
	put(&at, batch->rows, 4);
	put(&at, end, 4);
	put(&at, (uint64_t)first_ns, 8);
	put(&at, (uint64_t)last_ns, 8);
	at = out + head;
	put(&at, XXH3_64bits(out, head), SUM);
	return end;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

int block_read(const void *data, size_t bytes, struct block *ret_block, struct err *err)
{
	struct cursor c = cursor_over(data, bytes);
	const uint8_t *word = cursor_take(&c, sizeof magic);
	if (!word)
		return 0;
	if (memcmp(word, magic, sizeof magic) != 0)
		return err_set(err, -EBADMSG, "no block begins here");
	unsigned form = cursor_le16(&c), kind = cursor_le16(&c), version = cursor_le16(&c);
	*ret_block = (struct block){.kind = record_kind_by_id((uint16_t)kind), .columns = cursor_le16(&c)};
	ret_block->rows = cursor_le32(&c);
	ret_block->bytes = cursor_le32(&c);
	ret_block->first_ns = (int64_t)cursor_le64(&c);
	ret_block->last_ns = (int64_t)cursor_le64(&c);
	if (c.failed || ret_block->bytes > bytes)
		return 0;
	if (form != FORM || ret_block->columns > BLOCK_COLUMNS_MAX)
		return err_set(err, -EBADMSG, "a block of form %u with %u columns; 1 was expected, and at most %d",
			       form, ret_block->columns, BLOCK_COLUMNS_MAX);
	size_t head = HEAD + (size_t)ret_block->columns * COLUMN_HEAD;
	if (head + SUM > ret_block->bytes ||
	    load_le64((const uint8_t *)data + head) != (uint64_t)XXH3_64bits(data, head))
		return err_set(err, -EBADMSG, "the head of a block is damaged");
	if (!ret_block->kind || version > ret_block->kind->version || ret_block->rows == 0 ||
	    ret_block->rows > PACK_ROWS_MAX || ret_block->columns > record_column_count(ret_block->kind))
		return err_set(err, -EBADMSG, "a block of kind %u, version %u: not known here", kind, version);
	size_t end = head + SUM;
	for (unsigned i = 0; i < ret_block->columns; i++) {
		ret_block->column[i].bytes = cursor_le32(&c);
		ret_block->column[i].sum = cursor_le32(&c);
		ret_block->column[i].data = (const uint8_t *)data + end;
		end += ret_block->column[i].bytes;
		if (end > ret_block->bytes)
			return err_set(err, -EBADMSG, "a column reaches past the end of its block");
	}
	return 1;
}

bool block_column_is_v4(const struct block *block, unsigned column)
{
	return column < block->columns && block->column[column].bytes && block->column[column].data[0] == ALL_V4;
}

static int unpack_some(struct cursor *in, uint64_t *numbers, uint32_t count)
{
	return count ? unpack_numbers(in, numbers, count) : 0;
}

static int addresses_read(struct cursor *in, uint32_t rows, uint64_t *low, uint64_t *high)
{
	static _Thread_local uint64_t is_v4[PACK_ROWS_MAX], four[PACK_ROWS_MAX], six_high[PACK_ROWS_MAX],
		six_low[PACK_ROWS_MAX];
	unsigned form = cursor_u8(in);
	if (form == ALL_V4) {
		if (unpack_numbers(in, low, rows) < 0)
			return -EBADMSG;
		for (uint32_t i = 0; i < rows; i++)
			low[i] |= V4_MAPPED;
		memset(high, 0, (size_t)rows * sizeof *high);
		return 0;
	}
	if (form != MIXED || unpack_numbers(in, is_v4, rows) < 0)
		return -EBADMSG;
	uint32_t fours = 0;
	for (uint32_t i = 0; i < rows; i++)
		fours += is_v4[i] != 0;
	if (unpack_some(in, four, fours) < 0 || unpack_some(in, six_high, rows - fours) < 0 ||
	    unpack_some(in, six_low, rows - fours) < 0)
		return -EBADMSG;
	for (uint32_t i = 0, v4 = 0, v6 = 0; i < rows; i++) {
		high[i] = is_v4[i] ? 0 : six_high[v6];
		low[i] = is_v4[i] ? V4_MAPPED | four[v4] : six_low[v6];
		v4 += is_v4[i] != 0;
		v6 += is_v4[i] == 0;
	}
	return 0;
}

int block_column(const struct block *block, unsigned column, uint64_t *ret_low, uint64_t *ret_high, struct err *err)
{
	const char *name = block->kind->columns[column].name;
	if (column >= block->columns) { /* it came with a later version of the kind */
		memset(ret_low, 0, (size_t)block->rows * sizeof *ret_low);
		if (ret_high)
			memset(ret_high, 0, (size_t)block->rows * sizeof *ret_high);
		return 0;
	}
	size_t bytes = block->column[column].bytes;
	struct cursor in = cursor_over(block->column[column].data, bytes);
	if ((XXH3_64bits(in.at, bytes) & UINT32_MAX) != block->column[column].sum)
		return err_set(err, -EBADMSG, "column %s of a block is damaged", name);
	int result = block->kind->columns[column].type == COLUMN_ADDR
			     ? addresses_read(&in, block->rows, ret_low, ret_high)
			     : unpack_numbers(&in, ret_low, block->rows);
	return result < 0 ? err_set(err, result, "column %s of a block is not what it says", name) : 0;
}

static void cells_put(enum column_type type, uint32_t rows, const uint64_t *low, const uint64_t *high, void *cells)
{
	switch (column_width(type)) {
	case 1:
		for (uint32_t i = 0; i < rows; i++)
			((uint8_t *)cells)[i] = (uint8_t)low[i];
		break;
	case 2:
		for (uint32_t i = 0; i < rows; i++)
			((uint16_t *)cells)[i] = (uint16_t)low[i];
		break;
	case 4:
		for (uint32_t i = 0; i < rows; i++)
			((uint32_t *)cells)[i] = (uint32_t)low[i];
		break;
	case 8:
		memcpy(cells, low, (size_t)rows * sizeof *low);
		break;
	default: /* addresses, in the order of the network */
		for (uint32_t i = 0; i < rows; i++) {
			const uint64_t halves[2] = {__builtin_bswap64(high[i]), __builtin_bswap64(low[i])};
			memcpy((struct addr *)cells + i, halves, sizeof halves);
		}
	}
}

int block_batch(const struct block *block, struct batch *batch, struct err *err)
{
	static _Thread_local uint64_t low[PACK_ROWS_MAX], high[PACK_ROWS_MAX];
	int result = batch->kind == block->kind && batch->capacity >= block->rows
			     ? 0
			     : err_set(err, -EINVAL, "a batch of another kind, or too small");
	batch_clear(batch);
	for (unsigned c = 0; result == 0 && block->kind->columns[c].name; c++) {
		result = block_column(block, c, low, high, err);
		if (result == 0)
			cells_put(block->kind->columns[c].type, block->rows, low, high, batch->columns[c]);
	}
	batch->rows = result == 0 ? block->rows : 0;
	return result;
}
