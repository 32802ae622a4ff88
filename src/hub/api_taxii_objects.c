/* TAXII 2.1, section 5: objects, manifests and versions of a collection, page by page, and adding to it.
 *
 * `next` is the instant of the last object of the page, as is X-TAXII-Date-Added-Last: since each object on a shelf has
 * an instant of its own, reading on by either loses and repeats nothing (store/indicators.h). */
#include "hub/api_taxii.h"

#include "core/clock.h"
#include "core/module.h"
#include "hub/keeper.h"
#include "hub/receipts.h"
#include "share/audience.h"
#include "share/import.h"
#include "wire/stix.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 100, FILTER_BYTES = 8192 };

struct filters {
	struct indicators_want want;
	char types_text[FILTER_BYTES], ids_text[FILTER_BYTES];
	const char *types[TERMS_MAX], *ids[TERMS_MAX];
};

struct page {
	struct text_buffer text;
	struct api_call *call;
	bool manifest, versions;
	unsigned count;
	int64_t first_us, last_us;
};

enum { PAGE_FULL = 1 }; /* answer of a row that ends the page */

/* Microseconds as RFC 3339 with `digits` of the fraction (TAXII 2.1 section 3.2 wants six for times of its own). */
static const char *us_format(int64_t us, unsigned digits, char text[TIME_TEXT_BYTES])
{
	time_format(us / 1000000 * NS_PER_S, text);
	if (digits == 0)
		return text;
	char fraction[16];
	snprintf(fraction, sizeof fraction, "%06d", (int)(us % 1000000));
	snprintf(text + strlen(text) - 1, 12, ".%.*sZ", (int)(digits < 6 ? digits : 6), fraction);
	return text;
}

/* ?match[NAME]=, with brackets written in either way. */
static const char *match_argument(const struct api_call *call, const char *name, char *room, size_t bytes)
{
	static const char *const forms[] = {"match[%s]", "match%%5B%s%%5D", "match%%5b%s%%5d"};
	const char *found = NULL;
	for (size_t i = 0; i < sizeof forms / sizeof *forms && !found; i++) {
		char argument[64];
		snprintf(argument, sizeof argument, forms[i], name);
		found = api_argument(call, argument, room, bytes);
	}
	return found;
}

/* Words between commas. -EINVAL: too many. */
static int terms_split(char *text, const char *terms[TERMS_MAX], size_t *ret_count)
{
	*ret_count = 0;
	for (char *at = text; at; *ret_count += 1) {
		if (*ret_count == TERMS_MAX)
			return -EINVAL;
		terms[*ret_count] = at;
		at = strchr(at, ',');
		if (at)
			*at++ = '\0';
	}
	return 0;
}

static int instant_read(const char *text, int64_t *ret_us, struct err *err)
{
	int64_t ns;
	uint8_t digits;
	size_t bytes = strlen(text);
	if (bytes < 20 || text[bytes - 1] != 'Z' || !stix_time(text, bytes, &ns, &digits))
		return err_set(err, -EINVAL,
			       "'%.64s' is no timestamp; one like 2026-01-31T09:00:00.000000Z was expected", text);
	*ret_us = ns / 1000;
	return 0;
}

static int versions_read(const struct api_call *call, struct indicators_want *want, struct err *err)
{
	char room[256];
	const char *text = match_argument(call, "version", room, sizeof room);
	if (!text || strcmp(text, "last") == 0)
		want->versions = VERSIONS_LAST;
	else if (strcmp(text, "first") == 0)
		want->versions = VERSIONS_FIRST;
	else if (strcmp(text, "all") == 0 || strchr(text, ','))
		want->versions = VERSIONS_ALL; /* several: more than was asked for, which section 3.5.1 allows a client
						  to expect */
	else
		want->versions = VERSIONS_GIVEN;
	return want->versions == VERSIONS_GIVEN ? instant_read(text, &want->version_us, err) : 0;
}

