/* The pages, read into memory before the front is confined: every file of a directory with its type, a gzip form where
 * that is smaller, and an entity tag.
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asset {
	const char *path; /* "/assets/main-3f9a1c2b.js" */
	const char *type;
	const uint8_t *bytes, *gzip; /* gzip NULL: not worth it */
	size_t length, gzip_length;
	char tag[24];   /* quoted */
	bool immutable; /* its name holds a hash of its content */
};

struct assets {
	struct asset *items; /* in the order of paths */
	size_t count, room, bytes;
};

/* Read every regular file below `dir`. Missing directory: -ENOENT. Memory comes from pool. */
int assets_read(const char *dir, struct pool *pool, struct assets *ret_assets, struct err *err) must_check;
const struct asset *assets_find(const struct assets *assets, const char *path); /* NULL when there is none */
