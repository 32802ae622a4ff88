/* ChangeFinder: how much a series leaves its course, number by number (Takeuchi and Yamanishi, "A Unifying Framework
 * for Detecting Outliers and Change Points from Time Series", IEEE TKDE 18(4), 2006), as Dark-TRACER uses it.
 *
 * Two stages of SDAR (sequentially discounting autoregression): the first scores each value by its surprise, a moving
 * average smooths the scores, the second scores the smoothed scores, and another average smooths those.
 */
#pragma once

#include <stdint.h>

enum { CHANGEFINDER_ORDER = 2, CHANGEFINDER_WIDTH_MOST = 32 };

struct sdar {
	double mean, covariance[CHANGEFINDER_ORDER + 1], variance;
	double past[CHANGEFINDER_ORDER]; /* the newest first */
};

struct moving_mean {
	double values[CHANGEFINDER_WIDTH_MOST];
	uint32_t width, count;
};

struct changefinder {
	struct sdar first, second;
	struct moving_mean smooth_first, smooth_second;
	double forgetting;
	uint64_t count;
};

/* forgetting in (0, 1): 0.005 looks back some 200 values; widths 1..CHANGEFINDER_WIDTH_MOST. */
void changefinder_init(struct changefinder *finder, double forgetting, uint32_t first_width, uint32_t second_width);

/* The score after one more value. The first dozen or so mean nothing: the model is still empty. */
double changefinder_next(struct changefinder *finder, double value);
