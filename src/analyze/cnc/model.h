/* The learned ranking: what each measure weighs, and some of them together. A logistic model, so that a score is the
 * sum of what its parts add, and can be told as such. Learnt by tools/cnc-train; data/cnc holds the one that ships, and
 * its card.
 */
#pragma once

#include "analyze/cnc/cases.h"

enum { CNC_TERMS_MAX = 256, CNC_TERM_BYTES = 40 };

struct cnc_term {
	uint8_t first, second; /* measures, to be multiplied; second CNC_INPUTS: there is none */
	float weight;
};

struct cnc_model {
	float offset;
	uint32_t count;
	struct cnc_term terms[CNC_TERMS_MAX];
};

/* JSON as tools/cnc-train writes it. An unknown measure is refused: the model is of another version. -EINVAL. */
int cnc_model_parse(const char *text, size_t bytes, struct cnc_model *ret_model, struct err *err) must_check;

/* What the term adds to the case's score. */
float cnc_term_adds(const struct cnc_term *term, const struct cnc_case *item);

/* As in the model's file: "regular", "regular!" (what the detector said), "regular*odd_port". Returns text. */
const char *cnc_term_name(const struct cnc_term *term, char text[CNC_TERM_BYTES]);

/* 0..1 */
float cnc_model_score(const struct cnc_model *model, const struct cnc_case *item);
