/* MISP to STIX. See misp.h. */
#include "share/facts.h"
#include "share/misp.h"

#include "core/clock.h"
#include "store/indicators.h"
#include "wire/value.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_BYTES = 3 * VALUE_BYTES_MAX };

/* How a pattern says a type. %s and %t stand for the value, or the parts of one with '|' in it, quoted; %a for the kind
 * of an address; %n for the second part where it is a number. */
static const struct {
	const char *type, *pattern;
} patterns[] = {
	{"ip-src", "[network-traffic:src_ref.type = '%a' AND network-traffic:src_ref.value = %s]"},
	{"ip-dst", "[network-traffic:dst_ref.type = '%a' AND network-traffic:dst_ref.value = %s]"},
	{"ip-src|port", "[network-traffic:src_ref.type = '%a' AND network-traffic:src_ref.value = %s AND "
			"network-traffic:src_port = %n]"},
	{"ip-dst|port", "[network-traffic:dst_ref.type = '%a' AND network-traffic:dst_ref.value = %s AND "
			"network-traffic:dst_port = %n]"},
	{"domain", "[domain-name:value = %s]"},
	{"hostname", "[domain-name:value = %s]"},
	{"domain|ip", "[domain-name:value = %s AND domain-name:resolves_to_refs[*].value = %t]"},
	{"url", "[url:value = %s]"},
	{"uri", "[url:value = %s]"},
	{"link", "[url:value = %s]"},
	{"email-src", "[email-message:from_ref.value = %s]"},
	{"email-dst", "[email-message:to_refs[*].value = %s]"},
	{"email", "[email-addr:value = %s]"},
	{"email-subject", "[email-message:subject = %s]"},
	{"md5", "[file:hashes.MD5 = %s]"},
	{"sha1", "[file:hashes.'SHA-1' = %s]"},
	{"sha256", "[file:hashes.'SHA-256' = %s]"},
	{"sha512", "[file:hashes.'SHA-512' = %s]"},
	{"ssdeep", "[file:hashes.SSDEEP = %s]"},
	{"filename", "[file:name = %s]"},
	{"filename|md5", "[file:name = %s AND file:hashes.MD5 = %t]"},
	{"filename|sha1", "[file:name = %s AND file:hashes.'SHA-1' = %t]"},
	{"filename|sha256", "[file:name = %s AND file:hashes.'SHA-256' = %t]"},
	{"malware-sample", "[file:name = %s AND file:hashes.MD5 = %t]"},
	{"mutex", "[mutex:name = %s]"},
	{"regkey", "[windows-registry-key:key = %s]"},
	{"regkey|value", "[windows-registry-key:key = %s AND windows-registry-key:values.data = %t]"},
	{"AS", "[autonomous-system:number = %n]"},
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* Booleans of MISP are true, "1" or "true". */
static bool is_true(const json_t *value)
{
	const char *text = json_string_value(value);
	return json_is_true(value) || json_integer_value(value) == 1 ||
	       (text && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0));
}

static int64_t seconds_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_integer(value) ? json_integer_value(value) : strtoll(text_of(object, name), NULL, 10);
}

static const char *time_text(int64_t seconds, bool millis, char text[TIME_TEXT_BYTES])
{
	seconds = seconds < 0 || seconds > INT64_C(9000000000) ? 0 : seconds;
	time_format(seconds * NS_PER_S, text);
	if (millis)
		strcpy(text + strlen(text) - 1, ".000Z");
	return text;
}

/* The UUID that an id is made of: the one it has where STIX takes it (RFC 4122, versions 1 to 5), else one of its text.
 */
static void uuid_choose(const char *given, const char *otherwise, char uuid[37])
{
	uint8_t bytes[16];
	if (indicators_uuid_parse(given, strlen(given), bytes) && bytes[6] >> 4 >= 1 && bytes[6] >> 4 <= 5 &&
	    bytes[8] >> 6 == 2) {
		indicators_uuid_format(bytes, uuid);
		return;
	}
	crypto_generichash(bytes, sizeof bytes, (const uint8_t *)otherwise, strlen(otherwise), (const uint8_t *)given,
			   strlen(given));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	indicators_uuid_format(bytes, uuid);
}

