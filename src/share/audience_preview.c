/* Whom a release would reach, and what is unusual about it. See audience.h. */
#include "share/audience.h"

#include "store/groups.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_SHOWN = 500, EARLIER_LOOKED_AT = 500, LARGER_THAN_USUAL = 2 };

struct reach {
	uint32_t *members;
	size_t count;
};

static enum tlp tlp_of(const char *name)
{
	for (int tlp = TLP_CLEAR; tlp < TLPS; tlp++)
		if (strcmp(tlp_names[tlp], name ? name : "") == 0)
			return (enum tlp)tlp;
	return TLP_RED;
}

/* Every member to whom any of the groups carries it. */
static int reach_find(struct audiences *audiences, const json_t *release, struct reach *reach, struct err *err)
{
	const json_t *ids = json_object_get(release, "group_ids");
	struct sharing_object object = {.tlp = tlp_of(json_string_value(json_object_get(release, "tlp"))),
					.group_count = json_array_size(ids)};
	const struct sharing_world *world;
	int code = audiences_take(audiences, &world, err);
	if (code < 0)
		return code;
	uint32_t *groups = calloc(object.group_count + 1, sizeof *groups);
	reach->members = calloc(world->member_count + 1, sizeof *reach->members);
	for (size_t i = 0; groups && i < object.group_count; i++)
		groups[i] = (uint32_t)json_integer_value(json_array_get(ids, i));
	object.groups = groups;
	for (size_t i = 0; groups && reach->members && i < world->member_count; i++) {
		const struct sharing_viewer viewer = {SHARING_MEMBER, world->members[i].id};
		if (sharing_sees(world, &viewer, &object))
			reach->members[reach->count++] = world->members[i].id;
	}
	audiences_give(audiences);
	code = groups && reach->members ? 0 : err_set(err, -ENOMEM, "no memory for an audience");
	free(groups);
	return code;
}

static int members_describe(struct registry *registry, const struct reach *reach, json_t *members, json_t *sectors,
			    struct err *err)
{
	for (size_t i = 0; i < reach->count; i++) {
		json_t *brief = NULL;
		int code = registry_member_brief(registry, reach->members[i], &brief, err);
		if (code == -ENOENT)
			continue;
		if (code < 0)
			return code;
		const char *sector = json_string_value(json_object_get(brief, "sector"));
		json_object_set_new(sectors, sector,
				    json_integer(json_integer_value(json_object_get(sectors, sector)) + 1));
		if (i < MEMBERS_SHOWN)
			json_array_append(members, brief);
		json_decref(brief);
	}
	return 0;
}

static void warn(json_t *warnings, const char *code, const char *detail, const char *message, const char *message_ja)
{
	json_array_append_new(warnings, json_pack("{s:s, s:s, s:s, s:s}", "code", code, "detail", detail, "message",
						  message, "message_ja", message_ja));
}

static int by_size(const void *a, const void *b)
{
	json_int_t one = *(const json_int_t *)a, other = *(const json_int_t *)b;
	return one < other ? -1 : one > other;
}

/* What earlier releases reached: whether this combination was among them, their usual size, their sectors. */
struct earlier {
	json_int_t counts[EARLIER_LOOKED_AT];
	size_t count;
	bool met;
	json_t *sectors;
};

static void earlier_read(struct earlier *earlier, const json_t *releases, const json_t *release)
{
	json_t *other;
	size_t i;
	json_array_foreach(releases, i, other)
	{
		const json_t *audience = json_object_get(other, "audience");
		if (!json_is_object(audience) || earlier->count == EARLIER_LOOKED_AT)
			continue;
		earlier->counts[earlier->count++] = json_integer_value(json_object_get(audience, "count"));
		json_object_update(earlier->sectors, json_object_get(audience, "sectors"));
		earlier->met |=
			json_equal(json_object_get(audience, "groups"), json_object_get(release, "group_ids")) &&
			tlp_of(json_string_value(json_object_get(release, "tlp"))) <=
				tlp_of(json_string_value(json_object_get(audience, "tlp")));
	}
	qsort(earlier->counts, earlier->count, sizeof *earlier->counts, by_size);
}

/* The sectors it goes to that are not the originator's, or, where nobody brought it, were never gone to. */
static void sectors_warn(json_t *warnings, const json_t *sectors, const struct earlier *earlier, const char *own)
{
	const char *sector;
	json_t *count;
	char beyond[512] = "";
	json_object_foreach((json_t *)sectors, sector, count)
	{
		bool usual = own ? strcmp(sector, own) == 0 : json_object_get(earlier->sectors, sector) != NULL;
		if (!usual && strlen(beyond) + strlen(sector) + 3 < sizeof beyond)
			sprintf(beyond + strlen(beyond), "%s%s", beyond[0] ? ", " : "", sector);
	}
	if (beyond[0] && (own || earlier->count > 0))
		warn(warnings, "sector", beyond, "it goes to members outside the usual sector",
		     "通常の分野の外の組織にも届きます");
}

