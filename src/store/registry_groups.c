/* Reading groups: one, all, and what decisions rest on. See groups.h. */
#include "store/groups_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_COLUMNS                                                                                                  \
	"g.id, g.key, g.name, g.name_en, g.purpose, g.confidential, g.collection, g.change, g.changed, g.changed_by"
#define GROUP_NAMED(what)                                                                                              \
	"(SELECT json_group_array(x) FROM (SELECT " what " AS x FROM sharing_named n JOIN member m ON "                \
	"m.id = n.member WHERE n.grp = g.id ORDER BY m.key))"
#define GROUP_HELD(what)                                                                                               \
	"(SELECT json_group_array(x) FROM (SELECT " what " AS x FROM sharing_held h JOIN sharing_group p ON "          \
	"p.id = h.part WHERE h.grp = g.id ORDER BY p.key))"
#define GROUP_SQL                                                                                                      \
	"SELECT " GROUP_COLUMNS ", " GROUP_NAMED("m.key") ", " GROUP_NAMED("m.id") ", " GROUP_NAMED(                   \
		"m.document ->> '$.name'") ", " GROUP_HELD("p.key") ", " GROUP_HELD("p.id") " FROM sharing_group g "

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return text ? (const char *)text : "";
}

static json_t *list_of(sqlite3_stmt *statement, int column)
{
	return json_loads(text_of(statement, column), 0, NULL);
}

static json_t *group_row(sqlite3_stmt *statement)
{
	char changed[TIME_TEXT_BYTES];
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
			 (json_int_t)sqlite3_column_int64(statement, 0), "key", text_of(statement, 1), "name",
			 text_of(statement, 2), "name_en", text_of(statement, 3), "purpose", text_of(statement, 4),
			 "confidential", sqlite3_column_int(statement, 5), "collection",
			 (json_int_t)sqlite3_column_int64(statement, 6), "change",
			 (json_int_t)sqlite3_column_int64(statement, 7), "changed",
			 time_format(sqlite3_column_int64(statement, 8), changed), "changed_by", text_of(statement, 9),
			 "members", list_of(statement, 10), "member_ids", list_of(statement, 11), "member_names",
			 list_of(statement, 12), "groups", list_of(statement, 13), "group_ids", list_of(statement, 14));
}

int registry_group(struct registry *registry, const char *key, json_t **ret_group, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, GROUP_SQL "WHERE g.key = ?", "s", key);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	json_t *group = code == 1 ? group_row(statement) : NULL;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		return err_set(err, -ENOENT, "there is no group '%.64s'", key);
	if (code == 1 && !group)
		return err_set(err, -ENOMEM, "no memory for a group");
	if (code == 1)
		*ret_group = group;
	return code < 0 ? code : 0;
}

int registry_groups(struct registry *registry, json_t **ret_array, struct err *err)
{
	json_t *array = json_array();
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, GROUP_SQL "ORDER BY g.key", "");
	int more = statement && array ? 0 : -EIO;
	while (more >= 0 && (more = registry_step(registry, statement, err)) == 1)
		json_array_append_new(array, group_row(statement));
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (more < 0)
		json_decref(array);
	else
		*ret_array = array;
	return more;
}

/* Numbers of the last changes, and how many validities have begun or ended: as registry_members_version(). */
static int version_at(struct registry *registry, int64_t now_ns, uint64_t *ret_version, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT (coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'member_change'), 0) + "
		"coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'sharing_change'), 0)) << 20 | "
		"((SELECT count(*) FROM member WHERE valid_from <= ?1) + (SELECT count(*) FROM member WHERE "
		"valid_until "
		"<= ?1))",
		"i", now_ns);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_version = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

