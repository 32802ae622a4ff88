/* Templates: what a file may hold, what it may not, and that no value becomes more than a value. */
#include "share/template.h"

#include "../check.h"

#include <errno.h>
#include <stdlib.h>

enum { GAP_NAME, GAP_BLOCK };
static const struct template_part parts[] = {{"subject", true}, {"text"}, {NULL}};
static const struct template_gap gaps[] = {{"name"}, {"block", true}, {NULL}};
static const struct template_form form = {parts, gaps};

static int parse(struct pool *pool, const char *text, struct template **ret_template, struct err *err)
{
	return template_parse("x.txt", text, strlen(text), &form, pool, ret_template, err);
}

static void gaps_are_filled(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct template *template = NULL;
	struct err err = {""};
	const char *const values[] = {"Hanako", "a\nb"};
	char *text = NULL;
	assert_int_equal(
		parse(pool,
		      "A remark {{anything}}\n== subject\nTo {{name}}\n== text\n\n\n{{block}}, {{ name }}!\r\n x \n\n",
		      &template, &err),
		0);
	assert_true(template_has(template, 0, GAP_NAME));
	assert_false(template_has(template, 0, GAP_BLOCK));
	assert_int_equal(template_render(template, 0, values, &text, &err), 0);
	assert_string_equal(text, "To Hanako");
	free(text);
	assert_int_equal(template_render(template, 1, values, &text, &err), 0);
	assert_string_equal(text, "a\nb, Hanako!\r\n x");
	free(text);
	pool_free(pool);
}

static void a_value_is_never_read_again(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct template *template = NULL;
	struct err err = {""};
	const char *const values[] = {"{{block}}\r\nBcc: all@example.org\n== text", "{{name}}"};
	char *text = NULL;
	assert_int_equal(parse(pool, "== text\n{{name}}|{{block}}\n== subject\n{{name}}", &template, &err), 0);
	assert_int_equal(template_render(template, 1, values, &text, &err), 0);
	assert_string_equal(text, "{{block}}  Bcc: all@example.org == text|{{name}}");
	free(text);
	pool_free(pool);
}

static void strangers_values_are_made_harmless(void **state)
{
	(void)state;
	static const struct {
		const char *given, *made;
	} cases[] = {
		{"plain", "plain"},
		{"日本", "日本"},
		{"a\tb\x1b[31mc\x7f", "a b [31mc "},
		{"http://evil.example/x", "http[://]evil.example/x"},
		{"a\xe2\x80\xae"
		 "b\xe2\x80\x8b"
		 "c\xef\xbb\xbf",
		 "abc"},
		{"a\xe2\x80\xa8"
		 "b",
		 "a b"},
		{"\xff\xc0\xafz", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe6\x97", "\xef\xbf\xbd\xef\xbf\xbd"},
	};
	char plain[TEMPLATE_VALUE_BYTES], big[3 * TEMPLATE_VALUE_BYTES];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		template_plain(cases[i].given, plain);
		assert_string_equal(plain, cases[i].made);
	}
	big[0] = 'x';
	for (size_t i = 1; i + 3 < sizeof big; i += 3)
		memcpy(big + i, "\xe6\x97\xa5", 4);
	template_plain(big, plain);
	assert_true(strlen(plain) < TEMPLATE_VALUE_BYTES && strlen(plain) > TEMPLATE_VALUE_BYTES - 8);
	assert_string_equal(plain + strlen(plain) - 6, "\xe6\x97\xa5\xe2\x80\xa6");
}

static void mistakes_are_named_with_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{"== subject\nx\n== text\na\nb {{nmae}}\n",
		 "x.txt:5: there is no value 'nmae'; there are: name, block"},
		{"== subject\nx\n== text\na\n{{name\n}}", "x.txt:5: '{{' without '}}' in the same line"},
		{"== subject\nx\n== text\n{{}}", "x.txt:4: there is no value ''"},
		{"== subject\nx\ny\n== text\n", "x.txt:2: one line was expected"},
		{"== subject\nx\n", "the part '== text' is missing"},
		{"== subject\nx\n== title\n", "x.txt:3: there is no part 'title'; subject, text was expected"},
		{"== subject\nx\n== text\n\n== subject\n", "x.txt:5: the part 'subject' was there already, in line 1"},
		{"== subject\nx\n== text\na\n\x01\n", "x.txt:5: a control character (U+0001)"},
		{"== subject\n\xe3\x81\n", "x.txt:2: not UTF-8"},
		{"", "the part '== subject' is missing"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new(NULL, "test");
		struct template *template = NULL;
		struct err err = {""};
		assert_int_equal(parse(pool, cases[i].text, &template, &err), -EINVAL);
		assert_contains(err.text, cases[i].sentence);
		assert_null(template);
		pool_free(pool);
	}
}

static void ceilings_hold(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct template *template = NULL;
	struct err err = {""};
	char *many = calloc(1, TEMPLATE_BYTES_MAX + 2), *text = NULL, *block = malloc(TEMPLATE_TEXT_BYTES_MAX);
	strcpy(many, "== subject\nx\n== text\n");
	for (int i = 0; i <= TEMPLATE_GAPS_MAX; i++)
		strcat(many, "{{name}}");
	assert_int_equal(parse(pool, many, &template, &err), -EINVAL);
	assert_contains(err.text, "more than 256 gaps");
	memset(many, 'x', TEMPLATE_BYTES_MAX + 1);
	assert_int_equal(parse(pool, many, &template, &err), -EINVAL);
	assert_contains(err.text, "longer than");
	assert_int_equal(parse(pool, "== subject\n== text\n{{block}}{{block}}", &template, &err), 0);
	memset(block, 'y', TEMPLATE_TEXT_BYTES_MAX - 1);
	block[TEMPLATE_TEXT_BYTES_MAX - 1] = '\0';
	const char *const values[] = {NULL, block};
	assert_int_equal(template_render(template, 1, values, &text, &err), -EMSGSIZE);
	free(block);
	free(many);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_are_filled),
		cmocka_unit_test(a_value_is_never_read_again),
		cmocka_unit_test(strangers_values_are_made_harmless),
		cmocka_unit_test(mistakes_are_named_with_file_and_line),
		cmocka_unit_test(ceilings_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
