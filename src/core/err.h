/* One sentence for the reader of a failure.
 *
 * Functions return 0, a negative errno that is forwarded untouched, or a positive answer that the prototype documents.
 * A `struct err *` comes last and carries the sentence, written once where the fact is known: what was being read,
 * where (file, offset, line), what was expected, which section of which standard. It may be NULL.
 */
#pragma once

#include <stdarg.h>

#define ERR_TEXT_BYTES 512

struct err {
	char text[ERR_TEXT_BYTES];
};

#define must_check __attribute__((warn_unused_result))
#define printf_like(text, first) __attribute__((format(printf, text, first)))

/* Write the sentence and hand the code back: `return err_set(err, -EINVAL, "%s:%u: ...", file, line);`
 * A sentence that is already there is replaced. Sentences past ERR_TEXT_BYTES are cut at a character's start;
 * control characters become '?'. */
int err_set(struct err *err, int code, const char *format, ...) printf_like(3, 4);

/* Put where in front of what a callee wrote: "prefix: sentence". Returns code. */
int err_prefix(struct err *err, int code, const char *format, ...) printf_like(3, 4);
