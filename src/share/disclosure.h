/* One disclosure, as the audit log keeps it: to whom, of which collection, what came onto its shelf after one instant
 * up to another. */
#pragma once

#include "store/indicators.h"
#include "store/registry.h"

struct disclosure {
	const char *actor, *peer;
	uint32_t member;        /* whose people; 0: no member's */
	const char *collection; /* its name */
	const char *way;        /* "taxii", "feed list.txt" ... */
	const char *filter;     /* what was asked for of it, "" all; cut where it is very long */
	enum tlp withheld;      /* as of struct indicators_want */
	int64_t after_us, until_us, objects;
};
int disclosure_write(struct registry *registry, const struct disclosure *disclosure, struct err *err) must_check;