int registry_groups_version(struct registry *registry, int64_t now_ns, uint64_t *ret_version, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = version_at(registry, now_ns, ret_version, err);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

/* Rows of four numbers at most, each put into an item by `take`. */
static int rows_read(struct registry *registry, int64_t now_ns, const char *sql, size_t bytes, void **ret_items,
		     size_t *ret_count, void (*take)(void *item, sqlite3_stmt *row), struct err *err)
{
	size_t count = 0, room = 64;
	char *items = malloc(room * bytes);
	sqlite3_stmt *statement = items ? registry_prepare(registry, err, sql, "i", now_ns) : NULL;
	int more = statement ? 0 : -EIO;
	while (more >= 0 && (more = registry_step(registry, statement, err)) == 1) {
		char *grown = count == room ? realloc(items, (room *= 2) * bytes) : items;
		if (!grown) {
			more = err_set(err, -ENOMEM, "no memory for the groups");
			break;
		}
		items = grown;
		take(items + count++ * bytes, statement);
	}
	sqlite3_finalize(statement);
	*ret_items = items;
	*ret_count = count;
	return more;
}

static void member_take(void *item, sqlite3_stmt *row)
{
	*(struct groups_member *)item = (struct groups_member){.id = (uint32_t)sqlite3_column_int64(row, 0),
							       .parent = (uint32_t)sqlite3_column_int64(row, 1),
							       .clearance = (uint8_t)sqlite3_column_int(row, 2)};
}

static void group_take(void *item, sqlite3_stmt *row)
{
	*(struct groups_group *)item = (struct groups_group){.id = (uint32_t)sqlite3_column_int64(row, 0),
							     .confidential = sqlite3_column_int(row, 1),
							     .collection = sqlite3_column_int64(row, 2)};
}

static void tie_take(void *item, sqlite3_stmt *row)
{
	*(struct groups_tie *)item =
		(struct groups_tie){(uint32_t)sqlite3_column_int64(row, 0), (uint32_t)sqlite3_column_int64(row, 1)};
}

static int world_read(struct registry *registry, int64_t now_ns, struct groups_world *world, struct err *err)
{
	int code = version_at(registry, now_ns, &world->version, err);
	if (code == 0)
		code = rows_read(
			registry, now_ns,
			"SELECT m.id, p.id, CASE m.document ->> '$.clearance' WHEN 'green' THEN 1 WHEN 'amber' "
			"THEN 2 WHEN 'amber+strict' THEN 3 WHEN 'red' THEN 4 ELSE 0 END FROM member m LEFT JOIN "
			"member p ON p.key = m.parent WHERE " MEMBER_VALID " ORDER BY m.id",
			sizeof *world->members, (void **)&world->members, &world->member_count, member_take, err);
	if (code == 0)
		code = rows_read(registry, now_ns,
				 "SELECT id, confidential, collection FROM sharing_group WHERE ?1 ORDER BY id",
				 sizeof *world->groups, (void **)&world->groups, &world->group_count, group_take, err);
	if (code == 0)
		code = rows_read(registry, now_ns,
				 "SELECT grp, member FROM sharing_named WHERE ?1 ORDER BY grp, member",
				 sizeof *world->named, (void **)&world->named, &world->named_count, tie_take, err);
	if (code == 0)
		code = rows_read(registry, now_ns, "SELECT grp, part FROM sharing_held WHERE ?1 ORDER BY grp, part",
				 sizeof *world->held, (void **)&world->held, &world->held_count, tie_take, err);
	return code;
}

int registry_groups_world(struct registry *registry, int64_t now_ns, struct groups_world *ret_world, struct err *err)
{
	*ret_world = (struct groups_world){.version = 0};
	pthread_mutex_lock(&registry->lock);
	int code = world_read(registry, now_ns, ret_world, err);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0)
		groups_world_done(ret_world);
	return code;
}

void groups_world_done(struct groups_world *world)
{
	free(world->members);
	free(world->groups);
	free(world->named);
	free(world->held);
	*world = (struct groups_world){.version = 0};
}

int registry_member_brief(struct registry *registry, uint32_t id, json_t **ret_brief, struct err *err)
{
	static const char sql[] =
		"WITH RECURSIVE line(id, key, name, kind, parent, reports_to, far) AS (SELECT id, key, document ->> "
		"'$.name', kind, parent, reports_to, 0 FROM member WHERE id = ?1 UNION SELECT m.id, m.key, m.document "
		"->> '$.name', m.kind, m.parent, m.reports_to, l.far + 1 FROM line l JOIN member m ON m.key IN "
		"(l.parent, l.reports_to) WHERE l.far < 16) SELECT id, key, name, kind, coalesce((SELECT key FROM line "
		"WHERE kind = 'sector' ORDER BY far LIMIT 1), kind), coalesce((SELECT name FROM line WHERE kind = "
		"'sector' "
		"ORDER BY far LIMIT 1), kind) FROM line WHERE far = 0";
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, sql, "i", (int64_t)id);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	json_t *brief = code == 1 ? json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "id", (json_int_t)id, "key",
					      text_of(statement, 1), "name", text_of(statement, 2), "kind",
					      text_of(statement, 3), "sector", text_of(statement, 4), "sector_name",
					      text_of(statement, 5))
				  : NULL;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		return err_set(err, -ENOENT, "there is no member %u", id);
	if (code == 1 && !brief)
		return err_set(err, -ENOMEM, "no memory for a member");
	if (code == 1)
		*ret_brief = brief;
	return code < 0 ? code : 0;
}
