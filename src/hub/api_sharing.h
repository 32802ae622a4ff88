/* What routes about groups, releases and collections share. */
#pragma once

#include "hub/api.h"
#include "share/audience.h"

/* The asker, as the rules of sharing see it. The name is borrowed from the call. */
struct audience_reader api_reader(const struct api_call *call);

/* What was decided is done: put onto the shelves of its groups, or taken from there. Done over, it changes nothing. */
struct keeper;
int release_carry_out(struct keeper *keeper, const json_t *release, struct err *err) must_check;
/* At the start: what was decided and not done when the keeper ended. */
int releases_resume(struct keeper *keeper, struct err *err) must_check;
