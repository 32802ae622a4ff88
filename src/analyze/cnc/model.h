/* The learned ranking: what each measure weighs. A logistic model, so that a score is the sum of what its parts add,
 * and can be told as such. Learnt by tools/cnc-train; data/cnc holds the one that ships, and its card.
 */
#pragma once

#include "analyze/cnc/cases.h"

struct cnc_model {
	float offset;
	float weights[CNC_INPUTS];
};

/* JSON as tools/cnc-train writes it. An unknown measure is refused: the model is of another version. -EINVAL. */
int cnc_model_parse(const char *text, size_t bytes, struct cnc_model *ret_model, struct err *err) must_check;

/* Features, then what the detectors said. */
float cnc_input(const struct cnc_case *item, size_t input);

/* 0..1 */
float cnc_model_score(const struct cnc_model *model, const struct cnc_case *item);
