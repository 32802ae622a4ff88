/* Blocks of an archive: whatever is there is read, or refused, within its bytes. The check sums are made right, so that
 * what lies behind them is reached. */
#include "fuzz.h"

#include "store/block.h"
#include "store/pack.h"

#include <string.h>
#include <xxhash.h>

enum { HEAD = 36, COLUMN_HEAD = 8 };

static void sums_make(uint8_t *data, size_t bytes)
{
	unsigned columns = bytes >= HEAD ? data[10] | data[11] << 8 : 0;
	size_t head = HEAD + (size_t)columns * COLUMN_HEAD, at = head + 8;
	if (columns > BLOCK_COLUMNS_MAX || at > bytes)
		return;
	for (unsigned c = 0; c < columns; c++) {
		uint32_t length, sum;
		memcpy(&length, data + HEAD + c * COLUMN_HEAD, 4);
		if (length > bytes - at)
			return;
		sum = (uint32_t)XXH3_64bits(data + at, length);
		memcpy(data + HEAD + c * COLUMN_HEAD + 4, &sum, 4);
		at += length;
	}
	uint64_t sum = XXH3_64bits(data, head);
	memcpy(data + head, &sum, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static uint64_t low[PACK_ROWS_MAX], high[PACK_ROWS_MAX];
	uint8_t *exact = malloc(bytes ? bytes : 1);
	struct block block;
	struct err err = {""};
	if (bytes)
		memcpy(exact, data, bytes);
	sums_make(exact, bytes);
	int result = block_read(exact, bytes, &block, &err);
	fuzz_check(result >= 0 || err.text[0]);
	if (result == 1) {
		fuzz_check(block.rows && block.rows <= PACK_ROWS_MAX && block.bytes <= bytes);
		for (unsigned c = 0; block.kind->columns[c].name; c++)
			if (block.kind->columns[c].type < COLUMN_TEXT)
				(void)!block_column(&block, c, low, high, &err);
	}
	free(exact);
	return 0;
}
