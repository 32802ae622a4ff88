/* One process at a time: DIR/lock, held with flock(2) and naming its holder. */
#pragma once

#include "core/err.h"

/* -EBUSY with who holds it. The descriptor is the lock; close it to let go. */
int lock_take(const char *dir, int *ret_fd, struct err *err) must_check;
