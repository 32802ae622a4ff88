/* STIX patterns. What is handed out lies in the pattern. */
#include "fuzz.h"

#include "wire/stix_pattern.h"

struct whole {
	const char *begin, *end;
};

static void inside(const struct whole *whole, const char *text, size_t bytes)
{
	fuzz_check(text >= whole->begin && text + bytes <= whole->end);
}

static int check(void *context, const struct stix_pattern_value *value)
{
	inside(context, value->type, value->type_bytes);
	inside(context, value->path, value->path_bytes);
	inside(context, value->text, value->bytes);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct whole whole = {(const char *)data, (const char *)data + bytes};
	struct err err = {""};
	int result = stix_pattern_read(whole.begin, bytes, check, &whole, &err);
	fuzz_check(result == 0 || (result == 1 && err.text[0]));
	return 0;
}
