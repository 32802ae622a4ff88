/* The table of a member's fields, and what follows from it: the normal form, differences, who may see what. */
#include "store/member_fields.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REMARKS_OF_A_MEMBER_MAX = 100 };

static const struct member_choice kinds[] = {
	{"other", "その他"},
	{"provider", "事業者"},
	{"municipality", "自治体"},
	{"ministry", "府省"},
	{"region", "地域"},
	{"sector", "分野"},
	{NULL},
};
static const struct member_choice clearances[] = {
	/* FIRST's Traffic Light Protocol 2.0 */
	{"clear", "公開可"},        {"green", "コミュニティ内"}, {"amber", "組織と顧客"},
	{"amber+strict", "組織内"}, {"red", "本人のみ"},         {NULL},
};

enum {
	EVERYBODY = MEMBER_SIGHT_OWN | MEMBER_SIGHT_VIEWER | MEMBER_SIGHT_ANALYST,
	STAFF = MEMBER_SIGHT_VIEWER | MEMBER_SIGHT_ANALYST,
};

/* Where a member belongs, and through whom it is told, names another member; notes are the operator's. */
static const struct field {
	const char *name;
	unsigned sight;
	json_t *(*take)(struct member_form *form, const json_t *given);
	const struct member_choice *choices;
	size_t most;
	bool needed;
} fields[] = {
	{"key", EVERYBODY, member_take_key, .needed = true},
	{"name", EVERYBODY, member_take_name, .needed = true},
	{"name_en", EVERYBODY, member_take_name},
	{"kind", EVERYBODY, member_take_choice, .choices = kinds},
	{"prefixes", EVERYBODY, member_take_prefixes, .most = MEMBER_PREFIXES_MAX},
	{"asns", EVERYBODY, member_take_asns, .most = MEMBER_ITEMS_MAX},
	{"domains", EVERYBODY, member_take_domains, .most = MEMBER_ITEMS_MAX},
	{"endpoints", EVERYBODY, member_take_endpoints, .most = MEMBER_ITEMS_MAX},
	{"contacts", MEMBER_SIGHT_OWN | MEMBER_SIGHT_ANALYST, member_take_contacts, .most = MEMBER_CONTACTS_MAX},
	{"clearance", EVERYBODY, member_take_choice, .choices = clearances},
	{"parent", STAFF, member_take_other},
	{"reports_to", STAFF, member_take_other},
	{"valid_from", EVERYBODY, member_take_instant},
	{"valid_until", EVERYBODY, member_take_instant},
	{"notes", MEMBER_SIGHT_ANALYST, member_take_notes},
	{NULL},
};

