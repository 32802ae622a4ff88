/* See misp_feed.h. The form of a feed is that of MISP's own (PyMISP's feed generator): hashes.csv has MD5, which is no
 * protection here but what MISP looks values up by. */
#include "share/misp_feed.h"

#include "core/clock.h"
#include "share/misp.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feeding {
	const struct misp_feed *feed;
	const char *uuid; /* NULL: all */
	int (*each)(void *context, const json_t *event);
	void *context;
	json_t *met;     /* ids of what events hold: an object used as a set */
	json_t *sources; /* by name: events of what is left */
	struct err *err;
};

static int text_take(void *context, const struct indicators_row *row)
{
	json_error_t error;
	*(json_t **)context = json_loadb(row->text, row->bytes, 0, &error);
	return 0;
}

static json_t *object_find(void *context, const char *id)
{
	struct feeding *feeding = context;
	const struct indicators_want want = {.collection = feeding->feed->collection->id,
					     .limit = 1,
					     .with_text = true,
					     .withheld = feeding->feed->withheld,
					     .ids = &id,
					     .id_count = 1};
	json_t *object = NULL;
	bool more;
	if (json_object_size(feeding->met) < 4 << 20)
		json_object_set_new(feeding->met, id, json_true());
	if (indicators_shelf(feeding->feed->store, &want, text_take, &object, &more, feeding->err) < 0)
		return NULL;
	return object;
}

static bool wanted(const struct feeding *feeding, const json_t *event)
{
	const char *uuid = json_string_value(json_object_get(json_object_get(event, "Event"), "uuid"));
	return uuid && (!feeding->uuid || strcmp(uuid, feeding->uuid) == 0);
}

static int report_take(void *context, const struct indicators_row *row)
{
	struct feeding *feeding = context;
	json_error_t error;
	json_t *report = json_loadb(row->text, row->bytes, 0, &error);
	json_t *event = misp_event_from_stix(report, object_find, feeding);
	int result = event && wanted(feeding, event) ? feeding->each(feeding->context, event) : 0;
	json_decref(event);
	json_decref(report);
	return result;
}

static int reports_walk(struct feeding *feeding, struct err *err)
{
	static const char *const types[] = {"report", "grouping"};
	struct indicators_want want = {.collection = feeding->feed->collection->id,
				       .limit = INDICATORS_PAGE_MAX,
				       .with_text = true,
				       .withheld = feeding->feed->withheld,
				       .types = types,
				       .type_count = 2};
	bool more = true;
	int result = 0;
	/* One page: reading on needs the last instant, which each row gives; events are few beside their attributes. */
	if (result == 0 && more)
		result = indicators_shelf(feeding->feed->store, &want, report_take, feeding, &more, err);
	return result;
}

/* The event of what came from one source, made at its first indicator. */
static json_t *source_event(struct feeding *feeding, const struct indicators_listed *listed)
{
	const char *name = listed->source_name ? listed->source_name : "unknown";
	json_t *event = json_object_get(feeding->sources, name);
	uint8_t uuid[16];
	char text[37], stamp[24], date[TIME_TEXT_BYTES], info[512], tag[32];
	if (event)
		return event;
	crypto_generichash(uuid, sizeof uuid, (const uint8_t *)name, strlen(name),
			   (const uint8_t *)feeding->feed->collection->uuid, 36);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	indicators_uuid_format(uuid, text);
	snprintf(stamp, sizeof stamp, "%" PRId64, listed->added_us / 1000000);
	snprintf(info, sizeof info, "%.400s", name);
	snprintf(tag, sizeof tag, "tlp:%s", tlp_names[feeding->feed->collection->clearance]);
	time_format(listed->added_us * NS_PER_US, date);
	date[10] = '\0';
	event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:{s:s, s:s}, s:[{s:s}], s:[], s:[]}", "uuid", text,
			  "info", info, "date", date, "analysis", "2", "threat_level_id", "4", "published", 1,
			  "timestamp", stamp, "publish_timestamp", stamp, "Orgc", "name", "Yagura", "uuid",
			  "6f6c9f2e-3a5b-4f7e-9d39-7d1c0f6b2a11", "Tag", "name", tag, "Attribute", "Object");
	json_object_set_new(feeding->sources, name, event);
	return event;
}

