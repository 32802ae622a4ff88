/* /feeds/COLLECTION/FILE: made once for all who ask, until something is put into the store or time alone changes it;
 * who has it already (If-None-Match) is told so without it being sent. A collection that one may not read is not there.
 */
#include "hub/api_feeds.h"

#include "core/clock.h"
#include "hub/api_taxii.h"
#include "hub/keeper.h"
#include "hub/receipts.h"
#include "share/audience.h"
#include "share/misp_feed.h"
#include "share/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct feed {
	char key[512]; /* "" : free */
	int64_t generation, good_until_ns, used_ns;
	char tag[24], link[160];
	const char *type;
	char *bytes;
	size_t count;
	uint64_t values, left_out;
	uint32_t serial;
	unsigned readers; /* who send it now: it is not freed under them */
};

struct feeds {
	pthread_mutex_t lock;
	struct feed *items[LIMIT_FEEDS_KEPT];
	size_t bytes;
};

struct feeds *feeds_new(void)
{
	struct feeds *feeds = calloc(1, sizeof *feeds);
	if (feeds)
		pthread_mutex_init(&feeds->lock, NULL);
	return feeds;
}

static void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	free(feed->bytes);
	free(feed);
}

void feeds_free(struct feeds *feeds)
{
	if (!feeds)
		return;
	for (unsigned i = 0; i < LIMIT_FEEDS_KEPT; i++)
		feed_free(feeds->items[i]);
	pthread_mutex_destroy(&feeds->lock);
	free(feeds);
}

static struct feed *feed_find(struct feeds *feeds, const char *key, int64_t generation, int64_t now_ns)
{
	struct feed *found = NULL;
	pthread_mutex_lock(&feeds->lock);
	for (unsigned i = 0; i < LIMIT_FEEDS_KEPT && !found; i++) {
		struct feed *feed = feeds->items[i];
		if (!feed || strcmp(feed->key, key) != 0 || feed->generation != generation ||
		    now_ns >= feed->good_until_ns)
			continue;
		feed->used_ns = now_ns;
		feed->readers++;
		found = feed;
	}
	pthread_mutex_unlock(&feeds->lock);
	return found;
}

/* Under the lock. One that is read goes when its last reader is done. */
static void feed_drop(struct feeds *feeds, unsigned at)
{
	struct feed *feed = feeds->items[at];
	feeds->bytes -= feed->count;
	feeds->items[at] = NULL;
	feed->key[0] = '\0';
	if (feed->readers == 0)
		feed_free(feed);
}

/* The one that was not asked for longest; the same key, made earlier, first. */
static unsigned feed_oldest(const struct feeds *feeds, const char *key)
{
	unsigned oldest = LIMIT_FEEDS_KEPT;
	for (unsigned i = 0; i < LIMIT_FEEDS_KEPT; i++) {
		if (feeds->items[i] && strcmp(feeds->items[i]->key, key) == 0)
			return i;
		if (feeds->items[i] &&
		    (oldest == LIMIT_FEEDS_KEPT || feeds->items[i]->used_ns < feeds->items[oldest]->used_ns))
			oldest = i;
	}
	return oldest;
}

static void feed_keep(struct feeds *feeds, struct feed *feed)
{
	pthread_mutex_lock(&feeds->lock);
	unsigned place = 0;
	for (unsigned i = 0; i < LIMIT_FEEDS_KEPT; i++)
		if (feeds->items[i] && strcmp(feeds->items[i]->key, feed->key) == 0)
			feed_drop(feeds, i);
	while (feeds->bytes + feed->count > LIMIT_FEEDS_BYTES &&
	       (place = feed_oldest(feeds, feed->key)) < LIMIT_FEEDS_KEPT)
		feed_drop(feeds, place);
	for (place = 0; place < LIMIT_FEEDS_KEPT && feeds->items[place]; place++)
		;
	if (place == LIMIT_FEEDS_KEPT)
		feed_drop(feeds, place = feed_oldest(feeds, feed->key));
	feeds->items[place] = feed;
	feeds->bytes += feed->count;
	feed->readers++;
	pthread_mutex_unlock(&feeds->lock);
}

static void feed_done(struct feeds *feeds, struct feed *feed)
{
	pthread_mutex_lock(&feeds->lock);
	bool last = --feed->readers == 0 && feed->key[0] == '\0';
	pthread_mutex_unlock(&feeds->lock);
	if (last)
		feed_free(feed);
}

