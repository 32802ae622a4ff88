/* What each field of a member takes. See member_form.h; the table of fields is in member_form.c. */
#include "store/member_fields.h"

#include "core/clock.h"

#include <ctype.h>
#include <errno.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *refuse(struct member_form *form, const char *value, const char *message, const char *message_ja)
{
	form->refused = true;
	member_remark(form->remarks, form->field, true, value, message, message_ja);
	return NULL;
}

static json_t *refuse_type(struct member_form *form)
{
	return refuse(form, "", "a text was expected", "文字列を書いてください");
}

/* The given text made plain in `room`; NULL with a remark. null and a missing one are empty. */
static const char *plain(struct member_form *form, const json_t *given, char *room, size_t bytes)
{
	if (!json_is_string(given) && !json_is_null(given))
		refuse_type(form);
	else if (member_text_plain(json_is_null(given) ? "" : json_string_value(given), room, bytes) < 0)
		refuse(form, "", "it is too long", "長すぎます");
	else
		return room;
	return NULL;
}

/* Length of the blank at the text's start: also an ideographic one, or a control character; 0: none. */
static size_t blank_length(const char *text)
{
	static const char wide[] = "\u3000";
	if (isspace((unsigned char)*text) || iscntrl((unsigned char)*text))
		return *text != '\0';
	return strncmp(text, wide, strlen(wide)) == 0 ? strlen(wide) : 0;
}

/* Texts that people read keep their letters; only control characters go, and blanks at the ends. */
static json_t *text_take(struct member_form *form, const json_t *given, size_t most, bool lines)
{
	if (json_is_null(given))
		return json_string("");
	if (!json_is_string(given))
		return refuse_type(form);
	const char *text = json_string_value(given);
	if (strlen(text) > most)
		return refuse(form, "", "it is too long", "長すぎます");
	char *room = malloc(strlen(text) + 1);
	if (!room)
		return NULL;
	size_t used = 0, solid = 0, blank;
	while ((blank = blank_length(text)) > 0)
		text += blank;
	for (; *text; text++) {
		if (lines && text[0] == '\r' && text[1] == '\n')
			continue;
		bool control = iscntrl((unsigned char)*text) && !(lines && (*text == '\n' || *text == '\t'));
		blank = blank_length(text);
		room[used++] = control ? ' ' : *text;
		for (; blank > 1; blank--)
			room[used++] = *++text;
		if (blank == 0)
			solid = used;
	}
	json_t *taken = json_stringn(room, solid);
	free(room);
	return taken;
}

json_t *member_take_name(struct member_form *form, const json_t *given)
{
	json_t *name = text_take(form, given, MEMBER_NAME_BYTES_MAX, false);
	if (name && form->needed && json_string_length(name) == 0) {
		json_decref(name);
		return refuse(form, "", "it is empty", "空です");
	}
	return name;
}

json_t *member_take_notes(struct member_form *form, const json_t *given)
{
	return text_take(form, given, MEMBER_NOTES_BYTES_MAX, true);
}

