/* A file of nfdump: header, then one block of what is left, packed as the header says. No flow is made of nothing. */
#include "fuzz.h"

#include "observe/flow/nfdump.h"

#include <string.h>

struct counter {
	struct sink sink;
	uint64_t rows;
};

static int counter_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)err;
	((struct counter *)sink)->rows += batch->rows;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct counter counter = {.sink.put = counter_put};
	struct nfdump_reader *reader = NULL;
	struct nfdump_header header;
	if (!nfdump_header_read(data, bytes, &header))
		return 0;
	fuzz_check(header.block_bytes_max > 0 && header.block_bytes_max <= NFDUMP_BLOCK_BYTES_MAX);
	header.block_bytes_max = header.block_bytes_max < 65536 ? header.block_bytes_max : 65536;
	if (nfdump_reader_new(&header, &counter.sink, &reader, NULL) < 0)
		return 0;
	data += NFDUMP_HEADER_BYTES;
	bytes -= NFDUMP_HEADER_BYTES;
	if (bytes >= NFDUMP_BLOCK_HEADER_BYTES) {
		struct nfdump_block block = nfdump_block_read(data);
		bytes -= NFDUMP_BLOCK_HEADER_BYTES;
		block.bytes = (uint32_t)bytes;
		uint8_t *exact = malloc(bytes ? bytes : 1);
		memcpy(exact, data + NFDUMP_BLOCK_HEADER_BYTES, bytes);
		fuzz_check(nfdump_reader_block(reader, &block, exact, NULL) >= 0);
		free(exact);
	}
	fuzz_check(nfdump_reader_flush(reader, NULL) == 0);
	fuzz_check(counter.rows <= 65536 / 16); /* the shortest record of a flow */
	nfdump_reader_free(reader);
	return 0;
}