static const struct field *field_find(const char *name)
{
	for (const struct field *field = fields; field->name; field++)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

/* Sentences quote what people wrote, cut at some byte: what is left of a cut character goes. */
static json_t *string_of(char *text)
{
	json_t *string = json_string(text);
	if (string)
		return string;
	char *to = text;
	for (const char *at = text; *at;) {
		size_t length = 1;
		while ((at[length] & 0xc0) == 0x80)
			length++;
		json_t *whole = json_stringn(at, length);
		if (whole)
			memmove(to, at, length);
		to += whole ? length : 0;
		json_decref(whole);
		at += length;
	}
	*to = '\0';
	return json_string(text);
}

static json_t *filled(const char *message, const char *value)
{
	char text[1024];
	const char *place = strstr(message, "%s");
	if (place)
		snprintf(text, sizeof text, "%.*s%.200s%s", (int)(place - message), message, value, place + 2);
	else
		snprintf(text, sizeof text, "%s", message);
	return string_of(text);
}

void member_remark(json_t *remarks, const char *field, bool fault, const char *value, const char *message,
		   const char *message_ja)
{
	if (json_array_size(remarks) < REMARKS_OF_A_MEMBER_MAX)
		json_array_append_new(remarks,
				      json_pack("{s:s, s:b, s:o, s:o}", "field", field, "fault", (int)fault, "message",
						filled(message, value), "message_ja", filled(message_ja, value)));
}

/* What the registry adds when it shows a member, and what may come back. */
static bool is_registrys(const char *name)
{
	return strcmp(name, "id") == 0 || strcmp(name, "change") == 0 || strcmp(name, "changed") == 0;
}

static int unknown_refused(const json_t *given, json_t *remarks)
{
	const char *name;
	json_t *value;
	int refused = 0;
	json_object_foreach((json_t *)given, name, value)
	{
		if (field_find(name) || is_registrys(name))
			continue;
		refused = 1;
		member_remark(remarks, "", true, name, "a member has no field '%s'", "「%s」という項目はありません");
	}
	return refused;
}

static int64_t instant_of(const json_t *member, const char *name, int64_t fallback)
{
	const char *text = json_string_value(json_object_get(member, name));
	int64_t time_ns = fallback;
	return text && time_parse(text, 0, &time_ns, NULL) == 0 ? time_ns : fallback;
}

void member_span(const json_t *member, int64_t *ret_from_ns, int64_t *ret_until_ns)
{
	*ret_from_ns = instant_of(member, "valid_from", INT64_MIN);
	*ret_until_ns = instant_of(member, "valid_until", INT64_MAX);
}

int member_judge(const json_t *whole, json_t *remarks)
{
	static const char *const others[] = {"parent", "reports_to"};
	const char *key = json_string_value(json_object_get(whole, "key"));
	int64_t from_ns, until_ns;
	int refused = 0;
	member_span(whole, &from_ns, &until_ns);
	if (json_string_length(json_object_get(whole, "name")) == 0) {
		refused = 1;
		member_remark(remarks, "name", true, "", "it is empty", "空です");
	}
	if (from_ns >= until_ns) {
		refused = 1;
		member_remark(remarks, "valid_until", true, "", "it is not after valid_from",
			      "有効期間の始まりより後ではありません");
	}
	for (size_t i = 0; i < 2; i++) {
		const char *other = json_string_value(json_object_get(whole, others[i]));
		if (!other || strcmp(other, key) != 0)
			continue;
		refused = 1;
		member_remark(remarks, others[i], true, key, "'%s' is the member itself", "「%s」はその組織自身です");
	}
	return refused;
}

int member_normal(const json_t *given, json_t *remarks, json_t **ret_fields)
{
	if (!json_is_object(given)) {
		member_remark(remarks, "", true, "", "an object was expected", "オブジェクトを書いてください");
		return 1;
	}
	int code = unknown_refused(given, remarks);
	json_t *taken = json_object();
	for (const struct field *field = fields; taken && field->name; field++) {
		const json_t *value = json_object_get(given, field->name);
		if (!value)
			continue;
		struct member_form form = {.remarks = remarks,
					   .field = field->name,
					   .choices = field->choices,
					   .most = field->most,
					   .needed = field->needed};
		json_t *normal = field->take(&form, value);
		if (form.refused)
			code = 1;
		else if (!normal || json_object_set(taken, field->name, normal) < 0)
			code = -ENOMEM;
		json_decref(normal);
		if (code < 0)
			break;
	}
	if (code != 0 || !taken) {
		json_decref(taken);
		return taken ? code : -ENOMEM;
	}
	*ret_fields = taken;
	return 0;
}

json_t *member_whole(const json_t *given, const json_t *before)
{
	json_t *whole = json_object();
	for (const struct field *field = fields; whole && field->name; field++) {
		json_t *value = json_object_get(given, field->name);
		if (!value)
			value = json_object_get(before, field->name);
		struct member_form form = {.choices = field->choices, .field = field->name};
		bool text = field->take == member_take_name || field->take == member_take_key;
		json_t *set = value ? json_incref(value) : text ? json_string("") : field->take(&form, json_null());
		if (json_object_set_new(whole, field->name, set) < 0) {
			json_decref(whole);
			return NULL;
		}
	}
	return whole;
}

/* Items of one list that the other lacks. */
static json_t *lacking(const json_t *list, const json_t *other)
{
	json_t *lack = json_array(), *seen = json_object(), *item;
	size_t i;
	json_array_foreach(other, i, item)
	{
		char *text = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
		if (text)
			json_object_set_new(seen, text, json_true());
		free(text);
	}
	json_array_foreach(list, i, item)
	{
		char *text = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
		if (text && !json_object_get(seen, text))
			json_array_append(lack, item);
		free(text);
	}
	json_decref(seen);
	return lack;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static json_t *difference(const char *field, json_t *before, json_t *after)
{
	if (json_is_array(before) || json_is_array(after)) {
		json_t *added = lacking(after, before), *removed = lacking(before, after);
		if (json_array_size(added) + json_array_size(removed) > 0)
			return json_pack("{s:s, s:o, s:o}", "field", field, "added", added, "removed", removed);
		json_decref(added);
		json_decref(removed);
	}
	return json_pack("{s:s, s:O, s:O}", "field", field, "before", before ? before : json_null(), "after",
			 after ? after : json_null());
}

json_t *member_differences(const json_t *before, const json_t *after)
{
	json_t *differences = json_array();
	for (const struct field *field = fields; field->name; field++) {
		json_t *one = json_object_get(before, field->name), *other = json_object_get(after, field->name);
		if ((is_empty(one) && is_empty(other)) || (one && other && json_equal(one, other)))
			continue;
		json_array_append_new(differences, difference(field->name, one, other));
	}
	return differences;
}

bool member_field_seen(const char *name, enum member_sight sight)
{
	const struct field *field = field_find(name);
	if (field)
		return (field->sight & sight) != 0;
	return strcmp(name, "change") != 0 || sight == MEMBER_SIGHT_ANALYST;
}

json_t *member_seen(const json_t *member, enum member_sight sight)
{
	json_t *seen = json_object(), *value;
	const char *name;
	json_object_foreach((json_t *)member, name, value)
	{
		if (member_field_seen(name, sight))
			json_object_set(seen, name, value);
	}
	return seen;
}

static json_t *change_seen(const json_t *change, enum member_sight sight)
{
	json_t *before = json_object_get(change, "before"), *after = json_object_get(change, "after"), *seen = NULL;
	json_t *was = json_is_object(before) ? member_seen(before, sight) : NULL;
	json_t *is = json_is_object(after) ? member_seen(after, sight) : NULL;
	json_t *differing = member_differences(was, is);
	if (json_array_size(differing) > 0)
		seen = json_pack("{s:O, s:O, s:O, s:O, s:O}", "number", json_object_get(change, "number"), "time",
				 json_object_get(change, "time"), "action", json_object_get(change, "action"), "key",
				 json_object_get(change, "key"), "fields", differing);
	if (seen && sight != MEMBER_SIGHT_OWN)
		json_object_set(seen, "who", json_object_get(change, "who"));
	json_decref(was);
	json_decref(is);
	json_decref(differing);
	return seen;
}

json_t *member_changes_seen(const json_t *changes, enum member_sight sight)
{
	json_t *seen = json_array(), *change;
	size_t i;
	json_array_foreach(changes, i, change)
	{
		json_t *one = change_seen(change, sight);
		if (one)
			json_array_append_new(seen, one);
	}
	return seen;
}
