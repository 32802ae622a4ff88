/* The list of survey organisations, which users write. */
#include "fuzz.h"

#include "observe/telescope/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes > 1 << 16)
		return 0;
	struct pool *pool = pool_new(NULL, "survey");
	struct prefix_list prefixes = {NULL, 0};
	struct err err = {""};
	int result = survey_parse("list", data, bytes, pool, &prefixes, &err);
	fuzz_check(result == 0 || (err.text[0] != '\0' && prefixes.count == 0));
	for (size_t i = 0; i < prefixes.count; i++) {
		char text[PREFIX_TEXT_BYTES];
		struct prefix again;
		prefix_format(&prefixes.items[i], text);
		fuzz_check(prefix_parse(text, &again, &err) == 0);
	}
	pool_free(pool);
	return 0;
}
