/* What of counts is told to everybody: no member can be made out, whatever the counts. */
#include "../check.h"

#include "hub/tally.h"

#include <stdbool.h>

/* `count` things of as many of `members` members, from the one numbered `first` on. */
static struct tally tally(int count, int members, unsigned first)
{
	struct tally tally = {0};
	for (int i = 0; i < count; i++)
		tally_add(&tally, first + (unsigned)(i % members));
	return tally;
}

static void few_are_hidden_and_many_rounded(void **state)
{
	(void)state;
	static const struct {
		int count, members;
		int64_t told;
	} cases[] = {
		{0, 1, 0},  {1, 1, TALLY_HIDDEN},   {2, 2, TALLY_HIDDEN},   {3, 3, 5},     {7, 3, 5},
		{8, 4, 10}, {500, 2, TALLY_HIDDEN}, {500, 1, TALLY_HIDDEN}, {502, 9, 500}, {503, 9, 505},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tally one = tally(cases[i].count, cases[i].members, 1);
		assert_int_equal(tally_told(&one), cases[i].told);
	}
}

static void a_hidden_part_takes_others_with_it(void **state)
{
	(void)state;
	static const struct {
		int counts[5], members[5];
		int64_t told[5];
	} cases[] = {
		{{0, 3, 9, 0, 4}, {1, 3, 3, 1, 3}, {0, 5, 10, 0, 5}},
		{{0, 2, 9, 5, 4}, {1, 2, 3, 3, 3}, {0, -1, 10, 5, -1}},  /* 2 alone would be the sum less the others */
		{{1, 1, 9, 5, 4}, {1, 1, 3, 3, 3}, {-1, -1, 10, 5, -1}}, /* two that make 2 are 1 and 1 */
		{{0, 50, 60, 0, 40}, {1, 1, 3, 1, 1}, {0, -1, -1, 0, -1}}, /* 50 and 40 of one member are its 90 */
		{{0, 2, 0, 0, 0}, {1, 2, 1, 1, 1}, {0, -1, 0, 0, 0}},      /* so is the sum */
		{{0, 0, 0, 0, 0}, {1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tally parts[5];
		const struct tally *pointers[5];
		int64_t told[5];
		for (int j = 0; j < 5; j++) {
			parts[j] = tally(cases[i].counts[j], cases[i].members[j], 1);
			pointers[j] = &parts[j];
		}
		tallies_told(pointers, 5, told);
		assert_memory_equal(told, cases[i].told, sizeof told);
	}
}

/* Whatever the counts, what is left of the sum when the shown parts are taken away belongs to several parts and to
 * TALLY_LEAST members; and so does each part that is shown. */
static void nothing_is_had_by_subtraction(void **state)
{
	(void)state;
	uint64_t random = 7;
	int hiding = 0;
	for (int round = 0; round < 20000; round++) {
		struct tally parts[8] = {0}, sum = {0};
		const struct tally *pointers[8];
		bool behind[8] = {false};
		int64_t told[8], hidden = 0;
		for (int i = 0; i < 40; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			unsigned member = (unsigned)(random >> 40) % (unsigned)(round % 7 + 1);
			unsigned part = (unsigned)(random >> 50) % (unsigned)(round % 11 + 1);
			if (part >= 8)
				continue;
			tally_add(&parts[part], member);
			tally_add(&sum, member);
		}
		for (int i = 0; i < 8; i++)
			pointers[i] = &parts[i];
		tallies_told(pointers, 8, told);
		for (int i = 0; i < 8; i++) {
			hidden += told[i] == TALLY_HIDDEN;
			for (unsigned j = 0; told[i] == TALLY_HIDDEN && j < parts[i].member_count; j++)
				behind[parts[i].members[j]] = true;
			if (told[i] > 0)
				assert_true(parts[i].count >= TALLY_LEAST && parts[i].member_count == TALLY_LEAST);
		}
		if (tally_told(&sum) == TALLY_HIDDEN || hidden == 0)
			continue;
		int members = 0;
		for (int i = 0; i < 8; i++)
			members += behind[i];
		assert_true(hidden >= 2 && members >= TALLY_LEAST);
		hiding++;
	}
	assert_true(hiding > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_hidden_and_many_rounded),
		cmocka_unit_test(a_hidden_part_takes_others_with_it),
		cmocka_unit_test(nothing_is_had_by_subtraction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
