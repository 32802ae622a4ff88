/* Regularity: clocks, jitter, missed beats, chance; sizes; periods that many clients have in common. */
#include "flows.h"

#include <math.h>

enum { LINES = CNC_DIARY_LINES };

static struct cnc_rhythm measure(uint32_t (*next)(uint32_t i, uint64_t *random))
{
	uint32_t start_ms[LINES], at = 1000;
	uint16_t up[LINES], down[LINES];
	uint64_t random = 7;
	for (uint32_t i = 0; i < LINES; i++) {
		start_ms[LINES - 1 - i] = at; /* the order of lines is of no matter */
		up[i] = cnc_size(300);
		down[i] = cnc_size(i % 2 ? 100 : 10000);
		at += next(i, &random);
	}
	return cnc_rhythm_measure(start_ms, up, down, LINES);
}

static uint32_t clock_beat(uint32_t i, uint64_t *random)
{
	(void)i;
	(void)random;
	return 60000;
}

static uint32_t jittered(uint32_t i, uint64_t *random)
{
	(void)i;
	return 45000 + (uint32_t)random_below(random, 30000);
}

static uint32_t missed(uint32_t i, uint64_t *random)
{
	(void)i;
	return 60000 * (1 + (uint32_t)random_below(random, 4));
}

static uint32_t by_chance(uint32_t i, uint64_t *random)
{
	(void)i;
	return (uint32_t)(-60000 * log(((double)random_below(random, 1000000) + 1) / 1000001)) + 1000;
}

static void test_clock(void **state)
{
	(void)state;
	struct cnc_rhythm rhythm = measure(clock_beat);
	assert_int_equal(rhythm.beats, LINES);
	assert_float_equal(rhythm.period_s, 60, 0.01);
	assert_float_equal(rhythm.spread, 0, 0.001);
	assert_true(rhythm.regular > 0.95f);
	assert_float_equal(rhythm.even_up, 1, 0);
	assert_float_equal(rhythm.even_down, 0, 0.001); /* no two near the median of both */
}

static void test_jitter_and_missed_beats(void **state)
{
	(void)state;
	struct cnc_rhythm jitter = measure(jittered), gaps = measure(missed), chance = measure(by_chance);
	assert_true(jitter.regular > 0.6f);
	assert_true(gaps.spread > 0.3f); /* intervals alone would not tell */
	assert_true(gaps.regular > 0.9f);
	assert_true(chance.regular < 0.35f);
}

static void test_few_and_together(void **state)
{
	(void)state;
	uint32_t twice[4] = {1000, 1100, 61000, 61050};
	uint16_t sizes[4] = {cnc_size(60), cnc_size(60), cnc_size(60), cnc_size(60)};
	struct cnc_rhythm rhythm = cnc_rhythm_measure(twice, sizes, sizes, 4);
	assert_int_equal(rhythm.beats, 2);
	assert_float_equal(rhythm.regular, 0, 0);
	assert_int_equal(cnc_rhythm_measure(NULL, NULL, NULL, 0).beats, 0);
}

static void test_shared_period(void **state)
{
	(void)state;
	float gaps[40], period;
	uint64_t random = 3;
	for (size_t i = 0; i < 40; i++)
		gaps[i] = 60 * (float)(2 + random_below(&random, 12));
	assert_true(cnc_rhythm_shared(gaps, 40, &period) > 0.8f);
	assert_true(fmodf(60 / period + 0.02f, 1) < 0.04f); /* the period or a part of it */
	for (size_t i = 0; i < 40; i++)
		gaps[i] = 60 + (float)random_below(&random, 100000) / 100;
	assert_true(cnc_rhythm_shared(gaps, 40, &period) < 0.4f);
	assert_float_equal(cnc_rhythm_shared(gaps, 3, &period), 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_jitter_and_missed_beats),
		cmocka_unit_test(test_few_and_together),
		cmocka_unit_test(test_shared_period),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
