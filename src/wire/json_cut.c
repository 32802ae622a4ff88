/* See json_cut.h. */
#include "wire/json_cut.h"

#include <errno.h>
#include <string.h>

static int cut_fail(const struct json_cut *cut, struct err *err, const char *wanted)
{
	return err_set(err, -EBADMSG, "byte %zu: %s was expected", (size_t)(cut->at - cut->begin), wanted);
}

static void skip_blank(struct json_cut *cut)
{
	while (cut->at < cut->end && (*cut->at == ' ' || *cut->at == '\n' || *cut->at == '\r' || *cut->at == '\t'))
		cut->at++;
}

/* From the opening quote to behind the closing one; the end where there is none. */
static const char *text_end(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		at = memchr(at, '"', (size_t)(end - at));
		if (!at)
			return NULL;
		size_t slashes = 0;
		while (at[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return at + 1;
	}
	return NULL;
}

static const char *container_end(const char *at, const char *end)
{
	for (size_t depth = 0; at && at < end;) {
		switch (*at) {
		case '"':
			at = text_end(at, end);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return at + 1;
			break;
		}
		at++;
	}
	return NULL;
}

static int value_take(struct json_cut *cut, struct json_slice *ret_value, struct err *err)
{
	skip_blank(cut);
	const char *begin = cut->at, *end = begin;
	if (begin == cut->end)
		return cut_fail(cut, err, "a value");
	if (*begin == '"')
		end = text_end(begin, cut->end);
	else if (*begin == '{' || *begin == '[')
		end = container_end(begin, cut->end);
	else
		while (end < cut->end && !strchr(",]} \n\r\t:\"[{", *end))
			end++;
	if (!end)
		return err_set(err, -EBADMSG, "byte %zu: the text or container that begins here has no end",
			       (size_t)(begin - cut->begin));
	if (end == begin)
		return cut_fail(cut, err, "a value");
	*ret_value = (struct json_slice){begin, (size_t)(end - begin)};
	cut->at = end;
	return 0;
}

int json_cut_open(struct json_cut *cut, const char *begin, struct json_slice whole, char bracket, struct err *err)
{
	*cut = (struct json_cut){begin, whole.text, whole.text + whole.bytes, true};
	skip_blank(cut);
	if (cut->at == cut->end || *cut->at != bracket)
		return cut_fail(cut, err, bracket == '{' ? "an object" : "a list");
	while (cut->end > cut->at + 1 && strchr(" \n\r\t", cut->end[-1]))
		cut->end--;
	if (cut->end == cut->at + 1 || cut->end[-1] != (bracket == '{' ? '}' : ']'))
		return err_set(err, -EBADMSG, "byte %zu: the %s that began at byte %zu should end here",
			       (size_t)(cut->end - begin), bracket == '{' ? "object" : "list",
			       (size_t)(cut->at - begin));
	cut->at++;
	cut->end--;
	return 0;
}

/* Before each but the first a comma. 1: a value follows. */
static int comma_take(struct json_cut *cut, struct err *err)
{
	skip_blank(cut);
	if (cut->at == cut->end)
		return 0;
	if (!cut->first && *cut->at++ != ',') {
		cut->at--;
		return cut_fail(cut, err, "a comma or the end");
	}
	cut->first = false;
	return 1;
}

int json_cut_item(struct json_cut *cut, struct json_slice *ret_item, struct err *err)
{
	int more = comma_take(cut, err);
	if (more == 1)
		more = value_take(cut, ret_item, err) < 0 ? -EBADMSG : 1;
	return more;
}

int json_cut_member(struct json_cut *cut, struct json_slice *ret_name, struct json_slice *ret_value, struct err *err)
{
	struct json_slice name, value;
	int more = comma_take(cut, err);
	if (more != 1)
		return more;
	skip_blank(cut);
	if (cut->at == cut->end || *cut->at != '"')
		return cut_fail(cut, err, "a name in quotes");
	if (value_take(cut, &name, err) < 0)
		return -EBADMSG;
	skip_blank(cut);
	if (cut->at == cut->end || *cut->at != ':')
		return cut_fail(cut, err, "a colon");
	cut->at++;
	if (value_take(cut, &value, err) < 0)
		return -EBADMSG;
	*ret_name = name;
	*ret_value = value;
	return 1;
}

bool json_slice_is(struct json_slice slice, const char *text)
{
	return slice.bytes == strlen(text) && memcmp(slice.text, text, slice.bytes) == 0;
}
