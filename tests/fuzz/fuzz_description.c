/* Descriptions of simulated traffic: whatever is taken is within its ceilings and has what a class needs; whatever is
 * refused says so. */
#include "fuzz.h"

#include "train/description.h"

#include <errno.h>
#include <string.h>

static void check_class(const struct traffic_class *class)
{
	fuzz_check(class->name && class->rate > 0);
	fuzz_check(class->sender >= 0 && class->sender < SENDERS);
	fuzz_check(class->ip == 4 || class->ip == 6);
	fuzz_check(class->devices >= 1 && class->devices <= DESCRIPTION_DEVICES_MAX);
	fuzz_check(class->port_count >= 1 && class->port_count <= DESCRIPTION_PORTS_MAX);
	fuzz_check((class->mix.count > 0) + (class->prefixes.count > 0) + class->anywhere == 1);
	for (size_t i = 0; i < class->port_count; i++) {
		fuzz_check(class->ports[i].low <= class->ports[i].high && class->ports[i].weight > 0);
		fuzz_check(traffic_kind(class, &class->ports[i]) < PACKET_KINDS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct pool *pool = pool_new(NULL, "fuzz");
	struct description description;
	struct err err = {""};
	int result = description_parse("fuzz", (const char *)data, bytes, pool, &description, &err);
	fuzz_check(result == 0 || (result < 0 && strncmp(err.text, "fuzz:", 5) == 0));
	if (result == 0) {
		fuzz_check(description.name && description.darknet.count > 0 && description.class_count > 0);
		fuzz_check(description.class_count <= DESCRIPTION_CLASSES_MAX);
		for (size_t i = 0; i < description.class_count; i++)
			check_class(&description.classes[i]);
	}
	pool_free(pool);
	return 0;
}
