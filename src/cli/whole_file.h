/* Files that a command reads as a whole. */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct whole_file {
	char *text; /* not closed by a zero */
	size_t bytes;
	bool mapped;
};

/* "-": standard input, up to 1 GiB. */
int whole_file_open(const char *path, struct whole_file *file, struct err *err) must_check;
void whole_file_close(struct whole_file *file);
