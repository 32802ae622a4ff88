/* nfdump's filters: what is taken runs over a block, what is refused says why. */
#include "fuzz.h"

#include "core/addr.h"
#include "store/flow_filter.h"

#include <errno.h>
#include <string.h>

static struct batch *flows(void)
{
	struct batch *batch = batch_new(&record_flow, 64);
	fuzz_check(batch);
	batch->rows = 64;
	for (size_t c = 0; record_flow.columns[c].name; c++)
		for (size_t i = 0; i < batch->rows * column_width(record_flow.columns[c].type); i++)
			((uint8_t *)batch->columns[c])[i] = (uint8_t)(i * 7 + c);
	return batch;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static uint8_t *packed;
	static struct block block;
	static struct scan_filter filter;
	if (!packed) {
		struct batch *batch = flows();
		packed = malloc(block_bound(batch));
		fuzz_check(packed && block_read(packed, block_write(batch, packed), &block, NULL) == 1);
		batch_free(batch);
	}
	char *text = malloc(bytes + 1);
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	struct err err = {""};
	struct scan *scan;
	int result = flow_filter_parse(text, &filter, &err);
	fuzz_check(result == 0 || err.text[0]);
	if (result == 0) {
		struct scan_question question = {.kind = &record_flow,
						 .from_ns = INT64_MIN,
						 .to_ns = INT64_MAX,
						 .filter = &filter,
						 .either.column = UINT16_MAX,
						 .derive = flow_derive};
		const uint8_t *rows;
		uint32_t count;
		fuzz_check(scan_open(&question, &scan, &err) == 0);
		result = scan_select(scan, &block, &rows, &count, &err);
		fuzz_check(result == 0 || result == -E2BIG);
		fuzz_check(result < 0 || count <= block.rows);
		scan_close(scan);
	}
	free(text);
	return 0;
}
