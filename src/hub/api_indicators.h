/* What the routes of indicators share.
 *
 * Operators see all; analysts what is not for named eyes alone: neither TLP:RED nor what only a release shows. What one
 * may not see is answered as what is not there. A member's people read collections (api_feeds.c, api_taxii.c).
 */
#pragma once

#include "hub/api.h"
#include "store/indicators.h"

bool indicators_all_seen(const struct api_call *call);
/* Any indicator that the asker may see. */
struct indicators_question indicators_question_of(const struct api_call *call);

json_t *indicators_time(int64_t time_ns); /* null for 0 */

/* An array of them is made as they are listed. */
struct indicators_listing {
	const struct api_call *call;
	json_t *array;
	int64_t last_seq;
	int64_t only; /* of one indicator: its seq; 0: any */
	int64_t but;  /* all but that one */
};
int indicators_listed_take(void *context, const struct indicators_listed *listed);
