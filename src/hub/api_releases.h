/* What the routes of releases share. */
#pragma once

#include "hub/api_sharing.h"

int tlp_read(const char *name, enum tlp *ret_tlp, struct err *err) must_check;
/* Whom it would reach now, and what is unusual about that. */
int release_preview(struct api_call *call, const json_t *release, json_t **ret_preview, struct err *err) must_check;
/* The release as the asker may see it, or that it is not there. */
int release_answer(struct api_call *call, unsigned status, int64_t id, struct err *err);
