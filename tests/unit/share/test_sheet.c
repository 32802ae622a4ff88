/* CSV as spreadsheets write it: rows, the lines they begin at, what is broken; texts in other codes. */
#include "../check.h"

#include "share/sheet.h"
#include "share/text_decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int row_print(void *context, const struct sheet_row *row)
{
	fprintf(context, "%lu", row->line);
	for (size_t i = 0; i < row->count; i++)
		fprintf(context, "|%s", row->cells[i]);
	fputs(row->broken ? "!;" : ";", context);
	return 0;
}

static void reads(const char *text, const char *wanted)
{
	char *answer = NULL;
	size_t bytes;
	struct err err = {""};
	FILE *out = open_memstream(&answer, &bytes);
	int result = sheet_read(text, strlen(text), row_print, out, &err);
	fclose(out);
	if (result != 0 || strcmp(answer, wanted) != 0)
		fail_msg("%s\ngave %s\nnot  %s (%d %s)", text, answer, wanted, result, err.text);
	free(answer);
}

static void rows_and_lines(void **state)
{
	(void)state;
	reads("", "");
	reads("a", "1|a;");
	reads("a,b\nc,d\n", "1|a|b;2|c|d;");
	reads("a,b\r\nc,d\r\n", "1|a|b;2|c|d;");
	reads("a,b\rc,d\r", "1|a|b;2|c|d;");
	reads("a,\"b\nc\r\nd\"\ne,f", "1|a|b\nc\r\nd;4|e|f;");
	reads("\n\na\n,,,\n  \nb", "3|a;6|b;");
	reads("\"\n\n\",x\ny", "1|\n\n|x;4|y;");
	reads(" a , b c ,\"\"\n", "1|a|b c|;");
	reads("\"a \"\"q\"\"\",b\n", "1|a \"q\"|b;");
}

static void other_delimiters(void **state)
{
	(void)state;
	reads("a;b;c\n1,5;2;3\n", "1|a|b|c;2|1,5|2|3;");
	reads("a\tb\n1, 2\t3\n\t4", "1|a|b;2|1, 2|3;3||4;");
	reads("sep=;\r\na,b;c\n", "2|a,b|c;");
	reads("\"a;b;c\",d\n", "1|a;b;c|d;");
}

static void broken_quotes_do_not_swallow_the_rest(void **state)
{
	(void)state;
	reads("a,b\nc,\"d\ne,f\n", "1|a|b;2!;3|e|f;");
	reads("a,b\nc\"c,d\ne,f\n", "1|a|b;2!;3|e|f;");
	reads("a,b\n\"c\"c,d\ne,f\n", "1|a|b;2!;3|e|f;");
	reads("a,\"b\nc\"x,\"d\n\"e\nf,g", "1!;2!;3!;4|f|g;");
	char *wide = calloc(1, 3000), *text = NULL;
	memset(wide, ',', 2000);
	wide[1000] = '\n';
	reads(wide, ""); /* blank, if wide */
	memcpy(wide + 300, "x\ny", 4);
	reads(wide, "1!;2|y;");
	free(wide);
	size_t long_cell = SHEET_CELL_BYTES_MAX + 10;
	text = malloc(long_cell + 20);
	memset(text, 'x', long_cell);
	memcpy(text + long_cell, "\nshort\n", 8);
	reads(text, "1!;2|short;");
	free(text);
}

static void a_file_of_quotes_is_given_up(void **state)
{
	(void)state;
	char *text = calloc(1, 4001), *answer = NULL;
	size_t bytes;
	struct err err = {""};
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 4 * i, "x\"y\n", 4);
	FILE *out = open_memstream(&answer, &bytes);
	assert_int_equal(sheet_read(text, 4000, row_print, out, &err), -EBADMSG);
	assert_contains(err.text, "is it CSV?");
	fclose(out);
	free(answer);
	free(text);
}

static void cells_come_back(void **state)
{
	(void)state;
	static const struct {
		const char *text, *written;
	} cases[] = {
		{"", ""},
		{"a b", "a b"},
		{"a,b", "\"a,b\""},
		{"a\"b", "\"a\"\"b\""},
		{"a\nb", "\"a\nb\""},
		{" a", "\" a\""},
		{"=1+1", "'=1+1"},
		{"'=1+1", "''=1+1"},
		{"'quoted'", "'quoted'"},
		{"+81-3", "'+81-3"},
		{"@x,y", "\"'@x,y\""},
		{"''-", "'''-"},
		{"仙台市", "仙台市"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *cell = sheet_cell_write(cases[i].text, ',');
		assert_string_equal(cell, cases[i].written);
		free(cell);
	}
	assert_string_equal(sheet_cell_plain("'=1"), "=1");
	assert_string_equal(sheet_cell_plain("''=1"), "'=1");
	assert_string_equal(sheet_cell_plain("'a"), "'a");
}

static void codes_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		const char *data;
		size_t bytes;
		const char *from, *text;
	} cases[] = {
		{"a,b", 3, "UTF-8", "a,b"},
		{"", 0, "UTF-8", ""},
		{"\xef\xbb\xbf\xe4\xbb\x99", 6, "UTF-8", "仙"},
		{"\xe4\xbb\x99\xe5\x8f\xb0", 6, "UTF-8", "仙台"},
		{"\x90\xe5\x91\xe4\x8e\x73", 6, "CP932", "仙台市"},
		{"\x87\x40,\xb1", 4, "CP932", "①,ｱ"}, /* an NEC special character; half-width kana */
		{"\xff\xfe\x19\x4e,\x00", 6, "UTF-16LE", "丙,"},
		{"\xfe\xff\x4e\x19\x00,", 6, "UTF-16BE", "丙,"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = NULL;
		size_t bytes = 0;
		const char *from = NULL;
		struct err err = {""};
		if (text_decode(cases[i].data, cases[i].bytes, &text, &bytes, &from, &err) != 0)
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(from, cases[i].from);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(bytes, strlen(text));
		free(text);
	}
}

static void what_is_no_text_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *data;
		size_t bytes;
		const char *message;
	} cases[] = {
		{"a\nb\n\xff\xff\n", 7, "line 3"},
		{"a\nb\0c", 5, "line 2: a zero byte"},
		{"\xef\xbb\xbfok\n\x90\xe5", 8, "line 2: this is not a text in UTF-8"},
		{"\xff\xfe\x00\xd8", 4, "UTF-16LE"},
		{"\x90\xe5\0", 3, "UTF-8"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = NULL;
		size_t bytes = 0;
		const char *from = NULL;
		struct err err = {""};
		assert_int_equal(text_decode(cases[i].data, cases[i].bytes, &text, &bytes, &from, &err), -EILSEQ);
		assert_contains(err.text, cases[i].message);
		assert_null(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_lines),
		cmocka_unit_test(other_delimiters),
		cmocka_unit_test(broken_quotes_do_not_swallow_the_rest),
		cmocka_unit_test(a_file_of_quotes_is_given_up),
		cmocka_unit_test(cells_come_back),
		cmocka_unit_test(codes_are_told_apart),
		cmocka_unit_test(what_is_no_text_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