struct wanted_feed;

struct growing {
	char *bytes;
	size_t count, room;
	struct wanted_feed *wanted; /* of a MISP feed */
};

static int growing_add(void *context, const char *bytes, size_t count)
{
	struct growing *growing = context;
	if (growing->count + count > LIMIT_FEEDS_BYTES)
		return -EMSGSIZE;
	if (growing->count + count > growing->room) {
		size_t room = (growing->count + count) * 2;
		char *grown = realloc(growing->bytes, room);
		if (!grown)
			return -ENOMEM;
		growing->bytes = grown;
		growing->room = room;
	}
	memcpy(growing->bytes + growing->count, bytes, count);
	growing->count += count;
	return 0;
}

/* What a feed is made of: one of the outputs, or a file of the MISP feed. */
struct wanted_feed {
	char key[512];
	struct output output;
	struct misp_feed misp;
	const char *misp_file; /* NULL: an output */
	json_t *manifest;
	bool found;
};

static int misp_event_take(void *context, const json_t *event)
{
	struct growing *growing = context;
	struct wanted_feed *wanted = growing->wanted;
	wanted->found = true;
	if (wanted->manifest)
		return misp_manifest_add(wanted->manifest, event);
	if (strcmp(wanted->misp_file, "hashes.csv") == 0)
		return misp_hashes_write(event, growing_add, growing);
	char *text = json_dumps(event, JSON_COMPACT);
	int result = text ? growing_add(growing, text, strlen(text)) : -ENOMEM;
	free(text);
	return result;
}

/* -ENOENT: there is no such file. */
static int misp_make(struct wanted_feed *wanted, struct growing *growing, struct err *err)
{
	char uuid[40];
	const char *file = wanted->misp_file;
	bool manifest = strcmp(file, "manifest.json") == 0, event = !manifest && strcmp(file, "hashes.csv") != 0;
	snprintf(uuid, sizeof uuid, "%.36s", file);
	if (event && (strlen(file) != 41 || strcmp(file + 36, ".json") != 0))
		return err_set(err, -ENOENT, "there is no such file");
	growing->wanted = wanted;
	wanted->manifest = manifest ? json_object() : NULL;
	int result = misp_feed_events(&wanted->misp, event ? uuid : NULL, misp_event_take, growing, err);
	char *text = result == 0 && manifest ? json_dumps(wanted->manifest, JSON_COMPACT) : NULL;
	if (text)
		result = growing_add(growing, text, strlen(text));
	free(text);
	json_decref(wanted->manifest);
	wanted->manifest = NULL;
	return result == 0 && event && !wanted->found ? err_set(err, -ENOENT, "there is no such event") : result;
}

static bool is_of_routes(const struct output *output)
{
	return output->format == OUTPUT_BIRD || output->format == OUTPUT_FRR;
}

/* What is announced to routers never touches a member's networks. */
static int routes_make(struct api_call *call, struct output *output, struct growing *growing,
		       struct output_result *ret_result, struct err *err)
{
	struct member_prefix *members = NULL;
	struct route_limits limits = {0};
	struct route_guard *guard = NULL;
	uint64_t version;
	int result = registry_member_prefixes(call->keeper->registry, output->now_ns, &members, &limits.member_count,
					      &version, err);
	limits.members = members;
	if (result == 0)
		result = route_guard_new(&limits, &guard, err);
	output->guard = guard;
	if (result == 0)
		result = output_write(output, growing_add, growing, ret_result, err);
	output->guard = NULL;
	route_guard_free(guard);
	free(members);
	return result;
}

