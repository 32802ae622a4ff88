/* Normal forms of values, and what is refused of them. */
#include "wire/value.h"

#include "../check.h"

#include <stdio.h>

static const char *normal(enum value_kind kind, const char *text)
{
	static char out[VALUE_BYTES_MAX + 1];
	size_t bytes;
	struct err err = {""};
	if (value_normal(kind, text, strlen(text), out, &bytes, &err) != 0) {
		assert_true(err.text[0]);
		return NULL;
	}
	assert_int_equal(bytes, strlen(out));
	return out;
}

static void values_have_one_form(void **state)
{
	(void)state;
	static const struct {
		enum value_kind kind;
		const char *text, *form; /* NULL: refused */
	} values[] = {
		{VALUE_IPV4, " 198.51.100.7\r", "198.51.100.7"},
		{VALUE_IPV4, "198[.]51[.]100(.)7", "198.51.100.7"},
		{VALUE_IPV4, "198.51.100.0/24", "198.51.100.0/24"},
		{VALUE_IPV4, "198.51.100.7/32", "198.51.100.7"},
		{VALUE_IPV4, "198.51.100.7/24", NULL},
		{VALUE_IPV4, "198.51.100.256", NULL},
		{VALUE_IPV4, "2001:db8::1", NULL},
		{VALUE_IPV6, "2001:DB8:0::1", "2001:db8::1"},
		{VALUE_IPV6, "2001:db8::/32", "2001:db8::/32"},
		{VALUE_DOMAIN, "Evil.EXAMPLE.", "evil.example"},
		{VALUE_DOMAIN, "evil[dot]example", "evil.example"},
		{VALUE_DOMAIN, "_dmarc.example.jp", "_dmarc.example.jp"},
		{VALUE_DOMAIN, "日本語.example", "日本語.example"},
		{VALUE_DOMAIN, "localhost", NULL},
		{VALUE_DOMAIN, "a..b", NULL},
		{VALUE_DOMAIN, "-a.b", NULL},
		{VALUE_DOMAIN, "a-.b", NULL},
		{VALUE_DOMAIN, "1.2.3", NULL},
		{VALUE_URL, "hxxps://User@Evil.Example/A?B", "https://User@evil.example/A?B"},
		{VALUE_URL, "http://", NULL},
		{VALUE_URL, "http://a b/", NULL},
		{VALUE_URL, "evil.example/a", NULL},
		{VALUE_EMAIL, "Some.One@EXAMPLE.jp", "Some.One@example.jp"},
		{VALUE_EMAIL, "@example.jp", NULL},
		{VALUE_MD5, "44D88612FEA8A8F36DE82E1278ABB02F", "44d88612fea8a8f36de82e1278abb02f"},
		{VALUE_MD5, "44d8", NULL},
		{VALUE_SHA1, "zz", NULL},
		{VALUE_ASN, "AS64500", "64500"},
		{VALUE_ASN, "4294967296", NULL},
		{VALUE_OTHER, " as it is ", "as it is"},
		{VALUE_OTHER, "   ", NULL},
	};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		const char *form = normal(values[i].kind, values[i].text);
		if (!values[i].form != !form || (form && strcmp(form, values[i].form) != 0))
			fail_msg("'%s' became '%s', '%s' was expected", values[i].text, form ? form : "(refused)",
				 values[i].form ? values[i].form : "(refused)");
	}
	char longest[VALUE_BYTES_MAX + 3];
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_null(normal(VALUE_OTHER, longest));
}

static void kinds_are_guessed(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum value_kind kind;
	} values[] = {
		{"198.51.100.7", VALUE_IPV4},
		{"198.51.100.0/24", VALUE_IPV4},
		{"2001:db8::1", VALUE_IPV6},
		{"evil.example", VALUE_DOMAIN},
		{"1.2.3.4.example", VALUE_DOMAIN},
		{"http://1.2.3.4/", VALUE_URL},
		{"a@b.example", VALUE_EMAIL},
		{"44d88612fea8a8f36de82e1278abb02f", VALUE_MD5},
		{"AS64500", VALUE_ASN},
		{"not", VALUE_KINDS},
		{"64500", VALUE_KINDS},
		{"", VALUE_KINDS},
	};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char out[VALUE_BYTES_MAX + 1];
		size_t bytes;
		enum value_kind kind = VALUE_KINDS;
		struct err err = {""};
		int result = value_guess(values[i].text, strlen(values[i].text), &kind, out, &bytes, &err);
		assert_int_equal(kind, values[i].kind);
		assert_int_equal(result != 0, kind == VALUE_KINDS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(values_have_one_form), cmocka_unit_test(kinds_are_guessed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
