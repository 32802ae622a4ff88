/* Indicators made here, of a value and what is known of it, as STIX 2.1. */
#pragma once

#include "store/indicators.h"

struct made_indicator {
	const char *maker; /* what the id is made of beside the value: the same list gives the same id again */
	enum indicator_kind kind;
	const char *value;              /* in normal form, ends with a zero byte */
	const char *name, *description; /* NULL: the value, none */
	const char *indicator_type;     /* of indicator-type-ov; NULL: malicious-activity */
	const char *const *labels;      /* NULL-terminated, or NULL */
	enum tlp tlp;
	unsigned confidence;
	int64_t from_ns, until_ns; /* until 0: not said */
	int64_t now_ns;
};

/* The object for the store, and its JSON, which is to be freed with free(). Only `value` of `made` is borrowed by it.
 */
struct made_object {
	struct indicators_object object;
	struct indicator_value value;
	char *text;
};
int indicator_make(const struct made_indicator *made, struct made_object *ret_object, struct err *err) must_check;

/* The id of the identity in whose name objects are made, and the object itself (JSON, to be freed). */
#define MAKER_IDENTITY "identity--6f6c9f2e-3a5b-4f7e-9d39-7d1c0f6b2a11"
