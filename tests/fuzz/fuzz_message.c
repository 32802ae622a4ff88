/* What front and keeper say to each other, as a front that was taken over would say it. */
#include "fuzz.h"

#include "hub/message.h"

#include <string.h>

static void take(const uint8_t *data, size_t bytes, unsigned count)
{
	uint8_t *copy = malloc(bytes + 1), *again = malloc(bytes + 1);
	memcpy(copy, data, bytes);
	const char *texts[REQUEST_TEXTS];
	size_t used = 0, put = 0;
	if (texts_take(copy, bytes, texts, count, &used)) {
		fuzz_check(used <= bytes);
		for (unsigned i = 0; i < count; i++)
			fuzz_check((const uint8_t *)texts[i] >= copy &&
				   (const uint8_t *)texts[i] + strlen(texts[i]) < copy + used);
		fuzz_check(texts_put(again, bytes, &put, texts, count) == 0 && put <= used);
	}
	free(copy);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes > LIMIT_MESSAGE_BYTES)
		return 0;
	take(data, bytes, REQUEST_TEXTS);
	take(data, bytes, REPLY_TEXTS);
	return 0;
}
