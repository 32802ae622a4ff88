/* A running BIRD, by its control socket. */
#pragma once

#include "core/err.h"

/* Have it read its configuration anew, and wait until it has. -EBADMSG: it refuses the configuration, err holds its
 * words, and what it had stays. */
int bird_configure(const char *control, struct err *err) must_check;
