/* See value.h. Names after RFC 1035 section 2.3.4 and RFC 5890 (underscores are met in practice and let through);
 * addresses after RFC 5952; prefixes with bits past their length are refused, not mended. */
#include "wire/value.h"

#include "core/addr.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LABEL_BYTES_MAX = 63, NAME_BYTES_MAX = 253 };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Blanks around are dropped, "[.]", "(.)", "[dot]", "[:]", "[at]" and hxxp become what they stand for. false: too long.
 */
static bool refang(const char *text, size_t bytes, char out[VALUE_BYTES_MAX + 1], size_t *ret_bytes)
{
	static const struct {
		const char *from;
		char to;
	} marks[] = {{"[.]", '.'}, {"(.)", '.'},  {"[dot]", '.'}, {"(dot)", '.'},
		     {"[:]", ':'}, {"[at]", '@'}, {"[@]", '@'}};
	size_t used = 0;
	while (bytes > 0 && isspace((unsigned char)*text))
		text++, bytes--;
	while (bytes > 0 && isspace((unsigned char)text[bytes - 1]))
		bytes--;
	for (size_t i = 0; i < bytes;) {
		size_t m = 0, marks_count = sizeof marks / sizeof *marks;
		while (m < marks_count && (bytes - i < strlen(marks[m].from) ||
					   strncasecmp(text + i, marks[m].from, strlen(marks[m].from)) != 0))
			m++;
		if (used == VALUE_BYTES_MAX)
			return false;
		out[used++] = m < marks_count ? marks[m].to : text[i];
		i += m < marks_count ? strlen(marks[m].from) : 1;
	}
	if (used > 4 && strncasecmp(out, "hxxp", 4) == 0)
		out[1] = out[2] = 't';
	out[used] = '\0';
	*ret_bytes = used;
	return memchr(out, '\0', used) == NULL;
}

static int address_normal(bool v4, char text[VALUE_BYTES_MAX + 1], struct err *err)
{
	struct prefix prefix;
	if (strlen(text) >= PREFIX_TEXT_BYTES || prefix_parse(text, &prefix, NULL) < 0)
		return err_set(err, 1, "'%.64s' is no address or prefix", text);
	bool is_v4 = addr_is_v4(&prefix.addr) && prefix.bits >= 96;
	if (is_v4 != v4)
		return err_set(err, 1, "'%.64s' is not an IPv%c address", text, v4 ? '4' : '6');
	if (prefix.bits == 128)
		addr_format(&prefix.addr, text);
	else
		prefix_format(&prefix, text);
	return 0;
}

static bool name_is(const char *name, size_t bytes)
{
	size_t label = 0, labels = 0;
	bool letter = false;
	for (size_t i = 0; i <= bytes; i++) {
		if (i == bytes || name[i] == '.') {
			if (label == 0 || label > LABEL_BYTES_MAX || name[i - 1] == '-')
				return false;
			labels++;
			label = 0;
			continue;
		}
		unsigned char c = (unsigned char)name[i];
		if (!isalnum(c) && c != '_' && !(c == '-' && label > 0) && c < 0x80)
			return false;
		letter = letter || isalpha(c) || c >= 0x80;
		label++;
	}
	return bytes <= NAME_BYTES_MAX && labels > 1 && letter;
}

static int domain_normal(char text[VALUE_BYTES_MAX + 1], struct err *err)
{
	size_t bytes = strlen(text);
	if (bytes > 1 && text[bytes - 1] == '.')
		text[--bytes] = '\0';
	for (size_t i = 0; i < bytes; i++)
		text[i] = lower(text[i]);
	return name_is(text, bytes) ? 0 : err_set(err, 1, "'%.80s' is no domain name", text);
}

/* Scheme and host are not told apart by case (RFC 3986 section 6.2.2.1); the rest is left as it is. */
static int url_normal(char text[VALUE_BYTES_MAX + 1], struct err *err)
{
	char *colon = strstr(text, "://");
	if (!colon || colon == text || !isalpha((unsigned char)text[0]) || !colon[3])
		return err_set(err, 1, "'%.80s' is no URL", text);
	for (char *at = text; at < colon; at++) {
		*at = lower(*at);
		if (!isalnum((unsigned char)*at) && !strchr("+-.", *at))
			return err_set(err, 1, "'%.80s' is no URL", text);
	}
	size_t authority = strcspn(colon + 3, "/?#");
	char *host = memchr(colon + 3, '@', authority);
	for (host = host ? host + 1 : colon + 3; host < colon + 3 + authority; host++)
		*host = lower(*host);
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return err_set(err, 1, "'%.80s' is no URL: there is a blank in it", text);
	return authority > 0 ? 0 : err_set(err, 1, "'%.80s' is no URL: there is no host in it", text);
}

