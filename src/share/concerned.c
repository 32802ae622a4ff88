/* Members for notices, kept by number in one JSON object until the registry says that some member changed. */
#include "share/concerned.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 20000 };

struct concerned {
	struct registry *members;
	json_t *kept; /* documents by number; null where there is no such member */
	uint64_t version;
};

struct concerned *concerned_new(struct registry *members)
{
	struct concerned *concerned = calloc(1, sizeof *concerned);
	if (concerned)
		*concerned = (struct concerned){.members = members, .kept = json_object()};
	return concerned;
}

void concerned_free(struct concerned *concerned)
{
	if (!concerned)
		return;
	json_decref(concerned->kept);
	free(concerned);
}

int concerned_refresh(struct concerned *concerned, struct err *err)
{
	uint64_t version;
	int result = registry_members_version(concerned->members, &version, err);
	if (result < 0)
		return result;
	if (version != concerned->version || json_object_size(concerned->kept) > KEPT_MAX)
		json_object_clear(concerned->kept);
	concerned->version = version;
	return 0;
}

static int document_find(struct concerned *concerned, uint32_t id, const json_t **ret_document, struct err *err)
{
	char number[16];
	snprintf(number, sizeof number, "%u", id);
	json_t *document = json_object_get(concerned->kept, number);
	if (!document) {
		int result = registry_member(concerned->members, id, &document, err);
		if (result < 0 && result != -ENOENT)
			return result;
		if (result == -ENOENT)
			document = json_null();
		if (json_object_set_new(concerned->kept, number, document) < 0)
			return err_set(err, -ENOMEM, "no memory for members");
	}
	*ret_document = document;
	return json_is_object(document) ? 0 : 1;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text && text[0] ? text : NULL;
}

/* The number behind a field that names another member; 0: none. */
static int other_find(struct concerned *concerned, const json_t *document, const char *field, uint32_t *ret_id,
		      struct err *err)
{
	const char *key = text_of(document, field);
	*ret_id = 0;
	int result = key ? registry_member_find(concerned->members, key, ret_id, err) : 0;
	return result == -ENOENT ? 0 : result;
}

int concerned_find(struct concerned *concerned, uint32_t id, struct concerned_member *ret_member, struct err *err)
{
	struct concerned_member member = {.id = id};
	int result = document_find(concerned, id, &member.document, err);
	if (result != 0)
		return result;
	result = other_find(concerned, member.document, "reports_to", &member.reports_to, err);
	const json_t *at = member.document;
	for (unsigned i = 0; i < CONCERNED_ABOVE_MAX && result == 0; i++) {
		uint32_t parent;
		member.above[i] = text_of(at, "parent");
		result = member.above[i] ? other_find(concerned, at, "parent", &parent, err) : 1;
		if (result == 0 && parent == 0)
			result = 1;
		if (result == 0 && i == 0 && !member.reports_to)
			member.reports_to = parent;
		if (result == 0)
			result = document_find(concerned, parent, &at, err);
	}
	if (result < 0)
		return result;
	*ret_member = member;
	return 0;
}

const char *concerned_key(const struct concerned_member *member)
{
	const char *key = text_of(member->document, "key");
	return key ? key : "";
}

const char *concerned_name(const struct concerned_member *member, enum language language)
{
	const char *name = language == LANGUAGE_EN ? text_of(member->document, "name_en") : NULL;
	if (!name)
		name = text_of(member->document, "name");
	return name ? name : concerned_key(member);
}

/* How many contacts of the role (NULL: any) were given; negative: what `each` answered. */
static int role_contacts(const struct concerned_member *member, const char *role, const char *field,
			 int (*each)(void *context, const char *address, const json_t *contact), void *context,
			 int *ret_count)
{
	size_t i;
	json_t *contact;
	*ret_count = 0;
	json_array_foreach(json_object_get(member->document, "contacts"), i, contact)
	{
		const char *has = text_of(contact, "role"), *address = text_of(contact, field);
		if (!address || (role && (!has || strcmp(has, role) != 0)))
			continue;
		int result = each(context, address, contact);
		if (result != 0)
			return result;
		++*ret_count;
	}
	return 0;
}

int concerned_contacts(const struct concerned_member *member, const struct notice_rule *rule,
		       enum notice_channel channel,
		       int (*each)(void *context, const char *address, const json_t *contact), void *context)
{
	static const char *const usual[] = {"security", "abuse", "technical", "administrative", "other", "legal"};
	const char *const *roles = rule->roles.count ? rule->roles.items : usual;
	size_t role_count = rule->roles.count ? rule->roles.count : sizeof usual / sizeof *usual;
	if (channel == CHANNEL_CSV)
		return each(context, concerned_key(member), NULL);
	for (size_t i = 0; i < role_count; i++) {
		int count, result;
		const char *role = strcmp(roles[i], "all") == 0 ? NULL : roles[i];
		result = role_contacts(member, role, notice_channel_names[channel], each, context, &count);
		if (result != 0 || count > 0)
			return result;
	}
	return 0;
}
