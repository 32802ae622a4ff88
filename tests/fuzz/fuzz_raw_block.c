/* A block of raw packets from a disk: as it is, and as the compressed half behind a sound header. */
#include "fuzz.h"

#include "store/raw_block.h"

#include <string.h>

static void unpack(const uint8_t *block, size_t bytes)
{
	uint8_t *data = NULL;
	size_t length = 0;
	int code = raw_block_unpack(block, bytes, &data, &length);
	fuzz_check(code == 0 ? data && length <= RAW_BLOCK_UNPACKED_MAX : !data && length == 0);
	for (size_t i = 0; i < length; i += 4096)
		fuzz_check(data[i] <= UINT8_MAX);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes > 1 << 16)
		return 0;
	unpack(data, bytes);
	uint8_t *block = malloc(RAW_BLOCK_HEADER_BYTES + bytes);
	raw_block_header(&(struct raw_block){.data = data, .bytes = bytes}, block);
	memcpy(block + RAW_BLOCK_HEADER_BYTES, data, bytes);
	unpack(block, RAW_BLOCK_HEADER_BYTES + bytes);
	free(block);
	return 0;
}
