/* A collection as a MISP feed: manifest.json, hashes.csv, and an event a file. Events that came from MISP go out as
 * they came in; other indicators are one event for each source. What does not stand on the collection's shelf is in
 * none. */
#pragma once

#include "store/indicators.h"

#include <jansson.h>

struct misp_feed {
	struct indicators *store;
	const struct indicators_collection *collection;
	enum tlp withheld; /* as of struct indicators_want */
	int64_t now_ns;
};

/* Each event, {"Event": ...}, in turn (borrowed). A non-zero answer of `each` ends it and is returned. `uuid`: only
 * this one; NULL: all. */
int misp_feed_events(const struct misp_feed *feed, const char *uuid, int (*each)(void *context, const json_t *event),
		     void *context, struct err *err) must_check;

/* What manifest.json says of an event: added to the object `manifest` under its UUID. */
int misp_manifest_add(json_t *manifest, const json_t *event);
/* The lines of hashes.csv of an event: MD5 of each value, and of each part of one with '|' in it. */
int misp_hashes_write(const json_t *event, int (*write)(void *context, const char *bytes, size_t count), void *context);
