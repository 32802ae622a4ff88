/* See receipts.h. What was receipted is remembered by reader, collection and filter; what is forgotten is receipted
 * again. */
#include "hub/receipts.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "store/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FILTER_SHOWN_BYTES = 1024 };

struct given {
	uint64_t key;
	int64_t after_us, until_us; /* receipted: what came after the one up to the other */
	int64_t generation;         /* of the store, when it was looked at last */
	uint64_t used;
};

struct receipts {
	pthread_mutex_t lock;
	uint64_t used;
	struct given given[LIMIT_RECEIPTS];
};

struct receipts *receipts_new(void)
{
	struct receipts *receipts = calloc(1, sizeof *receipts);
	if (receipts)
		pthread_mutex_init(&receipts->lock, NULL);
	return receipts;
}

void receipts_free(struct receipts *receipts)
{
	if (!receipts)
		return;
	pthread_mutex_destroy(&receipts->lock);
	free(receipts);
}

/* The one of that key, or the one that was used longest ago, made free. */
static struct given *given_find(struct receipts *receipts, uint64_t key)
{
	struct given *oldest = receipts->given;
	for (size_t i = 0; i < LIMIT_RECEIPTS; i++) {
		struct given *given = &receipts->given[i];
		if (given->used && given->key == key)
			return given;
		if (given->used < oldest->used)
			oldest = given;
	}
	*oldest = (struct given){.key = key};
	return oldest;
}

static uint64_t key_of(const struct api_call *call, const struct indicators_collection *collection, const char *way,
		       const char *filter, enum tlp withheld)
{
	char text[1024];
	int bytes = snprintf(text, sizeof text, "%d %s %u %" PRId64 " %s %d ", call->user.is_token, call->user.name,
			     call->user.member, collection->id, way, (int)withheld);
	return XXH64(filter, strlen(filter), XXH64(text, (size_t)bytes, 0));
}

static json_t *instant(int64_t us)
{
	char text[TIME_TEXT_BYTES];
	return us > 0 ? json_string(time_format(us * NS_PER_US, text)) : json_null();
}

static int entry_write(const struct api_call *call, const struct indicators_collection *collection, const char *way,
		       const char *filter, enum tlp withheld, int64_t after_us, int64_t until_us, int64_t objects,
		       struct err *err)
{
	char actor[REGISTRY_NAME_BYTES + 8], shown[FILTER_SHOWN_BYTES];
	snprintf(actor, sizeof actor, "%s%s", call->user.is_token ? "token " : "", call->user.name);
	snprintf(shown, sizeof shown, "%s", filter);
	json_t *detail = json_pack("{s:s, s:s, s:I, s:o, s:o, s:I, s:I, s:s}", "way", way, "filter", shown, "objects",
				   (json_int_t)objects, "after", instant(after_us), "until", instant(until_us),
				   "after_us", (json_int_t)after_us, "until_us", (json_int_t)until_us, "most",
				   tlp_names[withheld ? withheld - 1 : TLP_RED]);
	if (!detail)
		return err_set(err, -EINVAL, "a filter in UTF-8 was expected");
	const struct audit_entry entry = {.time_ns = clock_now_ns(),
					  .actor = actor,
					  .peer = call->peer,
					  .action = AUDIT_DISCLOSED,
					  .subject = collection->name,
					  .member = call->user.member,
					  .detail = detail};
	int code = registry_audit(call->keeper->registry, &entry, err);
	json_decref(detail);
	return code;
}

int receipt_write(struct api_call *call, const struct indicators_collection *collection, const char *way,
		  const char *filter, enum tlp withheld, int64_t after_us, struct err *err)
{
	struct receipts *receipts = call->keeper->receipts;
	int64_t generation, objects = 0, until_us = 0;
	int code = indicators_generation(call->keeper->indicators, &generation, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&receipts->lock);
	struct given *given = given_find(receipts, key_of(call, collection, way, filter, withheld));
	bool within = given->used && after_us >= given->after_us;
	given->used = ++receipts->used;
	if (!within || given->generation != generation) {
		int64_t from_us = within && after_us < given->until_us ? given->until_us : after_us;
		code = indicators_shelf_span(call->keeper->indicators, collection->id, from_us, withheld, &objects,
					     &until_us, err);
		if (code == 0 && objects > 0)
			code = entry_write(call, collection, way, filter, withheld, from_us, until_us, objects, err);
		if (code == 0) {
			given->after_us = within && after_us < given->until_us ? given->after_us : after_us;
			given->until_us = until_us;
			given->generation = generation;
		} else {
			given->used = 0;
		}
	}
	pthread_mutex_unlock(&receipts->lock);
	return code;
}
