/* Helpers of handlers that are made of several questions. */
#pragma once

#include "hub/api.h"

/* The rows of an answer as objects by column name. */
json_t *answer_objects(const json_t *answer);
/* Findings whose `field` is `value`, newest first. */
int finding_ask(struct api_call *call, const char *field, const char *value, unsigned limit, json_t **ret_findings,
		struct err *err) must_check;
/* Cell of an answer; NULL when there is none. Borrowed. */
json_t *answer_cell(const json_t *answer, size_t row, size_t column);