static size_t quoted_put(char *out, size_t used, size_t room, const char *text, size_t bytes)
{
	if (used < room)
		out[used++] = '\'';
	for (size_t i = 0; i < bytes && used + 4 < room; i++) {
		if (text[i] == '\'' || text[i] == '\\')
			out[used++] = '\\';
		out[used++] = text[i];
	}
	if (used < room)
		out[used++] = '\'';
	return used;
}

/* false: no pattern can say it. */
static bool pattern_make(const char *type, const char *value, char out[PATTERN_BYTES])
{
	const char *form = NULL, *bar = strchr(value, '|');
	size_t used = 0, first = bar ? (size_t)(bar - value) : strlen(value);
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns && !form; i++)
		form = strcmp(patterns[i].type, type) == 0 ? patterns[i].pattern : NULL;
	if (!form || strlen(value) > VALUE_BYTES_MAX / 2 || (!bar && strstr(form, "%t")) || value[0] == '\0')
		return false;
	if (!strstr(form, "%t") && !strstr(form, "_port"))
		first = strlen(value);
	const char *number = bar && strstr(form, "_port") ? bar + 1 : strncmp(value, "AS", 2) == 0 ? value + 2 : value;
	if (strstr(form, "%n") && (strspn(number, "0123456789") != strlen(number) || !*number))
		return false;
	for (; *form && used + 64 < PATTERN_BYTES; form++) {
		if (*form != '%')
			out[used++] = *form;
		else if (*++form == 's')
			used = quoted_put(out, used, PATTERN_BYTES, value, first);
		else if (*form == 't')
			used = quoted_put(out, used, PATTERN_BYTES, bar + 1, strlen(bar + 1));
		else if (*form == 'a')
			used += (size_t)sprintf(out + used, "%s",
						memchr(value, ':', first) ? "ipv6-addr" : "ipv4-addr");
		else
			used += (size_t)snprintf(out + used, 16, "%.10s", number);
	}
	out[used] = '\0';
	return used + 64 < PATTERN_BYTES;
}

/* The TLP of tags, "tlp:amber"; -1: none. TLP:WHITE is what CLEAR was called. */
static int tlp_of(const json_t *tags)
{
	size_t i;
	json_t *tag;
	int found = -1;
	json_array_foreach(tags, i, tag)
	{
		const char *name = text_of(tag, "name");
		if (strncmp(name, "tlp:", 4) != 0)
			continue;
		for (int tlp = 0; tlp < TLPS; tlp++)
			if ((strcmp(name + 4, tlp_names[tlp]) == 0 || (tlp == 0 && strcmp(name + 4, "white") == 0)) &&
			    tlp > found)
				found = tlp;
	}
	return found;
}

static void tlp_set(json_t *object, int own, int inherited)
{
	int tlp = own >= 0 ? own : inherited;
	if (tlp >= 0)
		json_object_set_new(object, "object_marking_refs", json_pack("[s]", tlp_marking_id((enum tlp)tlp)));
}

static void label_add(json_t *labels, const char *format, const char *value)
{
	char text[512];
	snprintf(text, sizeof text, format, value);
	json_array_append_new(labels, json_string(text));
}

/* What every object of an event begins with. */
static json_t *object_begin(const struct misp_event *event, const char *type, const char *id, int64_t seconds)
{
	char created[TIME_TEXT_BYTES];
	time_text(seconds, true, created);
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", type, "spec_version", "2.1", "id", id,
				   "created", created, "modified", created);
	if (object && event->author[0])
		json_object_set_new(object, "created_by_ref", json_string(event->author));
	return object;
}

static json_t *without(const json_t *object, const char *first, const char *second)
{
	json_t *copy = json_copy((json_t *)object);
	json_object_del(copy, first);
	if (second)
		json_object_del(copy, second);
	return copy;
}

static int emit(struct misp_event *event, json_t *object, struct err *err)
{
	return object ? event->emit(event->context, object, err) : err_set(err, -ENOMEM, "no memory for an event");
}

