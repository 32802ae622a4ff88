/* Batches from a stranger: what decodes must encode to the same bytes again. The check sum would keep the fuzzer out,
 * so it is put right first. */
#include "fuzz.h"

#include "record/batch.h"

#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes < 8 || bytes > 1 << 20)
		return 0;
	uint8_t *copy = malloc(bytes);
	memcpy(copy, data, bytes);
	uint64_t check = XXH3_64bits(copy, bytes - 8);
	memcpy(copy + bytes - 8, &check, sizeof check);
	struct batch *batch = NULL;
	struct err err = {""};
	int result = batch_decode(copy, bytes, &batch, &err);
	fuzz_check(result == 0 ? batch != NULL : err.text[0] != '\0');
	if (result == 0) {
		fuzz_check(batch_encoded_bytes(batch) == bytes);
		uint8_t *again = malloc(bytes);
		batch_encode(batch, again);
		fuzz_check(memcmp(again, copy, bytes) == 0);
		free(again);
		batch_free(batch);
	}
	free(copy);
	return 0;
}