/* What a request asks for. 0; -EINVAL with a sentence; 1: nothing can match. */
static int filters_read(struct api_call *call, const struct indicators_collection *collection, struct filters *filters,
			struct err *err)
{
	struct indicators_want *want = &filters->want;
	char room[256];
	*want = (struct indicators_want){.collection = collection->id, .limit = LIMIT_TAXII_PAGE};
	const char *text = api_argument(call, "added_after", room, sizeof room);
	if (text && instant_read(text, &want->after_us, err) < 0)
		return err_prefix(err, -EINVAL, "added_after");
	text = api_argument(call, "next", room, sizeof room);
	char *end = NULL;
	int64_t next = text ? strtoll(text, &end, 10) : 0;
	if (text && (!*text || *end || next < 0))
		return err_set(err, -EINVAL, "next: '%.64s' was not given by this server", text);
	want->after_us = next > want->after_us ? next : want->after_us;
	text = api_argument(call, "limit", room, sizeof room);
	long limit = text ? strtol(text, &end, 10) : LIMIT_TAXII_PAGE;
	if (text && (!*text || *end || limit < 1))
		return err_set(err, -EINVAL, "limit: '%.64s' is not a number of 1 or more", text);
	want->limit = limit < LIMIT_TAXII_PAGE ? (unsigned)limit : LIMIT_TAXII_PAGE;
	if (match_argument(call, "type", filters->types_text, sizeof filters->types_text)) {
		want->types = filters->types;
		if (terms_split(filters->types_text, filters->types, &want->type_count) < 0)
			return err_set(err, -EINVAL, "match[type]: at most %d types", TERMS_MAX);
	}
	if (match_argument(call, "id", filters->ids_text, sizeof filters->ids_text)) {
		want->ids = filters->ids;
		if (terms_split(filters->ids_text, filters->ids, &want->id_count) < 0)
			return err_set(err, -EINVAL, "match[id]: at most %d ids", TERMS_MAX);
	}
	int result = versions_read(call, want, err);
	if (result < 0)
		return err_prefix(err, result, "match[version]");
	text = match_argument(call, "spec_version", room, sizeof room);
	return text && !strstr(text, "2.1");
}

static int page_row(void *context, const struct indicators_row *row)
{
	struct page *page = context;
	char added[TIME_TEXT_BYTES], version[TIME_TEXT_BYTES];
	const char *comma = page->count ? "," : "";
	int result;
	us_format(row->version_us, row->version_digits, version);
	if (page->versions)
		result = text_add(&page->text, "%s\"%s\"", comma, version);
	else if (page->manifest)
		result = text_add(
			&page->text,
			"%s{\"id\":\"%s\",\"date_added\":\"%s\",\"version\":\"%s\",\"media_type\":\"" TAXII_STIX_TYPE
			"\"}",
			comma, row->id, us_format(row->added_us, 6, added), version);
	else
		result = text_add(&page->text, "%s%s", comma, row->text);
	if (page->count++ == 0)
		page->first_us = row->added_us;
	page->last_us = row->added_us;
	return result < 0 ? result : page->text.used > LIMIT_TAXII_PAGE_BYTES ? PAGE_FULL : 0;
}

static int page_send(struct api_call *call, struct page *page, bool more, const char *list)
{
	char headers[256] = "", head[128] = "{", first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
	if (page->count > 0) {
		snprintf(headers, sizeof headers, "X-TAXII-Date-Added-First: %s\nX-TAXII-Date-Added-Last: %s\n",
			 us_format(page->first_us, 6, first), us_format(page->last_us, 6, last));
		if (more && !page->manifest && !page->versions)
			snprintf(head, sizeof head, "{\"more\":true,\"next\":\"%" PRId64 "\",\"%s\":[", page->last_us,
				 list);
		else
			snprintf(head, sizeof head, "{\"more\":%s,\"%s\":[", more ? "true" : "false", list);
	}
	call->headers = headers;
	int result = api_begin(call, 200, TAXII_TYPE, NULL);
	if (result == 0)
		result = api_add(call, head, strlen(head));
	if (result == 0 && page->text.used)
		result = api_add(call, page->text.bytes, page->text.used);
	if (result == 0)
		result = api_add(call, page->count ? "]}" : "}", page->count ? 2 : 1);
	call->headers = NULL;
	return result == 0 ? api_end(call) : result;
}

static void names_add(struct text_buffer *text, const char *what, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)text_add(text, "%s%s", i ? "," : what, names[i]);
}

/* What is about to be sent is written down, with the filter that was asked by. */
static int page_receipt(struct api_call *call, const struct indicators_collection *collection,
			const struct indicators_want *want, struct err *err)
{
	struct text_buffer filter = {NULL, 0, 0};
	names_add(&filter, "type ", want->types, want->type_count);
	names_add(&filter, "id ", want->ids, want->id_count);
	int result = receipt_write(call, collection, "taxii", filter.bytes ? filter.bytes : "", want->withheld,
				   want->after_us, err);
	free(filter.bytes);
	return result;
}