static int indicator_take(void *context, const struct indicators_listed *listed)
{
	struct feeding *feeding = context;
	char stamp[24];
	if (json_object_get(feeding->met, listed->id) || !listed->value[0])
		return 0;
	json_t *event = source_event(feeding, listed);
	snprintf(stamp, sizeof stamp, "%" PRId64, listed->seen_ns / NS_PER_S);
	json_t *attribute = misp_attribute_make(strstr(listed->id, "--") + 2, indicator_kind_names[listed->kind],
						listed->value, "", stamp);
	if (event && attribute) {
		json_array_append_new(json_object_get(event, "Attribute"), attribute);
		if (strtoll(stamp, NULL, 10) >
		    strtoll(json_string_value(json_object_get(event, "timestamp")), NULL, 10))
			json_object_set_new(event, "timestamp", json_string(stamp));
	}
	return 0;
}

static int sources_walk(struct feeding *feeding, struct err *err)
{
	const struct indicators_question question = {.kind = -1,
						     .state = STATE_ACTIVE,
						     .collection = feeding->feed->collection->id,
						     .most = feeding->feed->withheld ? feeding->feed->withheld - 1
										     : TLP_RED,
						     .oldest_first = true,
						     .unwarned = true};
	const char *name;
	json_t *event;
	int result =
		indicators_list(feeding->feed->store, &question, feeding->feed->now_ns, indicator_take, feeding, err);
	json_object_foreach(feeding->sources, name, event)
	{
		json_t *whole = json_pack("{s:O}", "Event", event);
		if (result == 0 && wanted(feeding, whole))
			result = feeding->each(feeding->context, whole);
		json_decref(whole);
	}
	return result;
}

int misp_feed_events(const struct misp_feed *feed, const char *uuid, int (*each)(void *context, const json_t *event),
		     void *context, struct err *err)
{
	struct feeding feeding = {feed, uuid, each, context, json_object(), json_object(), err};
	int result = reports_walk(&feeding, err);
	if (result == 0)
		result = sources_walk(&feeding, err);
	json_decref(feeding.met);
	json_decref(feeding.sources);
	return result;
}

int misp_manifest_add(json_t *manifest, const json_t *event)
{
	static const char *const members[] = {"Orgc",     "Tag", "info", "date", "analysis", "threat_level_id",
					      "timestamp"};
	const json_t *inner = json_object_get(event, "Event");
	json_t *entry = json_object();
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *member = json_object_get(inner, members[i]);
		json_object_set_new(entry, members[i],
				    member                           ? json_incref(member)
				    : strcmp(members[i], "Tag") == 0 ? json_array()
								     : json_string(""));
	}
	return json_object_set_new(manifest, json_string_value(json_object_get(inner, "uuid")), entry);
}

static int hash_write(const char *value, size_t bytes, const char *uuid, int (*write)(void *, const char *, size_t),
		      void *context)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	char line[96];
	if (EVP_Digest(value, bytes, digest, &length, EVP_md5(), NULL) != 1)
		return -EIO;
	for (unsigned i = 0; i < length; i++)
		sprintf(line + 2 * i, "%02x", digest[i]);
	int used = 2 * (int)length + snprintf(line + 2 * length, 40, ",%s\n", uuid);
	return write(context, line, (size_t)used);
}

static int attribute_hashes(const json_t *attributes, const char *uuid, int (*write)(void *, const char *, size_t),
			    void *context)
{
	size_t i;
	json_t *attribute;
	int result = 0;
	json_array_foreach(attributes, i, attribute)
	{
		const char *value = json_string_value(json_object_get(attribute, "value")),
			   *type = json_string_value(json_object_get(attribute, "type")),
			   *bar = value && type && strchr(type, '|') ? strchr(value, '|') : NULL;
		if (!value || result)
			continue;
		result = hash_write(value, bar ? (size_t)(bar - value) : strlen(value), uuid, write, context);
		if (bar && result == 0)
			result = hash_write(bar + 1, strlen(bar + 1), uuid, write, context);
	}
	return result;
}

int misp_hashes_write(const json_t *event, int (*write)(void *context, const char *bytes, size_t count), void *context)
{
	const json_t *inner = json_object_get(event, "Event");
	const char *uuid = json_string_value(json_object_get(inner, "uuid"));
	size_t i;
	json_t *object;
	int result = attribute_hashes(json_object_get(inner, "Attribute"), uuid, write, context);
	json_array_foreach(json_object_get(inner, "Object"), i, object) if (result == 0) result =
		attribute_hashes(json_object_get(object, "Attribute"), uuid, write, context);
	return result;
}
