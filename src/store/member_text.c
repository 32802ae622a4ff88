/* Texts as spreadsheets hold them, made plain: a machine's text written with a Japanese input method has full-width
 * digits, wide blanks and ideographic commas (Unicode's Halfwidth and Fullwidth Forms, U+FF01 to U+FF5E).
 */
#include "store/member_form.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *from, *to;
} plain_forms[] = {
	{"\u00a0", " "}, {"\u3000", " "}, {"\u202f", " "}, {"\u2007", " "}, {"\ufeff", ""},  {"\u200b", ""},
	{"\u200c", ""},  {"\u200d", ""},  {"\u200e", ""},  {"\u200f", ""},  {"\u2010", "-"}, {"\u2011", "-"},
	{"\u2012", "-"}, {"\u2013", "-"}, {"\u2014", "-"}, {"\u2015", "-"}, {"\u2212", "-"}, {"\u3001", ","},
	{"\uff64", ","}, {"\u3002", "."}, {"\uff61", "."},
};

/* How many bytes of `text` the answer stands for; *ret_to is what to write for them, NULL: those bytes themselves. */
static size_t plain_step(const unsigned char *text, char room[2], const char **ret_to)
{
	*ret_to = NULL;
	if (text[0] < 0x80)
		return 1;
	if (text[0] == 0xef && (text[1] == 0xbc || text[1] == 0xbd)) {
		unsigned code = 0xf000 | (text[1] & 0x3fU) << 6 | (text[2] & 0x3fU);
		if (code >= 0xff01 && code <= 0xff5e) {
			room[0] = (char)(code - 0xff01 + 0x21);
			room[1] = '\0';
			*ret_to = room;
			return 3;
		}
	}
	for (size_t i = 0; i < sizeof plain_forms / sizeof *plain_forms; i++) {
		size_t length = strlen(plain_forms[i].from);
		if (strncmp((const char *)text, plain_forms[i].from, length) == 0) {
			*ret_to = plain_forms[i].to;
			return length;
		}
	}
	return 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int member_text_plain(const char *text, char *ret_plain, size_t bytes)
{
	size_t used = 0;
	while (*text) {
		char room[2];
		const char *to;
		size_t taken = plain_step((const unsigned char *)text, room, &to);
		size_t written = to ? strlen(to) : taken;
		if (used + written >= bytes)
			return -EMSGSIZE;
		memcpy(ret_plain + used, to ? to : text, written);
		used += written;
		text += taken;
		if (used == 1 && is_blank(ret_plain[0]))
			used = 0;
	}
	while (used > 0 && is_blank(ret_plain[used - 1]))
		used--;
	ret_plain[used] = '\0';
	return 0;
}

char *member_text_item(char **plain)
{
	static const char separators[] = " \t\r\n,;";
	char *item = *plain + strspn(*plain, separators);
	if (!*item)
		return NULL;
	char *end = item + strcspn(item, separators);
	*plain = *end ? end + 1 : end;
	*end = '\0';
	return item;
}
