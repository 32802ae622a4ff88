/* Where the files are that come with the program: data/, deps/, web/dist. */
#pragma once

#include "core/memory.h"

/* `given` when not NULL; else the first of $YAGURA_SHARE/x, the source tree the program was built in, and
 * PREFIX/share/yagura/x beside the program that exists; else `relative` as it is. Memory from pool. */
const char *path_shared(struct pool *pool, const char *given, const char *relative);
