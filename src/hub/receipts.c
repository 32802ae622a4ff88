/* See receipts.h. What was receipted is remembered by reader, collection and filter; what is forgotten is receipted
 * again. */
#include "hub/receipts.h"

#include "hub/keeper.h"
#include "share/disclosure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

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

static int entry_write(const struct api_call *call, struct disclosure *disclosure, struct err *err)
{
	char actor[REGISTRY_NAME_BYTES + 8];
	snprintf(actor, sizeof actor, "%s%s", call->user.is_token ? "token " : "", call->user.name);
	disclosure->actor = actor;
	disclosure->peer = call->peer;
	disclosure->member = call->user.member;
	return disclosure_write(call->keeper->registry, disclosure, err);
}

int receipt_write(struct api_call *call, const struct indicators_collection *collection, const char *way,
		  const char *filter, enum tlp withheld, int64_t after_us, struct err *err)
{
	struct receipts *receipts = call->keeper->receipts;
	struct disclosure disclosure = {
		.collection = collection->name, .way = way, .filter = filter, .withheld = withheld};
	int64_t generation;
	int code = indicators_generation(call->keeper->indicators, &generation, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&receipts->lock);
	struct given *given = given_find(receipts, key_of(call, collection, way, filter, withheld));
	bool within = given->used && after_us >= given->after_us;
	given->used = ++receipts->used;
	if (!within || given->generation != generation) {
		bool on = within && after_us < given->until_us;
		disclosure.after_us = on ? given->until_us : after_us;
		code = indicators_shelf_span(call->keeper->indicators, collection->id, disclosure.after_us, withheld,
					     &disclosure.objects, &disclosure.until_us, err);
		if (code == 0 && disclosure.objects > 0)
			code = entry_write(call, &disclosure, err);
		if (code == 0) {
			given->after_us = on ? given->after_us : after_us;
			given->until_us = disclosure.until_us;
			given->generation = generation;
		} else {
			given->used = 0;
		}
	}
	pthread_mutex_unlock(&receipts->lock);
	return code;
}
