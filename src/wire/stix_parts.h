/* What the files of STIX share: the reader, and the schemas that schema_compile.py made of data/stix21. */
#pragma once

#include "wire/schema.h"
#include "wire/stix.h"

struct stix_reader {
	struct json_reader *json;
	struct schema_run run;
	char envelope[4096]; /* a bundle's own members, put together */
};

extern const struct schema stix_schema;
extern const uint16_t stix_schema_bundle, stix_schema_core, stix_schema_cyber_observable_core;
