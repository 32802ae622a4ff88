/* Decoding by iconv(3). See text_decode.h. */
#include "share/text_decode.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "CP932"};
enum { CODE_UTF8, CODE_UTF16LE, CODE_UTF16BE, CODE_CP932, CODES };

/* glibc keeps a module loaded as long as one descriptor is open. */
static iconv_t held[CODES];

static void codes_hold(void)
{
	for (size_t i = 0; i < CODES; i++)
		held[i] = iconv_open("UTF-8", codes[i]);
}

void text_decode_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, codes_hold);
}

static unsigned long line_of(const char *text, size_t bytes)
{
	unsigned long line = 1;
	for (size_t i = 0; i < bytes; i++)
		line += text[i] == '\n';
	return line;
}

/* 0, or -EILSEQ with the line where it ends. */
static int convert(const char *code, const char *data, size_t bytes, char **ret_text, size_t *ret_bytes,
		   struct err *err)
{
	size_t room = bytes * 3 + 1, left = bytes, free_bytes = room - 1;
	char *text = malloc(room), *in = (char *)data, *out = text;
	iconv_t iconv_state = iconv_open("UTF-8", code);
	int result = text ? 0 : err_set(err, -ENOMEM, "no memory for a text of %zu bytes", bytes);
	if (result == 0 && iconv_state == (iconv_t)-1)
		result = err_set(err, -EILSEQ, "texts in %s cannot be read on this machine", code);
	if (result == 0 && iconv(iconv_state, &in, &left, &out, &free_bytes) == (size_t)-1)
		result = err_set(err, -EILSEQ, "line %lu: this is not a text in %s",
				 line_of(text, (size_t)(out - text)), code);
	if (iconv_state != (iconv_t)-1)
		iconv_close(iconv_state);
	size_t used = result == 0 ? (size_t)(out - text) : 0;
	const char *zero = result == 0 ? memchr(text, '\0', used) : NULL;
	if (zero)
		result = err_set(err, -EILSEQ, "line %lu: a zero byte; this is not a text",
				 line_of(text, (size_t)(zero - text)));
	if (result < 0) {
		free(text);
		return result;
	}
	text[used] = '\0';
	*ret_text = text;
	*ret_bytes = used;
	return 0;
}

int text_decode(const void *data, size_t bytes, char **ret_text, size_t *ret_bytes, const char **ret_from,
		struct err *err)
{
	static const struct {
		const char *mark;
		size_t bytes;
		int code;
	} marks[] = {{"\xef\xbb\xbf", 3, CODE_UTF8}, {"\xff\xfe", 2, CODE_UTF16LE}, {"\xfe\xff", 2, CODE_UTF16BE}};
	text_decode_prepare();
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		if (bytes < marks[i].bytes || memcmp(data, marks[i].mark, marks[i].bytes) != 0)
			continue;
		*ret_from = codes[marks[i].code];
		return convert(codes[marks[i].code], (const char *)data + marks[i].bytes, bytes - marks[i].bytes,
			       ret_text, ret_bytes, err);
	}
	*ret_from = codes[CODE_UTF8];
	int result = convert(codes[CODE_UTF8], data, bytes, ret_text, ret_bytes, err);
	if (result == -EILSEQ && !memchr(data, '\0', bytes)) {
		struct err other;
		int japanese = convert(codes[CODE_CP932], data, bytes, ret_text, ret_bytes, &other);
		if (japanese == 0) {
			*ret_from = codes[CODE_CP932];
			return 0;
		}
		result = err_prefix(err, result, "neither UTF-8 nor CP932");
	}
	return result;
}
