/* Bundles, envelopes and objects of strangers. What is found good is found good again in the form that is kept. */
#include "fuzz.h"

#include "wire/stix.h"

#include <string.h>

static void judge_twice(struct stix_reader *reader, struct json_slice slice)
{
	struct err err = {""};
	struct stix_object object, again;
	int result = stix_judge(reader, slice, &object, &err);
	fuzz_check(result == 0 || (result == 1 && err.text[0] == '/'));
	if (result != 0)
		return;
	fuzz_check(object.id && object.type && object.id_bytes > 36);
	char *kept = malloc(object.text_bytes + 1);
	fuzz_check(kept);
	memcpy(kept, object.text, object.text_bytes);
	size_t bytes = object.text_bytes;
	fuzz_check(stix_judge(reader, (struct json_slice){kept, bytes}, &again, &err) == 0);
	fuzz_check(again.text_bytes == bytes && memcmp(again.text, kept, bytes) == 0);
	fuzz_check(stix_bundle_conforms(reader, kept, bytes, &err) == 1);
	free(kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct stix_reader *reader;
	struct stix_walk walk;
	struct json_slice slice;
	struct err err = {""};
	if (!reader)
		reader = stix_reader_new(1 << 16);
	fuzz_check(reader);
	int result = stix_walk_open(reader, &walk, (const char *)data, bytes, &err);
	fuzz_check(result == 0 || result == 1);
	while (result == 0 && stix_walk_next(&walk, &slice, &err) == 1) {
		fuzz_check((const uint8_t *)slice.text >= data &&
			   (const uint8_t *)slice.text + slice.bytes <= data + bytes);
		judge_twice(reader, slice);
	}
	(void)!stix_bundle_conforms(reader, (const char *)data, bytes, &err);
	return 0;
}
