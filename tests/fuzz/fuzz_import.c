/* Files of indicators, of every format (the first byte says which), judged without a store. Whatever is refused is
 * said, and counts add up. */
#include "fuzz.h"

#include "share/import.h"

#include <string.h>

static uint64_t said;

static void refused(void *context, const char *where, const char *why)
{
	(void)context;
	fuzz_check(where[0] && why[0]);
	said++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct import_result result = {0};
	struct err err = {""};
	if (bytes < 1 || bytes > 1 << 18)
		return 0;
	const struct import import = {.format = (enum import_format)(data[0] % IMPORT_FORMATS),
				      .source = {"file", "fuzz", "fuzz"},
				      .tlp = TLP_AMBER,
				      .confidence = 50,
				      .now_ns = INT64_C(1780000000000000000),
				      .dry = true,
				      .refused = refused};
	said = 0;
	int code = import_text(&import, (const char *)data + 1, bytes - 1, &result, &err);
	fuzz_check(code == 0 || err.text[0]);
	fuzz_check(result.refused == said);
	return 0;
}