static int refs_flush(struct misp_event *event, struct err *err)
{
	char id[64], uuid[37], part[64];
	if (json_array_size(event->refs) < MISP_REFS_MAX)
		return 0;
	snprintf(part, sizeof part, "%s part %u", event->uuid, event->parts++);
	uuid_choose(part, "event", uuid);
	snprintf(id, sizeof id, "grouping--%s", uuid);
	json_t *grouping = object_begin(event, "grouping", id, seconds_of(event->header, "timestamp"));
	json_object_set_new(grouping, "context", json_string("suspicious-activity"));
	json_object_set_new(grouping, "x_misp_part_of", json_string(event->uuid));
	json_object_set(grouping, "object_refs", event->refs);
	tlp_set(grouping, -1, event->tlp);
	json_decref(event->refs);
	event->refs = json_pack("[s]", id);
	return emit(event, grouping, err);
}

static int identity_emit(struct misp_event *event, const json_t *orgc, struct err *err)
{
	char uuid[37];
	const char *name = text_of(orgc, "name");
	if (!name[0])
		return 0;
	uuid_choose(text_of(orgc, "uuid"), name, uuid);
	char id[64];
	snprintf(id, sizeof id, "identity--%s", uuid);
	json_t *identity = object_begin(event, "identity", id, 0);
	json_object_set_new(identity, "name", json_string(name));
	json_object_set_new(identity, "identity_class", json_string("organization"));
	int result = emit(event, identity, err);
	snprintf(event->author, sizeof event->author, "%s", id);
	return result;
}

int misp_event_begin(struct misp_event *event, json_t *header, struct err *err)
{
	const char *uuid = text_of(header, "uuid"), *info = text_of(header, "info");
	event->header = header;
	event->refs = json_array();
	event->tlp = tlp_of(json_object_get(header, "Tag"));
	if (!uuid[0] && !info[0])
		return err_set(err, 1, "it has neither uuid nor info: no MISP event");
	uuid_choose(uuid[0] ? uuid : info, "event", event->uuid);
	snprintf(event->id, sizeof event->id, "%s--%s",
		 is_true(json_object_get(header, "published")) ? "report" : "grouping", event->uuid);
	return identity_emit(event, json_object_get(header, "Orgc"), err);
}

static int sighting_emit(struct misp_event *event, const json_t *sighting, const char *of, struct err *err)
{
	char uuid[37], id[64], seen[TIME_TEXT_BYTES], unique[160];
	snprintf(unique, sizeof unique, "%s %s %s", of, text_of(sighting, "date_sighting"), text_of(sighting, "id"));
	uuid_choose(text_of(sighting, "uuid"), unique, uuid);
	snprintf(id, sizeof id, "sighting--%s", uuid);
	int64_t when = seconds_of(sighting, "date_sighting");
	json_t *object = object_begin(event, "sighting", id, when);
	json_object_set_new(object, "sighting_of_ref", json_string(of));
	json_object_set_new(object, "last_seen", json_string(time_text(when, false, seen)));
	json_object_set_new(object, "count", json_integer(strcmp(text_of(sighting, "type"), "1") == 0 ? 0 : 1));
	tlp_set(object, -1, event->tlp);
	return emit(event, object, err);
}

/* Its STIX id goes to id. */
static int attribute_emit(struct misp_event *event, const json_t *attribute, char id[64], struct err *err)
{
	const char *type = text_of(attribute, "type"), *value = text_of(attribute, "value"),
		   *comment = text_of(attribute, "comment");
	char pattern[PATTERN_BYTES], uuid[37], from[TIME_TEXT_BYTES], unique[512];
	int64_t when = seconds_of(attribute, "timestamp");
	if (!type[0] || !json_is_string(json_object_get(attribute, "value")))
		return err_set(err, 1, "an attribute without type or value");
	snprintf(unique, sizeof unique, "%s %s %.400s", event->uuid, type, value);
	uuid_choose(text_of(attribute, "uuid"), unique, uuid);
	bool detects = is_true(json_object_get(attribute, "to_ids")) &&
		       !is_true(json_object_get(attribute, "deleted")) && pattern_make(type, value, pattern);
	snprintf(id, 64, "%s--%s", detects ? "indicator" : "x-misp-attribute", uuid);
	if (when == 0)
		when = seconds_of(event->header, "timestamp");
	json_t *object = object_begin(event, detects ? "indicator" : "x-misp-attribute", id, when),
	       *labels = json_array();
	if (!object || !labels)
		return err_set(err, -ENOMEM, "no memory for an attribute");
	label_add(labels, "misp:type=\"%.400s\"", type);
	label_add(labels, "misp:category=\"%.400s\"", text_of(attribute, "category"));
	json_object_set_new(object, "labels", labels);
	if (comment[0])
		json_object_set_new(object, "description", json_string(comment));
	if (detects) {
		json_object_set_new(object, "pattern", json_string(pattern));
		json_object_set_new(object, "pattern_type", json_string("stix"));
		json_object_set_new(object, "pattern_version", json_string("2.1"));
		json_object_set_new(object, "valid_from", json_string(time_text(when, false, from)));
	}
	json_object_set(object, "x_misp", (json_t *)attribute);
	tlp_set(object, tlp_of(json_object_get(attribute, "Tag")), event->tlp);
	int result = emit(event, object, err);
	size_t i;
	json_t *sighting;
	json_array_foreach(json_object_get(attribute, "Sighting"), i, sighting) if (result == 0) result =
		sighting_emit(event, sighting, id, err);
	return result;
}

