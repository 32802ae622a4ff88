/* A detector of C&C servers: how much it makes of a service, and why, for people. */
#pragma once

#include "analyze/cnc/cases.h"

#include <jansson.h>

enum { CNC_TEXT_BYTES = 800 }; /* more than any sentence takes: one that is cut may end within a character */

struct cnc_text {
	char en[CNC_TEXT_BYTES], ja[CNC_TEXT_BYTES];
};

struct cnc_detector {
	const char *name;
	float (*score)(const struct cnc_cases *cases, const struct cnc_case *item); /* 0..1 */
	/* A new object of what was measured, and the sentence; NULL: out of memory. */
	json_t *(*explain)(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text);
};

extern const struct cnc_detector *const cnc_detectors[]; /* NULL-terminated, at most as many as cnc_case.scores */

/* "12 s", "5.0 min", "3.2 h" */
const char *cnc_span_format(float seconds, char text[16]);

/* Of `all` clients `infected_all` are infected: the probability that of a service's `clients` so many or more are. */
double cnc_common_chance(uint32_t all, uint32_t infected_all, uint32_t clients, uint32_t infected);