static json_t *key_take(struct member_form *form, const json_t *given)
{
	char room[512];
	const char *text = plain(form, given, room, sizeof room);
	if (!text)
		return NULL;
	for (char *at = room; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	size_t length = strlen(text);
	bool right = length < MEMBER_KEY_BYTES && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length;
	if (!right || (length > 0 && strspn(text, "0123456789") == length))
		return refuse(form, text, "'%s' is not a key: 1 to 63 of a-z 0-9 . _ - and not digits alone",
			      "「%s」は識別子として使えません。a-z 0-9 . _ - を 1〜63 字で(数字だけは不可)");
	return json_string(text);
}

/* Words that stand where a key may in addresses of the API. */
static bool is_reserved(const char *key)
{
	static const char *const words[] = {"import", "export", "whose", "history", "diff"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(key, words[i]) == 0)
			return true;
	return false;
}

json_t *member_take_key(struct member_form *form, const json_t *given)
{
	json_t *key = key_take(form, given);
	if (key && json_string_length(key) == 0) {
		json_decref(key);
		return refuse(form, "", "it is empty", "空です");
	}
	if (key && is_reserved(json_string_value(key))) {
		refuse(form, json_string_value(key), "'%s' is a word of this program", "「%s」は予約された語です");
		json_decref(key);
		return NULL;
	}
	return key;
}

json_t *member_take_other(struct member_form *form, const json_t *given)
{
	json_t *key = key_take(form, given);
	if (key && json_string_length(key) == 0) {
		json_decref(key);
		return json_null();
	}
	return key;
}

json_t *member_take_choice(struct member_form *form, const json_t *given)
{
	char room[64], message[256], message_ja[256];
	const char *text = plain(form, given, room, sizeof room);
	if (!text)
		return NULL;
	if (!text[0])
		return json_string(form->choices[0].name);
	const char *bare = strncasecmp(text, "tlp:", 4) == 0 ? text + 4 : text;
	size_t used = 0, used_ja = 0;
	for (const struct member_choice *choice = form->choices; choice->name; choice++) {
		if (strcasecmp(choice->name, bare) == 0 || strcmp(choice->name_ja, text) == 0)
			return json_string(choice->name);
		used += (size_t)snprintf(message + used, sizeof message - used, "%s%s", used ? ", " : "", choice->name);
		used_ja += (size_t)snprintf(message_ja + used_ja, sizeof message_ja - used_ja, "%s%s",
					    used_ja ? "、" : "", choice->name_ja);
	}
	char sentence[400], sentence_ja[400];
	snprintf(sentence, sizeof sentence, "'%%s' is none of %s", message);
	snprintf(sentence_ja, sizeof sentence_ja, "「%%s」は %s のどれでもありません", message_ja);
	return refuse(form, text, sentence, sentence_ja);
}

json_t *member_take_instant(struct member_form *form, const json_t *given)
{
	char room[64], text[TIME_TEXT_BYTES];
	int64_t time_ns;
	const char *date = plain(form, given, room, sizeof room);
	if (!date)
		return NULL;
	if (!date[0])
		return json_null();
	unsigned year, month, day;
	int end = 0;
	char written[16];
	bool plain_date = (sscanf(date, "%4u/%2u/%2u%n", &year, &month, &day, &end) == 3 ||
			   sscanf(date, "%4u年%2u月%2u日%n", &year, &month, &day, &end) == 3) &&
			  !date[end];
	if (plain_date)
		snprintf(written, sizeof written, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
	bool relative = date[0] == '-' || strcmp(date, "now") == 0 || strspn(date, "0123456789") == strlen(date);
	if (relative || time_parse(plain_date ? written : date, 0, &time_ns, NULL) < 0)
		return refuse(
			form, date, "'%s' is not a date; expected one like 2026-04-01 or 2026-04-01T09:00:00+09:00",
			"「%s」は日付として読めません。2026-04-01 や 2026-04-01T09:00:00+09:00 のように書いてください");
	return json_string(time_format(time_ns, text));
}

/* Items of a list, given as an array or in one text. `take` gets each made plain. */
static json_t *list_take(struct member_form *form, const json_t *given, json_t *(*take)(struct member_form *, char *))
{
	json_t *list = json_array(), *item;
	size_t i;
	if (json_is_string(given)) {
		size_t bytes = json_string_length(given) + 1;
		char *room = malloc(bytes), *rest = room, *one;
		if (room && member_text_plain(json_string_value(given), room, bytes) == 0)
			while ((one = member_text_item(&rest)))
				json_array_append_new(list, take(form, one));
		free(room);
	} else if (json_is_array(given)) {
		json_array_foreach(given, i, item)
		{
			char room[600];
			if (json_is_integer(item))
				snprintf(room, sizeof room, "%lld", (long long)json_integer_value(item));
			else if (!plain(form, item, room, sizeof room))
				break;
			if (room[0])
				json_array_append_new(list, take(form, room));
		}
	} else if (!json_is_null(given)) {
		refuse(form, "", "a list was expected", "一覧を書いてください");
	}
	if (!form->refused && json_array_size(list) > form->most)
		refuse(form, "", "there are too many", "多すぎます");
	if (!form->refused)
		return list;
	json_decref(list);
	return NULL;
}

static int compare_items(const void *a, const void *b)
{
	const json_t *one = *(const json_t *const *)a, *other = *(const json_t *const *)b;
	if (json_is_integer(one))
		return (json_integer_value(one) > json_integer_value(other)) -
		       (json_integer_value(one) < json_integer_value(other));
	return strcmp(json_string_value(one), json_string_value(other));
}

/* Sorted, each once. The list is consumed; NULL stays NULL. */
static json_t *list_sorted(json_t *list)
{
	size_t count = json_array_size(list);
	json_t *sorted = list ? json_array() : NULL, **items = calloc(count + 1, sizeof *items);
	if (items && sorted) {
		for (size_t i = 0; i < count; i++)
			items[i] = json_array_get(list, i);
		qsort(items, count, sizeof *items, compare_items);
		for (size_t i = 0; i < count; i++)
			if (i == 0 || compare_items(&items[i - 1], &items[i]) != 0)
				json_array_append(sorted, items[i]);
	}
	free(items);
	json_decref(list);
	return sorted;
}

static json_t *asn_take(struct member_form *form, char *text)
{
	const char *digits = strncasecmp(text, "as", 2) == 0 ? text + 2 : text;
	size_t length = strlen(digits);
	unsigned long long number =
		length > 0 && length <= 10 && strspn(digits, "0123456789") == length ? strtoull(digits, NULL, 10) : 0;
	if (number == 0 || number > 4294967294)
		return refuse(form, text, "'%s' is not an AS number; expected one like AS64500 (RFC 6793)",
			      "「%s」は AS 番号として読めません。AS64500 のように書いてください");
	if ((number >= 64496 && number <= 65551) || number >= 4200000000 || number == 23456)
		member_remark(form->remarks, form->field, false, text,
			      "'%s' is reserved or private (RFC 5398, RFC 6996)",
			      "「%s」は予約済みか私用の番号です(RFC 5398、RFC 6996)");
	return json_integer((json_int_t)number);
}

/* "64,500" could be two numbers or one that a spreadsheet wrote with a thousands separator. */
static bool has_thousands(const char *text)
{
	for (const char *at = text; (at = strchr(at, ',')); at++)
		if (at > text && isdigit((unsigned char)at[-1]) && strspn(at + 1, "0123456789") == 3)
			return true;
	return false;
}

json_t *member_take_asns(struct member_form *form, const json_t *given)
{
	if (json_is_integer(given)) {
		char text[32];
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(given));
		json_t *one = asn_take(form, text);
		return one ? json_pack("[o]", one) : NULL;
	}
	if (json_is_string(given) && has_thousands(json_string_value(given)))
		return refuse(form, json_string_value(given),
			      "'%s' may be one number with a thousands separator; put a blank between AS numbers",
			      "「%s」は桁区切りの入った一つの番号にも読めます。AS 番号は空白で区切ってください");
	return list_sorted(list_take(form, given, asn_take));
}

static bool is_host_name(const char *name)
{
	size_t length = strlen(name), label = 0;
	if (length == 0 || length > 253)
		return false;
	for (const char *at = name;; at++) {
		if (*at == '.' || !*at) {
			if (label == 0 || label > 63 || at[-1] == '-' || at[-(ptrdiff_t)label] == '-')
				return false;
			if (!*at)
				return true;
			label = 0;
		} else {
			if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_')
				return false;
			label++;
		}
	}
}

/* To ASCII as resolvers ask for it (IDNA 2008, UTS 46). NULL: it is no name. */
static char *domain_plain(const char *text)
{
	char *ascii = NULL;
	if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	size_t length = strlen(ascii);
	if (length > 1 && ascii[length - 1] == '.')
		ascii[length - 1] = '\0';
	if (is_host_name(ascii))
		return ascii;
	idn2_free(ascii);
	return NULL;
}

static json_t *domain_take(struct member_form *form, char *text)
{
	struct addr addr;
	char *ascii = domain_plain(strncmp(text, "*.", 2) == 0 ? text + 2 : text);
	bool right = ascii && strchr(ascii, '.') && addr_parse(ascii, &addr, NULL) < 0;
	json_t *domain = right ? json_string(ascii) : NULL;
	idn2_free(ascii);
	return right ? domain
		     : refuse(form, text, "'%s' is not a domain; expected one like example.jp (RFC 1123)",
			      "「%s」はドメイン名として読めません。example.jp のように書いてください");
}

json_t *member_take_domains(struct member_form *form, const json_t *given)
{
	return list_sorted(list_take(form, given, domain_take));
}

static json_t *endpoint_take(struct member_form *form, char *text)
{
	for (char *at = text; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	size_t length = strlen(text);
	if (length > 255 || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.:_-[]/@") != length)
		return refuse(form, text, "'%s' is not a name of an endpoint: up to 255 of a-z 0-9 . : _ - [ ] / @",
			      "「%s」は端末の名前として使えません。a-z 0-9 . : _ - [ ] / @ を 255 字まで");
	return json_string(text);
}

json_t *member_take_endpoints(struct member_form *form, const json_t *given)
{
	return list_sorted(list_take(form, given, endpoint_take));
}

static json_t *prefix_take(struct member_form *form, char *text)
{
	struct prefix prefix;
	char written[PREFIX_TEXT_BYTES];
	if (member_prefix_take(text, &prefix, form->remarks) == 0)
		return json_string(prefix_format(&prefix, written));
	form->refused = true;
	return NULL;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix *one = a, *other = b;
	int order = addr_compare(&one->addr, &other->addr);
	return order ? order : (one->bits > other->bits) - (one->bits < other->bits);
}

json_t *member_take_prefixes(struct member_form *form, const json_t *given)
{
	json_t *list = list_take(form, given, prefix_take), *sorted = json_array();
	size_t count = json_array_size(list);
	struct prefix *prefixes = calloc(count + 1, sizeof *prefixes);
	if (!list || !sorted || !prefixes) {
		json_decref(sorted);
		sorted = NULL;
		count = 0;
	}
	for (size_t i = 0; i < count; i++)
		(void)!prefix_parse(json_string_value(json_array_get(list, i)), &prefixes[i], NULL);
	qsort(prefixes, count, sizeof *prefixes, compare_prefixes);
	for (size_t i = 0; i < count; i++) {
		char text[PREFIX_TEXT_BYTES];
		if (i == 0 || compare_prefixes(&prefixes[i - 1], &prefixes[i]) != 0)
			json_array_append_new(sorted, json_string(prefix_format(&prefixes[i], text)));
		else
			member_remark(form->remarks, form->field, false, prefix_format(&prefixes[i], text),
				      "'%s' stands there twice", "「%s」が重なって書かれています");
	}
	free(prefixes);
	json_decref(list);
	return sorted;
}
