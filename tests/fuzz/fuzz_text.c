/* Texts that people and files write: addresses, prefixes, times, durations. What parses must format to a text that
 * parses to the same. */
#include "fuzz.h"

#include "core/addr.h"
#include "core/clock.h"

#include <string.h>

static void check_addr(const char *text)
{
	struct addr addr, again;
	char out[ADDR_TEXT_BYTES];
	struct err err = {""};
	if (addr_parse(text, &addr, &err) < 0) {
		fuzz_check(err.text[0] != '\0');
		return;
	}
	fuzz_check(addr_parse(addr_format(&addr, out), &again, NULL) == 0);
	fuzz_check(addr_compare(&addr, &again) == 0);
}

static void check_prefix(const char *text)
{
	struct prefix prefix, again;
	char out[PREFIX_TEXT_BYTES];
	if (prefix_parse(text, &prefix, NULL) < 0)
		return;
	fuzz_check(prefix_parse(prefix_format(&prefix, out), &again, NULL) == 0);
	fuzz_check(prefix.bits == again.bits && addr_compare(&prefix.addr, &again.addr) == 0);
	struct addr last = prefix_last(&prefix);
	fuzz_check(prefix_has(&prefix, &prefix.addr) && prefix_has(&prefix, &last));
}

static void check_time(const char *text)
{
	int64_t time_ns, again_ns;
	char out[TIME_TEXT_BYTES];
	if (time_parse(text, INT64_C(1700000000) * NS_PER_S, &time_ns, NULL) < 0)
		return;
	time_format(time_ns, out);
	fuzz_check(time_parse(out, 0, &again_ns, NULL) < 0 || again_ns == time_ns);
	if (duration_parse(text, &time_ns, NULL) == 0)
		fuzz_check(time_ns > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char text[256];
	if (bytes >= sizeof text)
		return 0;
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	check_addr(text);
	check_prefix(text);
	check_time(text);
	return 0;
}
