/* STIX back to MISP. See misp.h. */
#include "share/misp.h"

#include <stdio.h>
#include <string.h>

struct building {
	json_t *(*find)(void *context, const char *id);
	void *context;
	json_t *attributes, *objects;
	unsigned depth;
};

bool misp_is_event(const json_t *report)
{
	return json_is_object(json_object_get(report, "x_misp")) &&
	       json_is_array(json_object_get(report, "object_refs"));
}

static bool type_is(const json_t *object, const char *type)
{
	const char *text = json_string_value(json_object_get(object, "type"));
	return text && strcmp(text, type) == 0;
}

static json_t *attributes_find(struct building *building, const json_t *refs)
{
	json_t *attributes = json_array(), *ref;
	size_t i;
	json_array_foreach(refs, i, ref)
	{
		json_t *found =
			json_string_value(ref) ? building->find(building->context, json_string_value(ref)) : NULL;
		if (json_is_object(json_object_get(found, "x_misp")))
			json_array_append(attributes, json_object_get(found, "x_misp"));
		json_decref(found);
	}
	return attributes;
}

static void refs_build(struct building *building, const json_t *refs);

static void ref_build(struct building *building, const char *id)
{
	json_t *found = building->find(building->context, id), *misp = json_object_get(found, "x_misp");
	if (type_is(found, "x-misp-object") && misp) {
		json_t *object = json_copy(misp);
		json_object_set_new(object, "Attribute",
				    attributes_find(building, json_object_get(found, "x_misp_attribute_refs")));
		json_array_append_new(building->objects, object);
	} else if ((type_is(found, "indicator") || type_is(found, "x-misp-attribute")) && misp) {
		json_array_append(building->attributes, misp);
	} else if (json_object_get(found, "x_misp_part_of") && building->depth++ < 1000) {
		refs_build(building, json_object_get(found, "object_refs"));
	}
	json_decref(found);
}

static void refs_build(struct building *building, const json_t *refs)
{
	size_t i;
	json_t *ref;
	json_array_foreach(refs, i, ref) if (json_string_value(ref)) ref_build(building, json_string_value(ref));
}

json_t *misp_event_from_stix(const json_t *report, json_t *(*find)(void *context, const char *id), void *context)
{
	if (!misp_is_event(report))
		return NULL;
	struct building building = {find, context, json_array(), json_array(), 0};
	json_t *event = json_copy(json_object_get(report, "x_misp"));
	const char *id = json_string_value(json_object_get(report, "id")), *hyphens = id ? strstr(id, "--") : NULL;
	refs_build(&building, json_object_get(report, "object_refs"));
	if (!json_object_get(event, "uuid") && hyphens)
		json_object_set_new(event, "uuid", json_string(hyphens + 2));
	json_object_set_new(event, "Attribute", building.attributes);
	json_object_set_new(event, "Object", building.objects);
	return json_pack("{s:o}", "Event", event);
}

json_t *misp_attribute_make(const char *uuid, const char *kind, const char *value, const char *comment,
			    const char *timestamp)
{
	static const struct {
		const char *kind, *type, *category;
	} types[] = {
		{"ipv4", "ip-dst", "Network activity"},     {"ipv6", "ip-dst", "Network activity"},
		{"domain", "domain", "Network activity"},   {"url", "url", "Network activity"},
		{"email", "email-src", "Payload delivery"}, {"md5", "md5", "Payload delivery"},
		{"sha1", "sha1", "Payload delivery"},       {"sha256", "sha256", "Payload delivery"},
		{"sha512", "sha512", "Payload delivery"},   {"asn", "AS", "Network activity"},
	};
	size_t i = 0;
	while (i < sizeof types / sizeof *types && strcmp(types[i].kind, kind) != 0)
		i++;
	if (i == sizeof types / sizeof *types)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "uuid", uuid, "type", types[i].type, "category",
			 types[i].category, "value", value, "to_ids", 1, "comment", comment, "timestamp", timestamp);
}
