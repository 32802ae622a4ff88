/* Looking members up on a tape. */
#include "wire/json.h"

uint32_t json_member(const struct json_tape *tape, uint32_t object, const char *name)
{
	size_t wanted = strlen(name);
	if (json_kind(tape, object) != '{')
		return 0;
	for (uint32_t at = object + 1, end = json_after(tape, object) - 1; at < end; at = json_after(tape, at + 1)) {
		uint32_t bytes;
		const char *text = json_text(tape, at, &bytes);
		if (bytes == wanted && memcmp(text, name, bytes) == 0)
			return at + 1;
	}
	return 0;
}

const char *json_member_text(const struct json_tape *tape, uint32_t object, const char *name, uint32_t *ret_bytes)
{
	uint32_t place = json_member(tape, object, name);
	return place && json_kind(tape, place) == '"' ? json_text(tape, place, ret_bytes) : NULL;
}
