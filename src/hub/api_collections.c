/* What this hub gives to others, as far as the asker may read it: collections, how much is in each, and the forms that
 * it is served in. */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/api_feeds.h"
#include "hub/api_taxii.h"
#include "hub/keeper.h"
#include "share/audience.h"

#include <errno.h>

/* A collection of more objects is not made in seven forms for who only looks: figures are of those that are kept. */
enum { FORMS_MADE_OBJECTS_MAX = 20000 };

struct offering {
	struct api_call *call;
	struct err *err;
	json_t *array;
};

/* *ret_json NULL: the collection is not there for the asker. */
static int collection_json(struct api_call *call, const struct indicators_collection *collection, json_t **ret_json,
			   struct err *err)
{
	char time[TIME_TEXT_BYTES];
	int64_t count = 0, last_us = 0;
	int most = taxii_most(call, collection);
	*ret_json = NULL;
	if (most < 0)
		return 0;
	int result = indicators_shelf_span(call->keeper->indicators, collection->id, 0, audience_withheld(most), &count,
					   &last_us, err);
	if (result < 0)
		return result;
	json_t *last = last_us > 0 ? json_string(time_format(last_us * NS_PER_US, time)) : json_null();
	*ret_json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I, s:o}", "id", collection->uuid, "name",
			      collection->name, "title", collection->title[0] ? collection->title : collection->name,
			      "description", collection->description, "most",
			      tlp_names[most < (int)collection->clearance ? most : (int)collection->clearance], "group",
			      (int)collection->sealed, "automatic", (int)collection->automatic, "writable",
			      (int)taxii_may_write(call, collection), "objects", (json_int_t)count, "last", last);
	return *ret_json ? 0 : -ENOMEM;
}

static int collection_offer(void *context, const struct indicators_collection *collection)
{
	const struct offering *offering = context;
	json_t *json;
	int result = collection_json(offering->call, collection, &json, offering->err);
	if (result == 0 && json)
		json_array_append_new(offering->array, json);
	return result;
}

int api_collections_get(struct api_call *call, struct err *err)
{
	struct offering offering = {call, err, json_array()};
	int result = indicators_collections(call->keeper->indicators, collection_offer, &offering, err);
	if (result < 0) {
		json_decref(offering.array);
		return result;
	}
	return api_json(call, 200,
			json_pack("{s:o, s:s}", "collections", offering.array, "url", call->keeper->setup->url));
}

static int forms_tell(struct api_call *call, const struct indicators_collection *collection, json_t *forms, bool make,
		      struct err *err)
{
	const enum tlp withheld = audience_withheld(taxii_most(call, collection));
	struct feed_figures figures;
	int result = 0;
	for (size_t i = 0; feed_files[i] && result >= 0; i++) {
		result = feed_figures(call, collection, withheld, feed_files[i], make, &figures, err);
		if (result == 0)
			json_array_append_new(
				forms, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "file", feed_files[i], "type",
						 figures.type, "values", (json_int_t)figures.values, "left_out",
						 (json_int_t)figures.left_out, "bytes", (json_int_t)figures.bytes,
						 "serial", (json_int_t)figures.serial, "etag", figures.tag));
	}
	return result < 0 ? result : 0;
}

int api_collection_get(struct api_call *call, struct err *err)
{
	struct indicators_collection collection;
	json_t *json = NULL;
	int result = indicators_collection_find(call->keeper->indicators, call->part, &collection, err);
	if (result == 0)
		result = collection_json(call, &collection, &json, err);
	if (result < 0)
		return result;
	if (!json)
		return api_refuse(call, 404, "not_found", "there is no such collection",
				  "そのようなコレクションはありません");
	bool make = json_integer_value(json_object_get(json, "objects")) <= FORMS_MADE_OBJECTS_MAX;
	json_t *forms = json_array();
	json_object_set_new(json, "forms", forms);
	result = forms_tell(call, &collection, forms, make, err);
	if (result == 0)
		return api_json(call, 200, json);
	json_decref(json);
	return result;
}