static int feed_make(struct api_call *call, struct wanted_feed *wanted, int64_t generation, struct feed **ret_feed,
		     struct err *err)
{
	struct growing growing = {NULL, 0, 0, NULL};
	struct output *output = &wanted->output;
	struct output_result result = {.good_until_ns = output->now_ns + NS_PER_MINUTE};
	struct feed *feed = calloc(1, sizeof *feed);
	/* The last serial of any zone: it rises with what is put, and with what time takes away. */
	output->serial = (uint32_t)(output->now_ns / NS_PER_S);
	int code = !feed                  ? -ENOMEM
		   : wanted->misp_file    ? misp_make(wanted, &growing, err)
		   : is_of_routes(output) ? routes_make(call, output, &growing, &result, err)
					  : output_write(output, growing_add, &growing, &result, err);
	if (code < 0) {
		free(growing.bytes);
		free(feed);
		return code;
	}
	snprintf(feed->key, sizeof feed->key, "%s", wanted->key);
	feed->generation = generation;
	feed->good_until_ns = result.good_until_ns;
	feed->used_ns = output->now_ns;
	feed->type = !wanted->misp_file                             ? output_format_types[output->format]
		     : strcmp(wanted->misp_file, "hashes.csv") == 0 ? "text/csv"
								    : "application/json";
	feed->bytes = growing.bytes;
	feed->count = growing.count;
	feed->values = result.values;
	feed->left_out = result.left_out;
	feed->serial = !wanted->misp_file && output->format == OUTPUT_RPZ ? output->serial : 0;
	snprintf(feed->tag, sizeof feed->tag, "\"%016llx\"",
		 (unsigned long long)XXH64(growing.bytes, growing.count, 0));
	if (result.more)
		snprintf(feed->link, sizeof feed->link, "Link: <?after=%" PRId64 "&limit=%u>; rel=\"next\"\n",
			 result.last_us, output->limit);
	feed_keep(call->keeper->feeds, feed);
	*ret_feed = feed;
	return 0;
}

static int feed_send(struct api_call *call, const struct feed *feed)
{
	char headers[320];
	bool same = strstr(call->match, feed->tag) != NULL;
	snprintf(headers, sizeof headers, "ETag: %s\nCache-Control: private, no-cache\n%s", feed->tag, feed->link);
	call->headers = headers;
	int result =
		api_text(call, same ? 304 : 200, feed->type, feed->bytes ? feed->bytes : "", same ? 0 : feed->count);
	call->headers = NULL;
	return result;
}

static const struct {
	const char *file;
	enum output_format format;
} files[] = {{"list.txt", OUTPUT_LIST},   {"indicators.csv", OUTPUT_CSV}, {"sets.nft", OUTPUT_NFT},
	     {"policy.zone", OUTPUT_RPZ}, {"routes.bird", OUTPUT_BIRD},   {"routes.frr", OUTPUT_FRR}};
const char *const feed_files[] = {"list.txt",    "indicators.csv", "sets.nft",           "policy.zone",
				  "routes.bird", "routes.frr",     "misp/manifest.json", NULL};

/* What was asked for. 0; 1: answered already. */
static int output_read(struct api_call *call, const char *file, struct output *output)
{
	char room[64];
	size_t i = 0;
	while (i < sizeof files / sizeof *files && strcmp(files[i].file, file) != 0)
		i++;
	if (i == sizeof files / sizeof *files) {
		(void)api_refuse(call, 404, "not_found", "there is no such feed", "そのようなフィードはありません");
		return 1;
	}
	const char *kind = api_argument(call, "kind", room, sizeof room), *after;
	*output = (struct output){.format = files[i].format, .kind = -1, .name = "yagura", .now_ns = clock_now_ns()};
	for (int k = 0; kind && indicator_kind_names[k]; k++)
		if (strcmp(kind, indicator_kind_names[k]) == 0)
			output->kind = k;
	if (kind && output->kind < 0) {
		(void)api_refuse(call, 400, "invalid", "kind: there is no such kind of value",
				 "kind: そのような種類はありません");
		return 1;
	}
	output->least_score = api_argument_number(call, "score", 0, 100);
	if (output->format == OUTPUT_LIST || output->format == OUTPUT_CSV) {
		output->limit = api_argument_number(call, "limit", 0, UINT32_MAX - 1);
		after = api_argument(call, "after", room, sizeof room);
		output->after_us = after ? strtoll(after, NULL, 10) : 0;
	} else if (output->format == OUTPUT_RPZ) {
		output->name = "rpz.yagura";
	}
	return 0;
}