static int email_normal(char text[VALUE_BYTES_MAX + 1], struct err *err)
{
	char *at = strrchr(text, '@');
	if (!at || at == text || strpbrk(text, " \t<>,;\""))
		return err_set(err, 1, "'%.80s' is no mail address", text);
	char domain[VALUE_BYTES_MAX + 1];
	snprintf(domain, sizeof domain, "%s", at + 1);
	if (domain_normal(domain, NULL) != 0)
		return err_set(err, 1, "'%.80s' is no mail address", text);
	strcpy(at + 1, domain); /* never longer than what was there */
	return 0;
}

static int hash_normal(size_t digits, char text[VALUE_BYTES_MAX + 1], struct err *err)
{
	size_t bytes = strlen(text);
	for (size_t i = 0; i < bytes; i++) {
		text[i] = lower(text[i]);
		if (!isxdigit((unsigned char)text[i]))
			return err_set(err, 1, "'%.80s' is no hash", text);
	}
	return bytes == digits ? 0 : err_set(err, 1, "'%.80s': a hash of %zu digits was expected", text, digits);
}

static int asn_normal(char text[VALUE_BYTES_MAX + 1], struct err *err)
{
	char *end, *digits = text + (strncasecmp(text, "AS", 2) == 0 ? 2 : 0);
	unsigned long long number = isdigit((unsigned char)*digits) ? strtoull(digits, &end, 10) : UINT64_MAX;
	if (number > UINT32_MAX || *end)
		return err_set(err, 1, "'%.80s' is no AS number", text);
	snprintf(text, 16, "%llu", number);
	return 0;
}

int value_normal(enum value_kind kind, const char *text, size_t bytes, char ret_text[VALUE_BYTES_MAX + 1],
		 size_t *ret_bytes, struct err *err)
{
	static const size_t digits[VALUE_KINDS] = {
		[VALUE_MD5] = 32, [VALUE_SHA1] = 40, [VALUE_SHA256] = 64, [VALUE_SHA512] = 128};
	int result = 0;
	if (!refang(text, bytes, ret_text, ret_bytes))
		return err_set(err, 1, "a value longer than %d bytes, or with a zero byte in it", VALUE_BYTES_MAX);
	if (*ret_bytes == 0)
		return err_set(err, 1, "an empty value");
	if (kind == VALUE_IPV4 || kind == VALUE_IPV6)
		result = address_normal(kind == VALUE_IPV4, ret_text, err);
	else if (kind == VALUE_DOMAIN)
		result = domain_normal(ret_text, err);
	else if (kind == VALUE_URL)
		result = url_normal(ret_text, err);
	else if (kind == VALUE_EMAIL)
		result = email_normal(ret_text, err);
	else if (kind == VALUE_ASN)
		result = asn_normal(ret_text, err);
	else if (digits[kind])
		result = hash_normal(digits[kind], ret_text, err);
	*ret_bytes = strlen(ret_text);
	return result;
}

int value_guess(const char *text, size_t bytes, enum value_kind *ret_kind, char ret_text[VALUE_BYTES_MAX + 1],
		size_t *ret_bytes, struct err *err)
{
	/* A name last: "1.2.3.4.example" is one, and everything that is more special was tried before. */
	static const enum value_kind order[] = {VALUE_IPV4,   VALUE_IPV6, VALUE_MD5,   VALUE_SHA1,  VALUE_SHA256,
						VALUE_SHA512, VALUE_URL,  VALUE_EMAIL, VALUE_DOMAIN};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		if (value_normal(order[i], text, bytes, ret_text, ret_bytes, NULL) != 0)
			continue;
		*ret_kind = order[i];
		return 0;
	}
	if (bytes > 2 && strncasecmp(text, "AS", 2) == 0 &&
	    value_normal(VALUE_ASN, text, bytes, ret_text, ret_bytes, NULL) == 0) {
		*ret_kind = VALUE_ASN;
		return 0;
	}
	return err_set(err, 1, "'%.*s' is no address, name, URL, hash or AS number", bytes < 80 ? (int)bytes : 80,
		       text);
}
