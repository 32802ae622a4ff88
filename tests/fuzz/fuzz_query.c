/* Queries from a stranger: as JSON, and as words of a command line (one a line). What is accepted must come back the
 * same through its JSON, its command must be read again as the same query, and it must have a statement. */
#include "fuzz.h"

#include "store/dialect.h"
#include "store/query.h"

#include <string.h>

#define NOW INT64_C(1767225600000000000)

static void check_accepted(struct query *query)
{
	struct query *again = NULL;
	struct statement statement;
	struct err err = {""};
	json_t *json = query_to_json(query);
	fuzz_check(json != NULL);
	fuzz_check(query_from_json(json, NOW, &again, &err) == 0);
	json_t *second = query_to_json(again);
	fuzz_check(json_equal(json, second));
	char *command = query_command(query);
	fuzz_check(command && strncmp(command, "yagura query ", 13) == 0);
	free(command);
	fuzz_check(statement_write(&dialect_duckdb, query, NULL, &statement, &err) == 0);
	size_t marks = 0;
	for (const char *at = statement.sql.bytes; *at; at++)
		marks += *at == '?';
	fuzz_check(marks == statement.bound_count);
	statement_done(&statement);
	json_decref(json);
	json_decref(second);
	query_free(again);
}

static void as_json(const uint8_t *data, size_t bytes)
{
	struct query *query = NULL;
	struct err err = {""};
	json_t *json = json_loadb((const char *)data, bytes, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!json)
		return;
	int code = query_from_json(json, NOW, &query, &err);
	fuzz_check(code == 0 ? query != NULL : err.text[0] != '\0');
	if (code == 0)
		check_accepted(query);
	query_free(query);
	json_decref(json);
}

static void as_words(const uint8_t *data, size_t bytes)
{
	enum { WORDS_MAX = 64 };
	char *text = malloc(bytes + 1), *words[WORDS_MAX];
	int count = 0;
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	for (char *at = text; at && count < WORDS_MAX;)
		words[count++] = strsep(&at, "\n");
	struct query *query = NULL;
	struct err err = {""};
	int code = query_from_arguments(count, words, NOW, &query, &err);
	fuzz_check(code == 0 ? query != NULL : err.text[0] != '\0');
	if (code == 0)
		check_accepted(query);
	query_free(query);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes > 1 << 16)
		return 0;
	as_json(data, bytes);
	as_words(data, bytes);
	return 0;
}