/* 0; 1: answered already; negative. */
static int wanted_read(struct api_call *call, const char *file, const struct indicators_collection *collection,
		       enum tlp withheld, struct wanted_feed *wanted, struct err *err)
{
	struct output *output = &wanted->output;
	if (strncmp(file, "misp/", 5) == 0) {
		*output = (struct output){.now_ns = clock_now_ns()};
		wanted->misp_file = file + 5;
		wanted->misp = (struct misp_feed){call->keeper->indicators, collection, withheld, output->now_ns};
		snprintf(wanted->key, sizeof wanted->key, "%" PRId64 " %d %.400s", collection->id, (int)withheld, file);
	} else {
		if (output_read(call, file, output) == 1)
			return 1;
		uint64_t members = 0;
		int result = is_of_routes(output) ? registry_members_version(call->keeper->registry, &members, err) : 0;
		if (result < 0)
			return result;
		snprintf(wanted->key, sizeof wanted->key, "%" PRId64 " %d %d %d %u %" PRId64 " %u %" PRIu64,
			 collection->id, (int)withheld, (int)output->format, output->kind, output->least_score,
			 output->after_us, output->limit, members);
	}
	output->store = call->keeper->indicators;
	output->collection = collection->id;
	output->withheld = withheld;
	return 0;
}

/* Whatever is about to be sent of the collection is written down, with the filter that was asked by. */
static int feed_receipt(struct api_call *call, const char *file, const struct indicators_collection *collection,
			const struct wanted_feed *wanted, struct err *err)
{
	const struct output *output = &wanted->output;
	char filter[128] = "", way[64];
	snprintf(way, sizeof way, "feed %.48s", file);
	if (!wanted->misp_file && (output->kind >= 0 || output->least_score))
		snprintf(filter, sizeof filter, "kind %s, score %u",
			 output->kind >= 0 ? indicator_kind_names[output->kind] : "any", output->least_score);
	return receipt_write(call, collection, way, filter, output->withheld, output->after_us, err);
}

/* The feed as it is now, kept or (with `make`) made; to be given back with feed_done(). 1: it is not kept. */
static int feed_take(struct api_call *call, struct wanted_feed *wanted, bool make, struct feed **ret_feed,
		     struct err *err)
{
	int64_t generation;
	int result = indicators_generation(call->keeper->indicators, &generation, err);
	if (result < 0)
		return result;
	*ret_feed = feed_find(call->keeper->feeds, wanted->key, generation, wanted->output.now_ns);
	if (*ret_feed || !make)
		return !*ret_feed;
	return feed_make(call, wanted, generation, ret_feed, err);
}

int feed_figures(struct api_call *call, const struct indicators_collection *collection, enum tlp withheld,
		 const char *file, bool make, struct feed_figures *ret_figures, struct err *err)
{
	struct wanted_feed wanted = {.misp_file = NULL};
	struct feed *feed = NULL;
	int result = wanted_read(call, file, collection, withheld, &wanted, err);
	if (result == 1)
		return err_set(err, -EINVAL, "there is no feed %s", file);
	if (result == 0)
		result = feed_take(call, &wanted, make, &feed, err);
	if (result != 0)
		return result;
	*ret_figures = (struct feed_figures){.values = feed->values,
					     .left_out = feed->left_out,
					     .bytes = feed->count,
					     .serial = feed->serial,
					     .type = feed->type};
	memcpy(ret_figures->tag, feed->tag, sizeof ret_figures->tag);
	feed_done(call->keeper->feeds, feed);
	return 0;
}

int api_feeds_get(struct api_call *call, struct err *err)
{
	struct indicators_collection collection;
	struct wanted_feed wanted = {.misp_file = NULL};
	char name[API_PART_BYTES];
	struct feed *feed = NULL;
	int most = -1;
	snprintf(name, sizeof name, "%s", call->part);
	char *file = strchr(name, '/');
	if (!call->known)
		return api_refuse(call, 401, "sign_in", "send an API token, as Bearer or as the password of Basic",
				  "API トークンを Bearer または Basic のパスワードとして送ってください");
	if (file)
		*file++ = '\0';
	int result = file ? indicators_collection_find(call->keeper->indicators, name, &collection, err) : 1;
	if (result < 0)
		return result;
	if (result == 1 || (most = taxii_most(call, &collection)) < 0)
		return api_refuse(call, 404, "not_found", "there is no such collection",
				  "そのようなコレクションはありません");
	result = wanted_read(call, file, &collection, audience_withheld(most), &wanted, err);
	if (result != 0)
		return result == 1 ? 0 : result;
	result = feed_receipt(call, file, &collection, &wanted, err);
	if (result == 0)
		result = feed_take(call, &wanted, true, &feed, err);
	if (result < 0)
		return result;
	result = feed_send(call, feed);
	feed_done(call->keeper->feeds, feed);
	return result;
}
