/* STIX patterns (STIX 2.1, section 9): read whole, for what values they look for.
 *
 * A value stands alone where finding it is enough for the pattern: only OR lies between it and the whole. Under AND,
 * NOT or FOLLOWEDBY it is a part of the matter: good for finding what belongs together, not for blocking it.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { STIX_PATTERN_DEPTH_MAX = 64 };

/* An equality, a member of a set, or a prefix (ISSUBSET). */
struct stix_pattern_value {
	const char *type, *path; /* "file" and "hashes.'SHA-256'", as written, in the pattern */
	size_t type_bytes, path_bytes;
	const char *text; /* without quotes, escapes as written; of a number its digits */
	size_t bytes;
	bool has_escapes, alone, is_prefix;
};

/* `value` is called for each; a non-zero answer of it ends the reading and is returned. 0; 1: not a pattern, err says
 * at which byte and what was expected. */
int stix_pattern_read(const char *text, size_t bytes,
		      int (*value)(void *context, const struct stix_pattern_value *value), void *context,
		      struct err *err) must_check;
