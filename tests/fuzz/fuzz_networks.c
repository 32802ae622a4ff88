/* The list of networks behind places: what is accepted is in order, without overlap, and named. */
#include "fuzz.h"

#include "sys/places_load.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct span_list spans = {0};
	struct network_names names = {0};
	struct err err = {""};
	int code = networks_parse((const char *)data, bytes, "input", &spans, &names, &err);
	fuzz_check(code == 0 || strncmp(err.text, "input:", 6) == 0);
	for (size_t i = 0; i < spans.count; i++) {
		fuzz_check(spans.items[i].first <= spans.items[i].last);
		fuzz_check(i == 0 || spans.items[i - 1].last < spans.items[i].first);
		fuzz_check(network_name_find(&names, spans.items[i].value) != NULL);
	}
	free(spans.items);
	network_names_done(&names);
	return 0;
}
