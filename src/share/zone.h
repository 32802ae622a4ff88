/* A response policy zone as secondaries see it: versions with serials, and what changed between them, so that a
 * transfer can be of the changes alone (IXFR, RFC 1995). A version is never changed once made; who sends it holds a
 * reference.
 */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	ZONE_RECORDS_MAX = 4 << 20,
	ZONE_NAME_TEXT_MAX = 250,
	ZONE_CHANGES_MAX = 32, /* versions back from which changes are kept */
	ZONE_TTL = 60,
};

/* Owners, relative to the zone, sorted, in one piece of memory; each has the record CNAME "." */
struct zone_names {
	unsigned references;
	size_t count;
	const char **names;
	char text[];
};

struct zone_change {
	uint32_t from, to;
	struct zone_names *removed, *added;
};

struct zone_version {
	unsigned references;
	uint32_t serial;
	struct zone_names *names;
	struct zone_change changes[ZONE_CHANGES_MAX]; /* the oldest first; each begins where the one before ends */
	size_t change_count;
};

/* Read a zone's text as output.h writes it: lines "OWNER CNAME ."; others are left out. `before` is the version served
 * until now, or NULL. *ret_version: a new one with a serial above it and at least `least_serial`; or `before` itself,
 * with another reference, when nothing changed. -E2BIG, -ENOMEM. */
int zone_version_read(const char *text, size_t bytes, struct zone_version *before, uint32_t least_serial,
		      struct zone_version **ret_version, struct err *err) must_check;
struct zone_version *zone_version_ref(struct zone_version *version);
void zone_version_unref(struct zone_version *version); /* NULL is fine */