int misp_event_attribute(struct misp_event *event, const json_t *attribute, struct err *err)
{
	char id[64];
	int result = attribute_emit(event, attribute, id, err);
	if (result == 0)
		json_array_append_new(event->refs, json_string(id));
	return result == 0 ? refs_flush(event, err) : result;
}

int misp_event_object(struct misp_event *event, const json_t *object, struct err *err)
{
	char uuid[37], id[64];
	size_t i;
	json_t *attribute, *refs = json_array();
	int result = 0;
	uuid_choose(text_of(object, "uuid"), text_of(object, "name"), uuid);
	snprintf(id, sizeof id, "x-misp-object--%s", uuid);
	json_array_foreach(json_object_get(object, "Attribute"), i, attribute)
	{
		char ref[64];
		if (result < 0)
			continue;
		result = attribute_emit(event, attribute, ref, err);
		if (result == 0)
			json_array_append_new(refs, json_string(ref));
	}
	int64_t when = seconds_of(object, "timestamp");
	json_t *made = object_begin(event, "x-misp-object", id, when ? when : seconds_of(event->header, "timestamp"));
	if (json_array_size(refs) > 0)
		json_object_set(made, "x_misp_attribute_refs", refs);
	json_decref(refs);
	json_object_set_new(made, "x_misp", without(object, "Attribute", NULL));
	tlp_set(made, -1, event->tlp);
	int emitted = result < 0 ? result : emit(event, made, err);
	if (result < 0)
		json_decref(made);
	json_array_append_new(event->refs, json_string(id));
	return emitted == 0 ? refs_flush(event, err) : emitted;
}

int misp_event_end(struct misp_event *event, struct err *err)
{
	const json_t *header = event->header;
	bool report = event->id[0] == 'r';
	char published[TIME_TEXT_BYTES];
	size_t i;
	json_t *tag, *labels = json_pack("[s]", "Threat-Report"),
		     *object = object_begin(event, report ? "report" : "grouping", event->id,
					    seconds_of(header, "timestamp"));
	if (!object || !labels)
		return err_set(err, -ENOMEM, "no memory for an event");
	json_object_set_new(object, "name", json_string(text_of(header, "info")));
	if (report)
		json_object_set_new(object, "published",
				    json_string(time_text(seconds_of(header, "publish_timestamp"), false, published)));
	else
		json_object_set_new(object, "context", json_string("suspicious-activity"));
	json_array_foreach(json_object_get(header, "Tag"), i, tag) if (text_of(tag, "name")[0])
		label_add(labels, "%.500s", text_of(tag, "name"));
	json_object_set_new(object, "labels", labels);
	if (json_array_size(event->refs) == 0) /* one at least is needed: the author, or nobody */
		json_array_append_new(event->refs,
				      json_string(event->author[0] ? event->author
								   : "identity--00000000-0000-4000-8000-000000000000"));
	json_object_set(object, "object_refs", event->refs);
	json_object_set_new(object, "x_misp", without(header, "Attribute", "Object"));
	tlp_set(object, -1, event->tlp);
	return emit(event, object, err);
}

void misp_event_done(struct misp_event *event)
{
	json_decref(event->refs);
	event->refs = NULL;
}
