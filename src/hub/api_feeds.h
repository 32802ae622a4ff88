/* Feeds: a collection in the form of those who use it. What was made is kept until it would be another. */
#pragma once

#include "hub/api.h"
#include "store/indicators.h"

struct feeds;
struct feeds *feeds_new(void); /* NULL: no memory */
void feeds_free(struct feeds *feeds);

/* Files of a collection, NULL ends them: "list.txt" ... "misp/manifest.json". */
extern const char *const feed_files[];

/* What who fetches a file gets now, without its being sent (and without a receipt). 1: it is not kept, and was not to
 * be made. */
struct feed_figures {
	uint64_t values, left_out; /* of a MISP feed: 0 */
	uint64_t bytes;
	uint32_t serial; /* of the zone; else 0 */
	const char *type;
	char tag[24];
};
int feed_figures(struct api_call *call, const struct indicators_collection *collection, enum tlp withheld,
		 const char *file, bool make, struct feed_figures *ret_figures, struct err *err) must_check;
