/* How regular contacts are: in time, and in size. Pure functions over the lines of a diary. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cnc_rhythm {
	uint32_t beats; /* contacts, those that began within a moment of each other taken for one */
	float period_s; /* the usual time between them; 0: too few */
	float spread; /* median deviation of the intervals over their median: 0 a clock, 0.25 jitter of half, 0.7 chance
		       */
	float phase;  /* 0..1: how well the instants lie on a grid of the period, missed beats or not (Rayleigh's R) */
	float even_up;              /* 0..1: share of contacts that send what most send */
	float even_down;            /* the same of the answers */
	float up_bytes, down_bytes; /* medians */
	float regular;              /* 0..1, from the above and from how many there are */
};

/* `count` lines, at most CNC_DIARY_LINES, in any order of time; sizes as cnc_size(). */
struct cnc_rhythm cnc_rhythm_measure(const uint32_t *start_ms, const uint16_t *up, const uint16_t *down, size_t count);

/* The same question to many clients of whom each was seen a few times (sampled flows): whether the times between a
 * client's contacts are multiples of one period. `gaps_s` of all clients; 0..1, *ret_period_s the period. */
float cnc_rhythm_shared(const float *gaps_s, size_t count, float *ret_period_s);
