/* How good a ranking is, against servers that are known: pure functions over what was ranked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A host of a capture, in the order of the ranking. */
struct cnc_ranked {
	float score;
	bool is_server;
};

/* A capture with what was ranked; `servers` counts also those that the ranking does not hold. */
struct cnc_capture {
	const struct cnc_ranked *ranked;
	size_t count;
	uint32_t servers;
	uint32_t family; /* number */
};

/* Mean over the servers of the precision at each's rank; one that is not there counts 0. -1: there are no servers. */
double cnc_average_precision(const struct cnc_capture *capture);

/* Mean of it over the captures that have servers; -1: none has. */
double cnc_mean_precision(const struct cnc_capture *captures, size_t count);

struct cnc_at_threshold {
	uint32_t found, missed, false_alarms;
	double precision, recall; /* precision of no alarm at all: 1 */
};
struct cnc_at_threshold cnc_at_threshold(const struct cnc_capture *captures, size_t count, float threshold);

/* The threshold of best mean F1 over the captures of all families but one; `left_out` UINT32_MAX: of all. 1 where no
 * capture has a server. */
float cnc_threshold_choose(const struct cnc_capture *captures, size_t count, uint32_t left_out);

/* The highest threshold at which so great a share of all servers is found; -1: at none, for too few were ranked. */
float cnc_threshold_for_recall(const struct cnc_capture *captures, size_t count, double recall);

/* 95 % interval of a figure of captures, by drawing captures with replacement `draws` times (at most 2000). */
struct cnc_interval {
	double low, high;
};
struct cnc_interval cnc_bootstrap(const struct cnc_capture *captures, size_t count, unsigned draws,
				  double (*figure)(const struct cnc_capture *, size_t));
