/* See rhythm.h. The median deviation tells a beacon that sleeps and jitters; the phase tells one that keeps to a clock
 * of which sampling or loss took beats. After RITA's beacon score (Active Countermeasures), which takes the first alone
 * and counts a client's every flow.
 */
#include "analyze/cnc/rhythm.h"

#include "analyze/cnc/sight.h"

#include <math.h>
#include <stdlib.h>

enum { TOGETHER_MS = 700, BEATS_LEAST = 4 };

static const float chance_spread = 0.6f; /* from here on, intervals say nothing */

static int u32_order(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
	return (a > b) - (a < b);
}

static int float_order(const void *one, const void *other)
{
	float a = *(const float *)one, b = *(const float *)other;
	return (a > b) - (a < b);
}

static float median(const float *values, size_t count)
{
	float sorted[CNC_DIARY_LINES];
	memcpy(sorted, values, count * sizeof *values);
	qsort(sorted, count, sizeof *sorted, float_order);
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static float median_deviation(const float *values, size_t count, float middle)
{
	float away[CNC_DIARY_LINES];
	for (size_t i = 0; i < count; i++)
		away[i] = fabsf(values[i] - middle);
	return median(away, count);
}

/* Share of values within a tenth of the median, the ground being what a few headers take. */
static float evenness(const uint16_t *sizes, size_t count, float *ret_median)
{
	float bytes[CNC_DIARY_LINES] = {0};
	for (size_t i = 0; i < count; i++)
		bytes[i] = cnc_size_count(sizes[i]);
	float middle = median(bytes, count);
	size_t near = 0;
	for (size_t i = 0; i < count; i++)
		near += fabsf(bytes[i] - middle) <= 0.1f * middle + 4;
	*ret_median = middle;
	return (float)near / (float)count;
}

static float phase_at(const float *times_s, size_t count, float period_s)
{
	float x = 0, y = 0;
	for (size_t i = 0; i < count; i++) {
		float angle = 6.2831853f * fmodf(times_s[i], period_s) / period_s;
		x += cosf(angle);
		y += sinf(angle);
	}
	return sqrtf(x * x + y * y) / (float)count;
}

/* Over periods about the median interval and its half, where a clock's would be that was heard in part. */
static float phase_best(const float *times_s, size_t count, float interval_s)
{
	float best = 0;
	for (int part = 1; part <= 2; part++)
		for (int step = -6; step <= 6; step++) {
			float period_s = interval_s / (float)part * (1 + 0.004f * (float)step);
			float phase = period_s > 1 ? phase_at(times_s, count, period_s) : 0;
			best = phase > best ? phase : best;
		}
	return best;
}

/* What chance would reach in as many tries is no regularity. */
static float above_chance(float phase, size_t count)
{
	float chance = sqrtf(5.0f / (float)count);
	return phase <= chance || chance >= 1 ? 0 : (phase - chance) / (1 - chance);
}

static size_t beats_of(const uint32_t *start_ms, size_t count, float *times_s)
{
	uint32_t sorted[CNC_DIARY_LINES];
	size_t beats = 0;
	memcpy(sorted, start_ms, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, u32_order);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || sorted[i] - sorted[i - 1] > TOGETHER_MS)
			times_s[beats++] = (float)(sorted[i] - sorted[0]) / 1000;
	return beats;
}

struct cnc_rhythm cnc_rhythm_measure(const uint32_t *start_ms, const uint16_t *up, const uint16_t *down, size_t count)
{
	struct cnc_rhythm rhythm = {.spread = 1};
	float times_s[CNC_DIARY_LINES], intervals_s[CNC_DIARY_LINES];
	if (count == 0)
		return rhythm;
	count = count < CNC_DIARY_LINES ? count : CNC_DIARY_LINES;
	size_t beats = beats_of(start_ms, count, times_s);
	rhythm.beats = (uint32_t)beats;
	rhythm.even_up = evenness(up, count, &rhythm.up_bytes);
	rhythm.even_down = evenness(down, count, &rhythm.down_bytes);
	if (beats < BEATS_LEAST)
		return rhythm;
	for (size_t i = 0; i + 1 < beats; i++)
		intervals_s[i] = times_s[i + 1] - times_s[i];
	rhythm.period_s = median(intervals_s, beats - 1);
	rhythm.spread = median_deviation(intervals_s, beats - 1, rhythm.period_s) / rhythm.period_s;
	rhythm.phase = phase_best(times_s, beats, rhythm.period_s);
	float steady = rhythm.spread < chance_spread ? 1 - rhythm.spread / chance_spread : 0;
	float clocked = above_chance(rhythm.phase, beats);
	float enough = 1 - expf(-(float)(beats - 2) / 5);
	rhythm.regular = (steady > clocked ? steady : clocked) * enough;
	return rhythm;
}

float cnc_rhythm_shared(const float *gaps_s, size_t count, float *ret_period_s)
{
	float shortest = INFINITY, best = 0;
	*ret_period_s = 0;
	for (size_t i = 0; i < count; i++)
		shortest = gaps_s[i] > 2 && gaps_s[i] < shortest ? gaps_s[i] : shortest;
	if (count < 8 || shortest > 86400)
		return 0;
	for (float period_s = shortest * 1.02f; period_s > shortest / 12 && period_s > 5; period_s *= 0.995f) {
		float sum = 0, weight = 0;
		for (size_t i = 0; i < count; i++) {
			/* jitter adds up over beats that were missed, so that far gaps tell little */
			float near = 1 / (1 + gaps_s[i] / (20 * period_s));
			sum += near * cosf(6.2831853f * fmodf(gaps_s[i], period_s) / period_s);
			weight += near;
		}
		if (sum / weight > best) {
			best = sum / weight;
			*ret_period_s = period_s;
		}
	}
	return above_chance(best, count);
}
