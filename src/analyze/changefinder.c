/* See changefinder.h. The autoregression's order is fixed at two, so that the Yule-Walker equations are a symmetric
 * Toeplitz matrix of two rows, whose eigenvectors are (1, 1) and (1, -1) whatever the data: its pseudo-inverse is
 * written down, not computed.
 */
#include "analyze/changefinder.h"

#include <float.h>
#include <math.h>
#include <string.h>

void changefinder_init(struct changefinder *finder, double forgetting, uint32_t first_width, uint32_t second_width)
{
	*finder = (struct changefinder){
		.forgetting = forgetting, .smooth_first.width = first_width, .smooth_second.width = second_width};
}

/* Weights w with T w = (c1, c2), T = [c0 c1; c1 c0], directions of (nearly) no extent left out. */
static void yule_walker(const double covariance[CHANGEFINDER_ORDER + 1], double weights[CHANGEFINDER_ORDER])
{
	double sum = covariance[0] + covariance[1], difference = covariance[0] - covariance[1];
	double largest = fmax(fabs(sum), fabs(difference)), least = sqrt(DBL_EPSILON) * largest;
	double along = (covariance[1] + covariance[2]) / 2, across = (covariance[1] - covariance[2]) / 2;
	double a = largest > 0 && fabs(sum) > least ? along / sum : 0;
	double b = largest > 0 && fabs(difference) > least ? across / difference : 0;
	weights[0] = a + b;
	weights[1] = a - b;
}

/* Negative log-likelihood of the value under the model that has just learned it; 0 until there is a past. */
static double sdar_next(struct sdar *sdar, double forgetting, double value, uint64_t count)
{
	double score = 0;
	if (count >= CHANGEFINDER_ORDER) {
		double keep = 1 - forgetting, weights[CHANGEFINDER_ORDER];
		sdar->mean = keep * sdar->mean + forgetting * value;
		double off = value - sdar->mean;
		sdar->covariance[0] = keep * sdar->covariance[0] + forgetting * off * off;
		for (int lag = 1; lag <= CHANGEFINDER_ORDER; lag++)
			sdar->covariance[lag] =
				keep * sdar->covariance[lag] + forgetting * off * (sdar->past[lag - 1] - sdar->mean);
		yule_walker(sdar->covariance, weights);
		double expected = sdar->mean;
		for (int lag = 1; lag <= CHANGEFINDER_ORDER; lag++)
			expected += weights[lag - 1] * (sdar->past[lag - 1] - sdar->mean);
		double miss = value - expected;
		sdar->variance = keep * sdar->variance + forgetting * miss * miss;
		double variance = fmax(sdar->variance, 1e-12);
		score = (log(2 * M_PI * variance) + miss * miss / variance) / 2;
	}
	memmove(&sdar->past[1], &sdar->past[0], sizeof sdar->past - sizeof *sdar->past);
	sdar->past[0] = value;
	return score;
}

static double mean_next(struct moving_mean *mean, double value)
{
	mean->values[mean->count++ % mean->width] = value;
	uint32_t held = mean->count < mean->width ? mean->count : mean->width;
	double sum = 0;
	for (uint32_t i = 0; i < held; i++)
		sum += mean->values[i];
	return sum / held;
}

double changefinder_next(struct changefinder *finder, double value)
{
	double first = sdar_next(&finder->first, finder->forgetting, value, finder->count);
	double smooth = mean_next(&finder->smooth_first, first);
	double second = sdar_next(&finder->second, finder->forgetting, smooth, finder->count);
	finder->count++;
	return mean_next(&finder->smooth_second, second);
}
