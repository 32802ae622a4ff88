/* Which hosts of which captures are command and control: what `yagura cnc eval` measures by. */
#pragma once

#include "core/addr.h"
#include "core/memory.h"

#include <stddef.h>

struct cnc_label {
	const char *capture; /* the file's name without its folders */
	const char *family;
	struct addr server;
};

struct cnc_labels {
	struct cnc_label *items;
	size_t count;
};

/* Lines of "CAPTURE ADDRESS FAMILY"; '#' begins a remark. Memory from pool. -EINVAL with file and line. */
int cnc_labels_read(const char *path, struct pool *pool, struct cnc_labels *ret_labels, struct err *err) must_check;
