/* Sentences about failures. See err.h for the convention. */
#include "core/err.h"

#include <stdio.h>
#include <string.h>

/* Never leave half a UTF-8 character at the end of a sentence that was cut. */
static void err_trim(struct err *err, int wanted_bytes)
{
	if (wanted_bytes < ERR_TEXT_BYTES)
		return;
	size_t end = ERR_TEXT_BYTES - 1;
	while (end > 0 && ((unsigned char)err->text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end > 0 && (unsigned char)err->text[end - 1] >= 0xc0)
		end--;
	err->text[end] = '\0';
}

/* Foreign bytes that a sentence quotes do not break its line. */
static void err_one_line(struct err *err)
{
	for (char *at = err->text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
}

int err_set(struct err *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	va_list args;
	va_start(args, format);
	err_trim(err, vsnprintf(err->text, sizeof err->text, format, args));
	va_end(args);
	err_one_line(err);
	return code;
}

int err_prefix(struct err *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	struct err was = *err;
	va_list args;
	va_start(args, format);
	int used = vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	if (used >= 0 && used < ERR_TEXT_BYTES)
		used += snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", was.text);
	err_trim(err, used);
	err_one_line(err);
	return code;
}
