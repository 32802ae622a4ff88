/* See facts.h. Markings: STIX 2.1 section 7.2.1.4, and OASIS' TLP 2.0 extension (cti-stix-common-objects). */
#include "share/facts.h"

#include "core/clock.h"
#include "wire/stix_pattern.h"
#include "wire/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)KIND_OTHER == (int)VALUE_OTHER && (int)KIND_ASN == (int)VALUE_ASN &&
		       (int)KIND_MD5 == (int)VALUE_MD5,
	       "kinds of values have the same numbers in wire and store");
_Static_assert((int)INDICATORS_VALUE_BYTES_MAX == (int)VALUE_BYTES_MAX, "a value is as long in wire as in store");

static const struct {
	const char *id;
	enum tlp tlp;
} markings[] = {
	{"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", TLP_CLEAR},
	{"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", TLP_GREEN},
	{"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", TLP_AMBER},
	{"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", TLP_AMBER_STRICT},
	{"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", TLP_RED},
	{"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", TLP_CLEAR},
	{"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", TLP_GREEN},
	{"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", TLP_AMBER},
	{"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", TLP_RED},
};

const char *tlp_marking_id(enum tlp tlp)
{
	size_t i = 0;
	while (markings[i].tlp != tlp)
		i++;
	return markings[i].id;
}

/* The strictest of its markings; `unmarked` where none of them is a TLP. */
static enum tlp tlp_read(const struct json_tape *tape, enum tlp unmarked)
{
	uint32_t list = json_member(tape, JSON_ROOT, "object_marking_refs");
	int found = -1;
	if (!list || json_kind(tape, list) != '[')
		return unmarked;
	for (uint32_t at = list + 1, end = json_after(tape, list) - 1; at < end; at = json_after(tape, at)) {
		uint32_t bytes;
		const char *id = json_text(tape, at, &bytes);
		for (size_t i = 0; i < sizeof markings / sizeof *markings; i++)
			if (strcmp(id, markings[i].id) == 0 && (int)markings[i].tlp > found)
				found = (int)markings[i].tlp;
	}
	return found < 0 ? unmarked : (enum tlp)found;
}

/* 0; 1: refused. *ret_ns is left alone where the member is missing. */
static int time_read(const struct json_tape *tape, const char *name, int64_t *ret_ns, struct err *err)
{
	uint32_t bytes;
	uint8_t digits;
	const char *text = json_member_text(tape, JSON_ROOT, name, &bytes);
	if (!text || stix_time(text, bytes, ret_ns, &digits))
		return 0;
	return err_set(err, 1, "/%s: '%.40s' is no time that a calendar has", name, text);
}

/* A value that has a normal form of its kind; others, and what is too much, are left out. */
static void value_add(struct facts *facts, enum value_kind kind, const char *text, size_t bytes, bool alone)
{
	char normal[VALUE_BYTES_MAX + 1];
	size_t normal_bytes;
	if (facts->object.value_count == INDICATORS_VALUES_MAX ||
	    value_normal(kind, text, bytes, normal, &normal_bytes, NULL) != 0 ||
	    normal_bytes > sizeof facts->room - facts->used)
		return;
	char *kept = memcpy(facts->room + facts->used, normal, normal_bytes);
	facts->used += normal_bytes;
	facts->values[facts->object.value_count++] =
		(struct indicator_value){(enum indicator_kind)kind, kept, normal_bytes, alone};
}

static bool same(const char *text, size_t bytes, const char *wanted)
{
	return bytes == strlen(wanted) && memcmp(text, wanted, bytes) == 0;
}

static bool ends(const char *text, size_t bytes, const char *wanted)
{
	size_t length = strlen(wanted);
	return bytes >= length && memcmp(text + bytes - length, wanted, length) == 0;
}

static enum value_kind hash_kind(const char *name, size_t bytes)
{
	static const struct {
		const char *name;
		enum value_kind kind;
	} hashes[] = {{"MD5", VALUE_MD5},          {"SHA-1", VALUE_SHA1},   {"SHA-256", VALUE_SHA256},
		      {"SHA-512", VALUE_SHA512},   {"'SHA-1'", VALUE_SHA1}, {"'SHA-256'", VALUE_SHA256},
		      {"'SHA-512'", VALUE_SHA512}, {"'MD5'", VALUE_MD5}};
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
		if (same(name, bytes, hashes[i].name))
			return hashes[i].kind;
	return VALUE_OTHER;
}

static enum value_kind type_kind(const char *type, size_t bytes)
{
	static const struct {
		const char *name;
		enum value_kind kind;
	} types[] = {{"ipv4-addr", VALUE_IPV4},
		     {"ipv6-addr", VALUE_IPV6},
		     {"domain-name", VALUE_DOMAIN},
		     {"url", VALUE_URL},
		     {"email-addr", VALUE_EMAIL}};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (same(type, bytes, types[i].name))
			return types[i].kind;
	return VALUE_OTHER;
}

static int pattern_value(void *context, const struct stix_pattern_value *value)
{
	struct facts *facts = context;
	char plain[VALUE_BYTES_MAX + 1];
	size_t bytes = 0;
	enum value_kind kind = VALUE_OTHER;
	if (value->bytes > VALUE_BYTES_MAX)
		return 0;
	for (size_t i = 0; i < value->bytes; i++) {
		i += value->has_escapes && value->text[i] == '\\' && i + 1 < value->bytes;
		plain[bytes++] = value->text[i];
	}
	if (same(value->path, value->path_bytes, "value"))
		kind = type_kind(value->type, value->type_bytes);
	else if (value->path_bytes > 7 && memcmp(value->path, "hashes.", 7) == 0)
		kind = hash_kind(value->path + 7, value->path_bytes - 7);
	else if (same(value->type, value->type_bytes, "autonomous-system") &&
		 same(value->path, value->path_bytes, "number"))
		kind = VALUE_ASN;
	if (kind == VALUE_OTHER && ends(value->path, value->path_bytes, "_ref.value")) {
		char normal[VALUE_BYTES_MAX + 1];
		size_t normal_bytes;
		if (value_guess(plain, bytes, &kind, normal, &normal_bytes, NULL) != 0)
			return 0;
	}
	if (kind != VALUE_OTHER)
		value_add(facts, kind, plain, bytes, value->alone);
	return 0;
}