static int page_answer(struct api_call *call, const struct indicators_collection *collection, struct page *page,
		       const char *object, struct err *err)
{
	struct filters *filters = malloc(sizeof *filters);
	bool more = false;
	if (!filters)
		return -ENOMEM;
	int result = filters_read(call, collection, filters, err);
	if (result < 0) {
		free(filters);
		return taxii_refuse(call, 400, "Bad request", err->text);
	}
	filters->want.with_text = !page->manifest && !page->versions;
	if (object) {
		filters->want.ids = &object;
		filters->want.id_count = 1;
	}
	if (page->versions)
		filters->want.versions = VERSIONS_ALL;
	int most = taxii_most(call, collection);
	if (most < 0) {
		free(filters);
		return taxii_refuse(call, 404, "Not found", "There is no such collection");
	}
	filters->want.withheld = audience_withheld(most);
	if (result == 0)
		result = page_receipt(call, collection, &filters->want, err);
	if (result == 0)
		result = indicators_shelf(call->keeper->indicators, &filters->want, page_row, page, &more, err);
	free(filters);
	if (result >= 0 && object && page->count == 0)
		result = taxii_refuse(call, 404, "Not found", "There is no such object in this collection");
	else if (result >= 0)
		result = page_send(call, page, more || result == PAGE_FULL, page->versions ? "versions" : "objects");
	free(page->text.bytes);
	return result;
}

int taxii_manifest(struct api_call *call, const struct indicators_collection *collection, struct err *err)
{
	struct page page = {.call = call, .manifest = true};
	return page_answer(call, collection, &page, NULL, err);
}

int taxii_objects(struct api_call *call, const struct indicators_collection *collection, const char *object,
		  struct err *err)
{
	struct page page = {.call = call};
	return page_answer(call, collection, &page, object, err);
}

int taxii_versions(struct api_call *call, const struct indicators_collection *collection, const char *object,
		   struct err *err)
{
	struct page page = {.call = call, .versions = true};
	return page_answer(call, collection, &page, object, err);
}

struct adding {
	json_t *successes, *failures;
};

static void adding_taken(void *context, const struct indicators_object *object, bool known)
{
	struct adding *adding = context;
	char id[INDICATORS_VALUE_BYTES_MAX], uuid[37], version[TIME_TEXT_BYTES];
	(void)known;
	indicators_uuid_format(object->uuid, uuid);
	snprintf(id, sizeof id, "%.*s--%s", (int)object->type_bytes, object->type, uuid);
	json_array_append_new(adding->successes,
			      json_pack("{s:s, s:s}", "id", id, "version",
					us_format(object->version_us, object->version_digits, version)));
}

static void adding_refused(void *context, const char *where, const char *why)
{
	struct adding *adding = context;
	json_array_append_new(adding->failures, json_pack("{s:s, s:s}", "id", where, "message", why));
}

int taxii_add(struct api_call *call, const struct indicators_collection *collection, struct err *err)
{
	struct adding adding = {json_array(), json_array()};
	struct import_result result;
	char id[37], time[TIME_TEXT_BYTES];
	uint8_t uuid[16];
	const struct import import = {.store = call->keeper->indicators,
				      .format = IMPORT_STIX,
				      .source = {"taxii", collection->name, call->user.name},
				      .collection = collection->id,
				      .tlp = collection->clearance < TLP_AMBER ? collection->clearance : TLP_AMBER,
				      .confidence = 50,
				      .now_ns = clock_now_ns(),
				      .warnings = call->keeper->warnings,
				      .taken = adding_taken,
				      .refused = adding_refused,
				      .context = &adding};
	int code = import_text(&import, (const char *)call->body, call->body_bytes, &result, err);
	if (code < 0) {
		json_decref(adding.successes);
		json_decref(adding.failures);
		return code == -EBADMSG ? taxii_refuse(call, 422, "Unprocessable", err->text) : code;
	}
	randombytes_buf(uuid, sizeof uuid);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	indicators_uuid_format(uuid, id);
	size_t good = result.taken + result.known, all = good + result.refused;
	json_t *status =
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:I, s:o, s:i}", "id", id, "status", "complete",
			  "request_timestamp", us_format(import.now_ns / NS_PER_US, 6, time), "total_count",
			  (json_int_t)all, "success_count", (json_int_t)good, "successes", adding.successes,
			  "failure_count", (json_int_t)result.refused, "failures", adding.failures, "pending_count", 0);
	taxii_status_keep(call->keeper->taxii_statuses, id, call->user.name, status);
	return taxii_json(call, 202, status);
}
