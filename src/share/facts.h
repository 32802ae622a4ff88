/* What a STIX object says that the store wants to know: marking, times, confidence, values, what it is a sighting of.
 */
#pragma once

#include "store/indicators.h"
#include "wire/stix.h"

enum { FACTS_ROOM_BYTES = 64 << 10, FACTS_CONFIDENCE_UNSAID = 50 };

struct facts {
	struct indicators_object object; /* texts point into the stix_object and into what follows */
	struct indicator_value values[INDICATORS_VALUES_MAX];
	char room[FACTS_ROOM_BYTES];
	size_t used;
	bool pattern_unread; /* of an indicator: its pattern is of another language or malformed; it has no values */
};

/* `unmarked`: what an object without a TLP marking counts as. 0; 1: refused, "PATH: REASON". */
int facts_read(const struct stix_object *object, enum tlp unmarked, struct facts *ret_facts,
	       struct err *err) must_check;

/* The id of the marking that says this TLP, of STIX 2.1's own (TLP 1.0) where there is one, else of TLP 2.0's
 * extension. */
const char *tlp_marking_id(enum tlp tlp);
