/* See eval.h. Captures are drawn whole, since hosts of one capture are no independent witnesses. */
#include "analyze/cnc/eval.h"

#include "core/hash.h"

#include <stdlib.h>

enum { DRAWS_MAX = 2000 };

double cnc_average_precision(const struct cnc_capture *capture)
{
	double sum = 0;
	uint32_t found = 0;
	if (capture->servers == 0)
		return -1;
	for (size_t i = 0; i < capture->count; i++)
		if (capture->ranked[i].is_server)
			sum += (double)++found / (double)(i + 1);
	return sum / capture->servers;
}

double cnc_mean_precision(const struct cnc_capture *captures, size_t count)
{
	double sum = 0;
	size_t counted = 0;
	for (size_t i = 0; i < count; i++)
		if (captures[i].servers) {
			sum += cnc_average_precision(&captures[i]);
			counted++;
		}
	return counted ? sum / (double)counted : -1;
}

static void capture_add(const struct cnc_capture *capture, float threshold, struct cnc_at_threshold *sums)
{
	uint32_t found = 0;
	for (size_t i = 0; i < capture->count && capture->ranked[i].score >= threshold; i++) {
		found += capture->ranked[i].is_server;
		sums->false_alarms += !capture->ranked[i].is_server;
	}
	sums->found += found;
	sums->missed += capture->servers - found;
}

static void shares_fill(struct cnc_at_threshold *sums)
{
	uint32_t alarms = sums->found + sums->false_alarms, servers = sums->found + sums->missed;
	sums->precision = alarms ? (double)sums->found / alarms : 1;
	sums->recall = servers ? (double)sums->found / servers : 0;
}

struct cnc_at_threshold cnc_at_threshold(const struct cnc_capture *captures, size_t count, float threshold)
{
	struct cnc_at_threshold sums = {0};
	for (size_t i = 0; i < count; i++)
		capture_add(&captures[i], threshold, &sums);
	shares_fill(&sums);
	return sums;
}

/* Mean over captures, so that a large one does not drown the others; of one without servers 1 or, with alarms, 0. */
static double f1_at(const struct cnc_capture *captures, size_t count, uint32_t left_out, float threshold)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		struct cnc_at_threshold own = {0};
		if (captures[i].family == left_out)
			continue;
		capture_add(&captures[i], threshold, &own);
		shares_fill(&own);
		double whole = own.precision + own.recall;
		if (captures[i].servers)
			sum += whole > 0 ? 2 * own.precision * own.recall / whole : 0;
		else
			sum += own.false_alarms == 0;
	}
	return sum;
}

float cnc_threshold_choose(const struct cnc_capture *captures, size_t count, uint32_t left_out)
{
	float best = 1;
	double best_f1 = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t r = 0; captures[i].family != left_out && r < captures[i].count; r++) {
			if (!captures[i].ranked[r].is_server) /* the best one lies at a server's score */
				continue;
			float threshold = captures[i].ranked[r].score;
			double f1 = f1_at(captures, count, left_out, threshold);
			if (f1 > best_f1) {
				best_f1 = f1;
				best = threshold;
			}
		}
	return best;
}

float cnc_threshold_for_recall(const struct cnc_capture *captures, size_t count, double recall)
{
	float best = -1;
	for (size_t i = 0; i < count; i++)
		for (size_t r = 0; r < captures[i].count; r++) {
			float threshold = captures[i].ranked[r].score;
			if (captures[i].ranked[r].is_server && threshold > best &&
			    cnc_at_threshold(captures, count, threshold).recall >= recall)
				best = threshold;
		}
	return best;
}

static int double_order(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;
	return (a > b) - (a < b);
}

struct cnc_interval cnc_bootstrap(const struct cnc_capture *captures, size_t count, unsigned draws,
				  double (*figure)(const struct cnc_capture *, size_t))
{
	double figures[DRAWS_MAX];
	struct cnc_capture *drawn = calloc(count + 1, sizeof *drawn);
	uint64_t random = 1;
	draws = draws < DRAWS_MAX ? draws : DRAWS_MAX;
	if (!drawn || count == 0 || draws == 0) {
		free(drawn);
		return (struct cnc_interval){-1, -1};
	}
	for (unsigned draw = 0; draw < draws; draw++) {
		for (size_t i = 0; i < count; i++)
			drawn[i] = captures[random_below(&random, count)];
		figures[draw] = figure(drawn, count);
	}
	free(drawn);
	qsort(figures, draws, sizeof *figures, double_order);
	return (struct cnc_interval){figures[draws / 40], figures[draws - 1 - draws / 40]};
}
