/* The cursor: reads in both byte orders, and an error that sticks. */
#include "core/cursor.h"

#include "../check.h"

static void numbers_are_read_in_both_orders(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct cursor c = cursor_over(bytes, sizeof bytes);
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_be16(&c), 0x0203);
	assert_int_equal(cursor_le32(&c), 0x07060504);
	assert_true(cursor_be64(&c) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.failed);
}

static void a_read_past_the_end_sticks(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {1, 2, 3};
	struct cursor c = cursor_over(bytes, sizeof bytes);
	assert_int_equal(cursor_be32(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_offset(&c), 0);
	assert_int_equal(cursor_u8(&c), 0); /* would fit, but the error stays */
	assert_null(cursor_take(&c, 0));
}

static void a_part_has_its_own_end(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {1, 2, 3, 4};
	struct cursor c = cursor_over(bytes, sizeof bytes);
	struct cursor part = cursor_sub(&c, 2);
	assert_int_equal(cursor_be16(&part), 0x0102);
	assert_int_equal(cursor_u8(&part), 0);
	assert_true(part.failed);
	assert_false(c.failed);
	assert_int_equal(cursor_u8(&c), 3);
	part = cursor_sub(&c, 2);
	assert_true(part.failed && c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_in_both_orders),
		cmocka_unit_test(a_read_past_the_end_sticks),
		cmocka_unit_test(a_part_has_its_own_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
