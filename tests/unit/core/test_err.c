/* Sentences: set, prefixed, cut without breaking a character. */
#include "core/err.h"

#include "../check.h"

#include <errno.h>

static void a_sentence_comes_with_its_code(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_set(&err, -EINVAL, "line %d: %s", 3, "a number was expected"), -EINVAL);
	assert_string_equal(err.text, "line 3: a number was expected");
	assert_int_equal(err_prefix(&err, -EINVAL, "%s", "hub.yaml"), -EINVAL);
	assert_string_equal(err.text, "hub.yaml: line 3: a number was expected");
	assert_int_equal(err_set(NULL, -ENOMEM, "nobody listens"), -ENOMEM);
	assert_int_equal(err_prefix(NULL, -ENOMEM, "nobody listens"), -ENOMEM);
}

static void a_long_sentence_ends_at_a_character(void **state)
{
	(void)state;
	char text[ERR_TEXT_BYTES * 2] = "";
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\xe6\xab\x93", 4);
	for (int shift = 0; shift < 3; shift++) {
		struct err err;
		err_set(&err, -1, "%.*s%s", shift, "ab", text);
		size_t length = strlen(err.text);
		assert_true(length < ERR_TEXT_BYTES && length >= ERR_TEXT_BYTES - 4);
		assert_int_equal((length - (size_t)(shift > 2 ? 2 : shift)) % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_comes_with_its_code),
		cmocka_unit_test(a_long_sentence_ends_at_a_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
