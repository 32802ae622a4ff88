/* Plain lists: a value a line; blanks, comments after '#', ';' or '//', and what follows the value after a blank are
 * left out. */
#include "share/import_parts.h"
#include "share/make.h"

#include "wire/value.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES_MAX = 4096 };

static int line_take(struct importing *importing, const char *line, size_t bytes, unsigned long long number,
		     struct err *err)
{
	const struct import *import = importing->import;
	char where[40], value[VALUE_BYTES_MAX + 1];
	size_t value_bytes;
	enum value_kind kind;
	struct err why = {""};
	while (bytes > 0 && strchr(" \t\r", *line))
		line++, bytes--;
	size_t length = 0;
	while (length < bytes && !strchr(" \t\r", line[length]) && (line[length] != '#' || length > 0))
		length++;
	if (length == 0 || line[0] == ';' || (length > 1 && line[0] == '/' && line[1] == '/'))
		return 0;
	snprintf(where, sizeof where, "line %llu", number);
	if (bytes > LINE_BYTES_MAX || memchr(line, '\0', bytes) ||
	    value_guess(line, length, &kind, value, &value_bytes, &why) != 0) {
		import_refuse(importing, where,
			      why.text[0] ? why.text : "a line of at most 4096 bytes of text was expected");
		return 0;
	}
	const struct made_indicator made = {.maker = import->source.name,
					    .kind = (enum indicator_kind)kind,
					    .value = value,
					    .tlp = import->tlp,
					    .confidence = import->confidence,
					    .from_ns = import->now_ns,
					    .until_ns = import->lifetime_ns ? import->now_ns + import->lifetime_ns : 0,
					    .now_ns = import->now_ns};
	return import_made(importing, &made, where, err);
}

int import_list(struct importing *importing, const char *text, size_t bytes, struct err *err)
{
	const char *at = text, *end = text + bytes;
	int result = 0;
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (unsigned long long number = 1; at < end && result == 0; number++) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		if (!line_end)
			line_end = end;
		result = line_take(importing, at, (size_t)(line_end - at), number, err);
		at = line_end + 1;
	}
	return result;
}
