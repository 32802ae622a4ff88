/* Small files that people wrote, read whole. */
#pragma once

#include "core/err.h"

#include <stddef.h>

/* *ret_text is the caller's to free(), with a zero behind it. -EFBIG: it is longer than bytes_max; errno of open and
 * read. */
int text_file_read(const char *path, size_t bytes_max, char **ret_text, size_t *ret_bytes, struct err *err) must_check;
