/* See make.h. */
#include "share/make.h"

#include "core/clock.h"
#include "share/facts.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a pattern compares, by kind (STIX 2.1 section 9; hashes section 10.5). */
static const char *const paths[INDICATOR_KINDS] = {
	[KIND_IPV4] = "ipv4-addr:value",         [KIND_IPV6] = "ipv6-addr:value",
	[KIND_DOMAIN] = "domain-name:value",     [KIND_URL] = "url:value",
	[KIND_EMAIL] = "email-addr:value",       [KIND_MD5] = "file:hashes.MD5",
	[KIND_SHA1] = "file:hashes.'SHA-1'",     [KIND_SHA256] = "file:hashes.'SHA-256'",
	[KIND_SHA512] = "file:hashes.'SHA-512'", [KIND_ASN] = "autonomous-system:number",
	[KIND_OTHER] = "x-value:value",
};

static void pattern_write(const struct made_indicator *made, char *out, size_t bytes)
{
	size_t used = (size_t)snprintf(out, bytes, "[%s = ", paths[made->kind]);
	bool text = made->kind != KIND_ASN;
	if (text)
		out[used++] = '\'';
	for (const char *at = made->value; *at && used + 5 < bytes; at++) {
		if (*at == '\'' || *at == '\\')
			out[used++] = '\\';
		out[used++] = *at;
	}
	snprintf(out + used, bytes - used, text ? "']" : "]");
}

/* A UUID of the form of version 4 that the same maker and value give again: what is imported twice is one object. */
static void uuid_make(const struct made_indicator *made, uint8_t uuid[16])
{
	crypto_generichash_state state;
	const uint8_t kind = (uint8_t)made->kind;
	crypto_generichash_init(&state, NULL, 0, 16);
	crypto_generichash_update(&state, (const uint8_t *)made->maker, strlen(made->maker) + 1);
	crypto_generichash_update(&state, &kind, 1);
	crypto_generichash_update(&state, (const uint8_t *)made->value, strlen(made->value));
	crypto_generichash_final(&state, uuid, 16);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* With three digits of the second at least, as STIX wants it of created and modified. */
static void time_write(int64_t us, char text[TIME_TEXT_BYTES])
{
	time_format(us / 1000 * 1000 * NS_PER_US, text);
	char *dot = strchr(text, '.');
	if (!dot)
		strcpy(text + strlen(text) - 1, ".000Z");
	else
		while (strlen(dot) < 5)
			memmove(text + strlen(text), "Z", 2), text[strlen(text) - 2] = '0';
}

static json_t *indicator_json(const struct made_indicator *made, const char *id)
{
	char pattern[2 * INDICATORS_VALUE_BYTES_MAX + 64], created[TIME_TEXT_BYTES], from[TIME_TEXT_BYTES],
		until[TIME_TEXT_BYTES];
	pattern_write(made, pattern, sizeof pattern);
	time_write(made->now_ns / NS_PER_US, created);
	time_format(made->from_ns, from);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:s, s:s, s:s, s:s, s:i, s:[s]}", "type",
				 "indicator", "spec_version", "2.1", "id", id, "created", created, "modified", created,
				 "name", made->name ? made->name : made->value, "indicator_types",
				 made->indicator_type ? made->indicator_type : "malicious-activity", "pattern", pattern,
				 "pattern_type", "stix", "pattern_version", "2.1", "valid_from", from, "confidence",
				 (int)made->confidence, "object_marking_refs", tlp_marking_id(made->tlp));
	if (json && made->until_ns)
		json_object_set_new(json, "valid_until", json_string(time_format(made->until_ns, until)));
	if (json && made->description && made->description[0])
		json_object_set_new(json, "description", json_string(made->description));
	if (json && made->labels && made->labels[0]) {
		json_t *labels = json_array();
		for (size_t i = 0; made->labels[i]; i++)
			json_array_append_new(labels, json_string(made->labels[i]));
		json_object_set_new(json, "labels", labels);
	}
	return json;
}

int indicator_make(const struct made_indicator *made, struct made_object *ret_object, struct err *err)
{
	char id[64] = "indicator--";
	struct indicators_object object = {.type = "indicator",
					   .type_bytes = 9,
					   .version_us = made->now_ns / NS_PER_MS * 1000,
					   .version_digits = 3,
					   .tlp = made->tlp,
					   .is_indicator = true,
					   .value_count = 1,
					   .confidence = (uint8_t)made->confidence,
					   .from_ns = made->from_ns,
					   .until_ns = made->until_ns};
	uuid_make(made, object.uuid);
	indicators_uuid_format(object.uuid, id + 11);
	json_t *json = indicator_json(made, id);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return err_set(err, -EINVAL, "'%.80s' cannot be written as JSON: is it UTF-8?", made->value);
	object.text = text;
	object.bytes = strlen(text);
	ret_object->object = object;
	ret_object->text = text;
	ret_object->value = (struct indicator_value){made->kind, made->value, strlen(made->value), true};
	ret_object->object.values = &ret_object->value;
	return 0;
}
