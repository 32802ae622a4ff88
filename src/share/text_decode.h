/* Text files as people have them, to UTF-8: UTF-8 and UTF-16 with a byte order mark, UTF-8 without one, and what is
 * none of these as Windows' Japanese code page (CP932), which Excel in Japan writes.
 */
#pragma once

#include "core/err.h"

#include <stddef.h>

/* Load what iconv(3) loads from files. To be called before files are out of reach. */
void text_decode_prepare(void);

/* *ret_text is the caller's to free(), *ret_bytes long and closed by a zero; *ret_from names what it was. -EILSEQ with
 * the line of the first byte that cannot be read, or where there is a zero byte; -ENOMEM. */
int text_decode(const void *data, size_t bytes, char **ret_text, size_t *ret_bytes, const char **ret_from,
		struct err *err) must_check;