static int warnings_make(struct registry *registry, const json_t *release, size_t count, const json_t *sectors,
			 json_t *warnings, struct err *err)
{
	struct earlier earlier = {.sectors = json_object()};
	json_t *releases = NULL, *brief = NULL;
	char usual[64];
	int code = registry_releases(registry, NULL, 0, EARLIER_LOOKED_AT, &releases, err);
	json_int_t originator = json_integer_value(json_object_get(release, "originator"));
	if (code >= 0 && originator)
		code = registry_member_brief(registry, (uint32_t)originator, &brief, err);
	if (code < 0 && code != -ENOENT) {
		json_decref(releases);
		json_decref(earlier.sectors);
		return code;
	}
	earlier_read(&earlier, releases, release);
	if (!earlier.met)
		warn(warnings, "first", "", "nothing this strict was released to exactly these groups before",
		     "この組み合わせのグループへ、この厳しさの情報を公開するのは初めてです");
	json_int_t middle = earlier.count ? earlier.counts[earlier.count / 2] : 0;
	snprintf(usual, sizeof usual, "%zu > %lld", count, (long long)middle);
	if (earlier.count && (json_int_t)count > LARGER_THAN_USUAL * middle)
		warn(warnings, "larger", usual, "it reaches more members than releases usually do",
		     "通常より多くの組織に届きます");
	if (count == 0)
		warn(warnings, "nobody", "", "it reaches nobody: no member has both the tie and the clearance",
		     "届く組織がありません(参加と取扱区分の両方を満たす組織がない)");
	sectors_warn(warnings, sectors, &earlier, brief ? json_string_value(json_object_get(brief, "sector")) : NULL);
	json_decref(brief);
	json_decref(releases);
	json_decref(earlier.sectors);
	return 0;
}

/* What was looked at: it must be the same when it is decided. */
static json_t *digest_make(const json_t *release, const char *content, const struct reach *reach)
{
	static const char *const fields[] = {"id", "subject", "value", "tlp", "group_ids", "anonymous"};
	crypto_generichash_state state;
	uint8_t hash[16];
	char text[2 * sizeof hash + 1];
	crypto_generichash_init(&state, NULL, 0, sizeof hash);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		char *field = json_dumps(json_object_get(release, fields[i]), JSON_ENCODE_ANY | JSON_COMPACT);
		if (field)
			crypto_generichash_update(&state, (const uint8_t *)field, strlen(field) + 1);
		free(field);
	}
	crypto_generichash_update(&state, (const uint8_t *)content, strlen(content) + 1);
	if (reach->count)
		crypto_generichash_update(&state, (const uint8_t *)reach->members,
					  reach->count * sizeof *reach->members);
	crypto_generichash_final(&state, hash, sizeof hash);
	return json_string(sodium_bin2hex(text, sizeof text, hash, sizeof hash));
}

int audience_preview(struct audiences *audiences, struct registry *registry, const json_t *release, const char *content,
		     json_t **ret_preview, struct err *err)
{
	struct reach reach = {NULL, 0};
	json_t *members = json_array(), *sectors = json_object(), *warnings = json_array();
	int code = reach_find(audiences, release, &reach, err);
	if (code == 0)
		code = members_describe(registry, &reach, members, sectors, err);
	if (code == 0)
		code = warnings_make(registry, release, reach.count, sectors, warnings, err);
	json_t *preview =
		json_pack("{s:I, s:o, s:o, s:o, s:O, s:O, s:o}", "count", (json_int_t)reach.count, "members", members,
			  "sectors", sectors, "warnings", warnings, "groups", json_object_get(release, "group_ids"),
			  "tlp", json_object_get(release, "tlp"), "digest", digest_make(release, content, &reach));
	free(reach.members);
	if (code == 0 && !preview)
		code = err_set(err, -ENOMEM, "no memory for a preview");
	if (code < 0)
		json_decref(preview);
	else
		*ret_preview = preview;
	return code;
}

json_t *audience_kept(const json_t *preview)
{
	return json_pack("{s:O, s:O, s:O, s:O, s:O}", "count", json_object_get(preview, "count"), "sectors",
			 json_object_get(preview, "sectors"), "groups", json_object_get(preview, "groups"), "tlp",
			 json_object_get(preview, "tlp"), "digest", json_object_get(preview, "digest"));
}
