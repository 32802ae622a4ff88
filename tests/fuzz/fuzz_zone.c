/* Queries to the server of a zone, by UDP and TCP, and the zone's text. Without the key nobody gets more than a
 * refusal. */
#include "fuzz.h"

#include "share/zone_transfer.h"

#include <string.h>

static void ask(const struct zone_service *service, struct zone_version *version, const uint8_t *data, size_t bytes,
		bool tcp)
{
	struct zone_answer *answer = NULL;
	struct err err = {""};
	fuzz_check(zone_answer_begin(service, version, data, bytes, tcp, 1780000000, &answer, &err) == 0);
	uint8_t *message = NULL;
	size_t message_bytes = 0;
	unsigned messages = 0;
	while (answer && zone_answer_next(answer, &message, &message_bytes, &err) == 1) {
		fuzz_check(message_bytes >= 12 && message_bytes < 1024 && ++messages == 1);
		fuzz_check((message[2] & 0x80) && (message[3] & 0x0f) != 0 && message[6] == 0 && message[7] == 0);
		free(message);
	}
	zone_answer_free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct zone_key key = {"member.", "hmac-sha256.", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ=="};
	const struct zone_service service = {"rpz.test", &key, 1};
	static const char text[] = "evil.example CNAME .\n*.evil.example CNAME .\n";
	struct zone_version *first = NULL, *second = NULL;
	struct err err = {""};
	if (bytes > 1 << 16)
		return 0;
	fuzz_check(zone_version_read(text, sizeof text - 1, NULL, 1, &first, &err) == 0 && first->names->count == 2);
	fuzz_check(zone_version_read((const char *)data, bytes, first, 1, &second, &err) == 0);
	fuzz_check(second == first || (second->serial == 2 && second->change_count == 1));
	for (size_t i = 1; i < second->names->count; i++)
		fuzz_check(strcmp(second->names->names[i - 1], second->names->names[i]) < 0);
	ask(&service, first, data, bytes, true);
	ask(&service, first, data, bytes, false);
	zone_version_unref(first);
	zone_version_unref(second);
	return 0;
}
