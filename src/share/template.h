/* Texts that people edit, with gaps for values: the language of data/messages.
 *
 * A file is UTF-8. What stands before the first part is a remark; a line "== NAME" begins the part NAME; {{name}} is a
 * gap. There is nothing else: no conditions, no loops, no other files. A value is put in and never read again, so it
 * cannot bring gaps of its own; a value that is not this program's own text is made harmless first.
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	TEMPLATE_BYTES_MAX = 64 << 10,
	TEMPLATE_GAPS_MAX = 256, /* of a part */
	TEMPLATE_VALUE_BYTES = 400,
	TEMPLATE_TEXT_BYTES_MAX = 1 << 20, /* of a rendered part */
};

struct template_part {
	const char *name; /* NULL ends a list */
	bool line;        /* one line and no more */
};

struct template_gap {
	const char *name; /* NULL ends a list */
	bool own;         /* the value is this program's own text, put in as it is; else template_plain() */
};

/* What a file must hold: each part once, and no gaps but these. */
struct template_form {
	const struct template_part *parts;
	const struct template_gap *gaps;
};

struct template;

/* Parse; `form` is borrowed for as long as the template lives, the rest is copied into pool. -EINVAL with
 * "where:line: sentence"; -ENOMEM. */
int template_parse(const char *where, const char *text, size_t bytes, const struct template_form *form,
		   struct pool *pool, struct template **ret_template, struct err *err) must_check;
/* The same from a file; -ENOENT and other errno of it. */
int template_read(const char *path, const struct template_form *form, struct pool *pool, struct template **ret_template,
		  struct err *err) must_check;

/* Whether a part has the gap; indexes of the form's lists. */
bool template_has(const struct template *template, unsigned part, unsigned gap);

/* A part with its gaps filled: values by index of the form's gaps, NULL is empty. *ret_text is the caller's to free().
 * -EMSGSIZE: longer than TEMPLATE_TEXT_BYTES_MAX. */
int template_render(const struct template *template, unsigned part, const char *const *values, char **ret_text,
		    struct err *err) must_check;

/* A stranger's text made harmless in a line of plain text: valid UTF-8, no control characters, line ends, marks of
 * direction or invisible characters, nothing that a mail program makes a link of; cut to TEMPLATE_VALUE_BYTES. */
void template_plain(const char *text, char ret_plain[TEMPLATE_VALUE_BYTES]);