static int indicator_read(const struct stix_object *object, struct facts *facts, struct err *err)
{
	const struct json_tape *tape = &object->tape;
	uint32_t bytes, type_bytes;
	const char *pattern = json_member_text(tape, JSON_ROOT, "pattern", &bytes),
		   *type = json_member_text(tape, JSON_ROOT, "pattern_type", &type_bytes);
	facts->object.is_indicator = true;
	int result = time_read(tape, "valid_from", &facts->object.from_ns, err);
	if (result == 0)
		result = time_read(tape, "valid_until", &facts->object.until_ns, err);
	if (result != 0)
		return result;
	if (facts->object.until_ns && facts->object.until_ns <= facts->object.from_ns)
		return err_set(err, 1, "/valid_until: it is not later than valid_from (STIX 2.1 section 4.7)");
	facts->pattern_unread = !pattern || !type || strcmp(type, "stix") != 0 ||
				stix_pattern_read(pattern, bytes, pattern_value, facts, NULL) != 0;
	if (facts->pattern_unread)
		facts->object.value_count = 0;
	return 0;
}

static void hashes_read(const struct json_tape *tape, struct facts *facts)
{
	uint32_t hashes = json_member(tape, JSON_ROOT, "hashes");
	if (!hashes || json_kind(tape, hashes) != '{')
		return;
	for (uint32_t at = hashes + 1, end = json_after(tape, hashes) - 1; at < end; at = json_after(tape, at + 1)) {
		uint32_t name_bytes, bytes;
		const char *name = json_text(tape, at, &name_bytes);
		enum value_kind kind = hash_kind(name, name_bytes);
		if (kind == VALUE_OTHER || json_kind(tape, at + 1) != '"')
			continue;
		const char *text = json_text(tape, at + 1, &bytes);
		value_add(facts, kind, text, bytes, false);
	}
}

/* What is not for detection belongs together with other things all the same. */
static void misp_value_read(const struct json_tape *tape, struct facts *facts)
{
	uint32_t misp = json_member(tape, JSON_ROOT, "x_misp"), bytes;
	const char *value = misp ? json_member_text(tape, misp, "value", &bytes) : NULL;
	char normal[VALUE_BYTES_MAX + 1];
	size_t normal_bytes;
	enum value_kind kind;
	if (value && bytes <= VALUE_BYTES_MAX && value_guess(value, bytes, &kind, normal, &normal_bytes, NULL) == 0)
		value_add(facts, kind, normal, normal_bytes, false);
}

static int sighting_read(const struct stix_object *object, struct facts *facts, struct err *err)
{
	const struct json_tape *tape = &object->tape;
	uint32_t bytes, count = json_member(tape, JSON_ROOT, "count");
	const char *of = json_member_text(tape, JSON_ROOT, "sighting_of_ref", &bytes);
	facts->object.seen_ns = object->version_us * NS_PER_US;
	int result = time_read(tape, "first_seen", &facts->object.seen_ns, err);
	if (result == 0)
		result = time_read(tape, "last_seen", &facts->object.seen_ns, err);
	facts->object.seen_count = count ? (uint32_t)json_number(tape, count) : 1;
	facts->object.sighted_type = of;
	facts->object.sighted_type_bytes = bytes - 38;
	facts->object.is_sighting = indicators_uuid_parse(of + bytes - 36, 36, facts->object.sighted_uuid);
	return result;
}

int facts_read(const struct stix_object *object, enum tlp unmarked, struct facts *ret_facts, struct err *err)
{
	const struct json_tape *tape = &object->tape;
	uint32_t confidence = json_member(tape, JSON_ROOT, "confidence"),
		 revoked = json_member(tape, JSON_ROOT, "revoked"), bytes;
	struct facts *facts = ret_facts;
	facts->used = 0;
	facts->pattern_unread = false;
	facts->object = (struct indicators_object){.type = object->type,
						   .type_bytes = object->type_bytes,
						   .version_us = object->version_us,
						   .version_digits = object->version_digits,
						   .tlp = tlp_read(tape, unmarked),
						   .revoked = revoked && json_kind(tape, revoked) == 't',
						   .text = object->text,
						   .bytes = object->text_bytes,
						   .values = facts->values,
						   .confidence = confidence ? (uint8_t)json_number(tape, confidence)
									    : FACTS_CONFIDENCE_UNSAID};
	if (!indicators_uuid_parse((const char *)object->uuid_text, 36, facts->object.uuid))
		return err_set(err, 1, "/id: it does not end with a UUID");
	if (same(object->type, object->type_bytes, "indicator"))
		return indicator_read(object, facts, err);
	if (same(object->type, object->type_bytes, "sighting"))
		return sighting_read(object, facts, err);
	enum value_kind kind = type_kind(object->type, object->type_bytes);
	const char *value = kind == VALUE_OTHER ? NULL : json_member_text(tape, JSON_ROOT, "value", &bytes);
	if (value)
		value_add(facts, kind, value, bytes, false);
	if (same(object->type, object->type_bytes, "file"))
		hashes_read(tape, facts);
	if (same(object->type, object->type_bytes, "x-misp-attribute"))
		misp_value_read(tape, facts);
	return 0;
}
