/* What a collection's values look like to those who use them: lists, CSV, packet filters, resolvers, routers.
 *
 * Only what is active, stands alone, is known to no warning list and is as sure as asked is written; each value once
 * (of pages: once in each).
 */
#pragma once

#include "share/route.h"
#include "store/indicators.h"

enum output_format {
	OUTPUT_LIST,
	OUTPUT_CSV,
	OUTPUT_NFT,
	OUTPUT_RPZ,
	OUTPUT_BIRD,
	OUTPUT_FRR,
	OUTPUT_GOBGP,
	OUTPUT_FORMATS
};
extern const char *const output_format_names[];
extern const char *const output_format_types[]; /* media types */

struct output {
	struct indicators *store;
	int64_t collection;
	enum tlp withheld; /* as of struct indicators_want */
	enum output_format format;
	int kind; /* -1: all that the format can say */
	unsigned least_score;
	int64_t after_us; /* of OUTPUT_LIST and OUTPUT_CSV: only what came onto the shelf later */
	unsigned limit;   /* of the same: at most so many; 0: all */
	const char *name; /* of the set, zone or protocol */
	uint32_t serial;  /* of the zone */
	enum route_form routes;
	const struct route_guard *guard; /* of what routers are told: which addresses become routes at all */
	int64_t now_ns;
};

struct output_result {
	uint64_t values, left_out; /* left out: what the format cannot say, and networks too wide to be blocked */
	uint64_t verdicts[ROUTE_VERDICTS]; /* of addresses that might have been routes */
	int64_t last_us;                   /* of the last one looked at: where the next page begins */
	int64_t good_until_ns;             /* from then on time alone makes it different */
	bool more;
};

/* `write` takes what is made, piece by piece; a non-zero answer of it ends all and is returned. */
int output_write(const struct output *output, int (*write)(void *context, const char *bytes, size_t count),
		 void *context, struct output_result *ret_result, struct err *err) must_check;
