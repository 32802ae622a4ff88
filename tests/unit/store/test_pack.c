/* What is packed comes back, is short, and what was damaged is refused without a read past its end. */
#include "../check.h"

#include "core/addr.h"
#include "core/hash.h"
#include "store/block.h"
#include "store/pack.h"

#include <errno.h>
#include <stdlib.h>

static size_t round_trip(const uint64_t *numbers, uint32_t count)
{
	uint8_t *room = malloc(pack_bound(count)), *exact;
	uint64_t *back = malloc(count * sizeof *back);
	size_t bytes = pack_numbers(numbers, count, room);
	assert_true(bytes <= pack_bound(count));
	exact = malloc(bytes);
	memcpy(exact, room, bytes);
	struct cursor in = cursor_over(exact, bytes);
	assert_int_equal(unpack_numbers(&in, back, count), 0);
	assert_int_equal(cursor_left(&in), 0);
	assert_memory_equal(back, numbers, count * sizeof *back);
	for (size_t cut = 0; cut < bytes; cut += bytes / 50 + 1) {
		uint8_t *part = malloc(cut ? cut : 1);
		memcpy(part, exact, cut);
		in = cursor_over(part, cut);
		assert_int_equal(unpack_numbers(&in, back, count), -EBADMSG);
		free(part);
	}
	free(room);
	free(exact);
	free(back);
	return bytes;
}

static void every_width_comes_back(void **state)
{
	(void)state;
	static uint64_t numbers[PACK_ROWS_MAX];
	uint64_t seed = 1;
	for (unsigned width = 0; width <= 64; width++)
		for (uint32_t count = 1; count < 300; count = count * 3 + 1) {
			for (uint32_t i = 0; i < count; i++)
				numbers[i] = width ? random_next(&seed) >> (64 - width) : 7;
			size_t bytes = round_trip(numbers, count);
			assert_true(bytes <= 40 + (size_t)count * ((width > 56 ? 64 : width) + 1) / 8 + 10);
		}
	for (uint32_t i = 0; i < PACK_ROWS_MAX; i++)
		numbers[i] = random_next(&seed);
	round_trip(numbers, PACK_ROWS_MAX);
}

static void what_repeats_is_short(void **state)
{
	(void)state;
	static uint64_t numbers[10000];
	static const uint64_t ports[] = {23, 443, 80, 60000, 22};
	uint64_t seed = 2;
	for (unsigned i = 0; i < 10000; i++)
		numbers[i] = 1;
	assert_true(round_trip(numbers, 10000) < 16);
	for (unsigned i = 0; i < 10000; i++)
		numbers[i] = ports[random_below(&seed, 5)];
	assert_true(round_trip(numbers, 10000) < 10000 * 3 / 8 + 100);
	for (unsigned i = 0; i < 10000; i++) /* milliseconds of a minute, told in nanoseconds */
		numbers[i] = UINT64_C(1780000000000000000) + random_below(&seed, 60000) * 1000000;
	assert_true(round_trip(numbers, 10000) < 10000 * 2 + 100);
	for (unsigned i = 0; i < 10000; i++) /* a few far larger ones do not widen the others */
		numbers[i] = i % 500 ? random_below(&seed, 1000) : random_next(&seed);
	assert_true(round_trip(numbers, 10000) < 10000 * 10 / 8 + 20 * 10 + 100);
}

static struct batch *made_flows(uint32_t rows, bool with_v6)
{
	struct batch *batch = batch_new(&record_flow, rows);
	uint64_t seed = 3;
	assert_non_null(batch);
	batch->rows = rows;
	for (size_t c = 0; record_flow.columns[c].name; c++)
		for (uint32_t i = 0; i < rows; i++) {
			uint64_t r = random_next(&seed);
			if (record_flow.columns[c].type == COLUMN_ADDR)
				((struct addr *)batch->columns[c])[i] =
					with_v6 && r % 4 == 0 ? (struct addr){{0x20, 1, 0xd, 0xb8, [15] = (uint8_t)r}}
							      : addr_from_v4((uint32_t)r);
			else
				memcpy((uint8_t *)batch->columns[c] + i * column_width(record_flow.columns[c].type), &r,
				       column_width(record_flow.columns[c].type));
		}
	return batch;
}

static void check_block(bool with_v6)
{
	enum { ROWS = 5000 };
	static uint64_t low[ROWS], high[ROWS];
	struct batch *batch = made_flows(ROWS, with_v6);
	uint8_t *out = malloc(block_bound(batch));
	size_t bytes = block_write(batch, out);
	struct block block;
	struct err err;
	assert_int_equal(block_read(out, bytes, &block, &err), 1);
	assert_int_equal(block.rows, ROWS);
	assert_int_equal(block.bytes, bytes);
	for (unsigned c = 0; c < block.columns; c++) {
		enum column_type type = record_flow.columns[c].type;
		assert_int_equal(block_column(&block, c, low, high, &err), 0);
		for (uint32_t i = 0; i < ROWS; i++) {
			uint64_t expected = 0;
			if (type == COLUMN_ADDR) {
				const uint8_t *address = BATCH_COLUMN(batch, struct addr, c)[i].bytes;
				assert_int_equal(high[i], load_be64(address));
				expected = load_be64(address + 8);
			} else {
				memcpy(&expected, (uint8_t *)batch->columns[c] + i * column_width(type),
				       column_width(type));
			}
			assert_int_equal(low[i], expected);
		}
		if (type == COLUMN_ADDR)
			assert_int_equal(block_column_is_v4(&block, c), !with_v6);
	}
	assert_int_equal(block_read(out, bytes - 1, &block, &err), 0); /* a write that was cut */
	out[10] ^= 1;
	assert_int_equal(block_read(out, bytes, &block, &err), -EBADMSG);
	out[10] ^= 1;
	out[bytes - 20] ^= 1;
	assert_int_equal(block_read(out, bytes, &block, &err), 1);
	assert_int_equal(block_column(&block, block.columns - 1, low, high, &err), -EBADMSG);
	assert_contains(err.text, "sampling");
	free(out);
	batch_free(batch);
}

static void a_block_holds_its_batch(void **state)
{
	(void)state;
	check_block(false);
	check_block(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_width_comes_back),
		cmocka_unit_test(what_repeats_is_short),
		cmocka_unit_test(a_block_holds_its_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
