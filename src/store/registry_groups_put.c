/* Making, changing and deleting groups: all of a change or nothing. See groups.h. */
#include "store/groups_parts.h"

#include <errno.h>
#include <string.h>

int registry_within(struct registry *registry, int (*body)(struct registry *registry, void *context, struct err *err),
		    void *context, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "BEGIN IMMEDIATE", "");
	if (code == 0) {
		code = body(registry, context, err);
		int ended = registry_run(registry, code < 0 ? NULL : err, code < 0 ? "ROLLBACK" : "COMMIT", "");
		code = ended < 0 && code >= 0 ? ended : code;
	}
	pthread_mutex_unlock(&registry->lock);
	return code;
}

/* The first number of the first row. 0; 1: there is no row. */
static int number_find(struct registry *registry, const char *sql, const char *text, int64_t *ret_number,
		       struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(registry, err, sql, "s", text);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code < 0 ? code : !code;
}

struct putting {
	const char *key, *who;
	const json_t *group;
	int64_t now_ns, id;
	bool made;
};

static const char *text_field(const json_t *group, const char *name)
{
	const char *text = json_string_value(json_object_get(group, name));
	return text ? text : "";
}

static int fields_check(const struct putting *putting, struct err *err)
{
	static const struct {
		const char *name;
		size_t most;
	} texts[] = {{"name", GROUP_NAME_BYTES_MAX},
		     {"name_en", GROUP_NAME_BYTES_MAX},
		     {"purpose", GROUP_PURPOSE_BYTES_MAX}};
	size_t length = strspn(putting->key, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	if (length == 0 || length > GROUP_KEY_LETTERS_MAX || putting->key[length])
		return err_set(err, -EINVAL, "'%.80s' is not a key: 1 to 50 of a-z 0-9 . _ - were expected",
			       putting->key);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const json_t *value = json_object_get(putting->group, texts[i].name);
		if (value && !json_is_null(value) && !json_is_string(value))
			return err_set(err, -EINVAL, "%s: a text was expected", texts[i].name);
		if (strlen(text_field(putting->group, texts[i].name)) > texts[i].most)
			return err_set(err, -EINVAL, "%s: it is longer than %zu bytes", texts[i].name, texts[i].most);
	}
	if (!text_field(putting->group, "name")[0])
		return err_set(err, -EINVAL, "name: it is missing");
	return 0;
}

static int row_write(struct registry *registry, struct putting *putting, struct err *err)
{
	const json_t *group = putting->group;
	int64_t change = 0, seen = json_integer_value(json_object_get(group, "change")), count = 0;
	int code = number_find(registry, "SELECT id FROM sharing_group WHERE key = ?", putting->key, &putting->id, err);
	if (code < 0)
		return code;
	putting->made = code == 1;
	if (!putting->made) {
		code = number_find(registry, "SELECT change FROM sharing_group WHERE key = ?", putting->key, &change,
				   err);
		if (code == 0 && seen && seen != change)
			return err_set(err, -EINVAL, "'%s' was changed meanwhile; look at it again", putting->key);
	} else {
		code = number_find(registry, "SELECT count(*) FROM sharing_group WHERE ? IS NOT NULL", "", &count, err);
		if (code == 0 && count >= GROUPS_MAX)
			return err_set(err, -EMSGSIZE, "there are %d groups already", GROUPS_MAX);
	}
	if (code >= 0)
		code = registry_run(registry, err, "INSERT INTO sharing_change (key) VALUES (?)", "s", putting->key);
	if (code >= 0)
		code = registry_run(
			registry, err,
			"INSERT INTO sharing_group (key, name, name_en, purpose, confidential, change, changed, "
			"changed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET name = "
			"excluded.name, name_en = excluded.name_en, purpose = excluded.purpose, confidential = "
			"excluded.confidential, change = excluded.change, changed = excluded.changed, changed_by = "
			"excluded.changed_by",
			"ssssiiis", putting->key, text_field(group, "name"), text_field(group, "name_en"),
			text_field(group, "purpose"), (int64_t)json_is_true(json_object_get(group, "confidential")),
			(int64_t)sqlite3_last_insert_rowid(registry->database), putting->now_ns, putting->who);
	return code < 0 ? code
			: number_find(registry, "SELECT id FROM sharing_group WHERE key = ?", putting->key,
				      &putting->id, err);
}

/* The things that `field` names by key, tied to the group. */
static int ties_write(struct registry *registry, const struct putting *putting, const char *field, const char *what,
		      const char *drop, const char *find, const char *add, struct err *err)
{
	const json_t *keys = json_object_get(putting->group, field);
	json_t *key;
	size_t i;
	if (keys && !json_is_array(keys) && !json_is_null(keys))
		return err_set(err, -EINVAL, "%s: a list of keys was expected", field);
	int code = registry_run(registry, err, drop, "i", putting->id);
	json_array_foreach(keys, i, key)
	{
		const char *text = json_string_value(key);
		int64_t id = 0;
		if (code < 0)
			break;
		code = text ? number_find(registry, find, text, &id, err) : 1;
		if (code == 1)
			code = err_set(err, -EINVAL, "%s: there is no %s '%.64s'", field, what, text ? text : "");
		if (code == 0)
			code = registry_run(registry, err, add, "ii", putting->id, id);
	}
	return code;
}

/* Whether the group can be reached from what lies in it. */
static int circle_check(struct registry *registry, const struct putting *putting, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"WITH RECURSIVE below(id) AS (SELECT part FROM sharing_held WHERE grp = ?1 UNION SELECT h.part FROM "
		"below b JOIN sharing_held h ON h.grp = b.id) SELECT 1 FROM below WHERE id = ?1",
		"i", putting->id);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	sqlite3_finalize(statement);
	return code == 1 ? err_set(err, -EINVAL, "groups: '%s' would come to lie in itself", putting->key) : code;
}

static int put(struct registry *registry, void *context, struct err *err)
{
	struct putting *putting = context;
	int code = row_write(registry, putting, err);
	if (code == 0)
		code = ties_write(registry, putting, "members", "member", "DELETE FROM sharing_named WHERE grp = ?",
				  "SELECT id FROM member WHERE key = ?",
				  "INSERT OR IGNORE INTO sharing_named VALUES (?, ?)", err);
	if (code == 0)
		code = ties_write(registry, putting, "groups", "group", "DELETE FROM sharing_held WHERE grp = ?",
				  "SELECT id FROM sharing_group WHERE key = ?",
				  "INSERT INTO sharing_held SELECT ?1, ?2 WHERE ?1 != ?2 ON CONFLICT DO NOTHING", err);
	return code == 0 ? circle_check(registry, putting, err) : code;
}

/* A group in itself is a circle too, which the table would not take. */
static bool holds_itself(const char *key, const json_t *group)
{
	json_t *part;
	size_t i;
	json_array_foreach(json_object_get(group, "groups"), i, part)
	{
		if (json_is_string(part) && strcmp(json_string_value(part), key) == 0)
			return true;
	}
	return false;
}

int registry_group_put(struct registry *registry, const char *key, const json_t *group, const char *who, int64_t now_ns,
		       struct err *err)
{
	struct putting putting = {.key = key, .who = who, .group = group, .now_ns = now_ns};
	int code = fields_check(&putting, err);
	if (code == 0 && holds_itself(key, group))
		code = err_set(err, -EINVAL, "groups: '%s' would come to lie in itself", key);
	if (code == 0)
		code = registry_within(registry, put, &putting, err);
	return code < 0 ? code : putting.made;
}

int registry_group_collection(struct registry *registry, const char *key, int64_t collection, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "UPDATE sharing_group SET collection = ? WHERE key = ?", "is",
				collection, key);
	if (code == 0)
		code = registry_run(registry, err, "INSERT INTO sharing_change (key) VALUES (?)", "s", key);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

static int group_delete(struct registry *registry, void *context, struct err *err)
{
	const char *key = context;
	int64_t id = 0;
	int code = number_find(registry, "SELECT id FROM sharing_group WHERE key = ?", key, &id, err);
	if (code == 1)
		return err_set(err, -ENOENT, "there is no group '%.64s'", key);
	if (code == 0 &&
	    number_find(registry, "SELECT 1 FROM sharing_held h JOIN sharing_group g ON g.id = h.part WHERE g.key = ?",
			key, &id, err) == 0)
		return err_set(err, -EPERM, "another group holds '%s'", key);
	if (code == 0 && number_find(registry,
				     "SELECT 1 FROM release_group rg JOIN release r ON r.id = rg.release JOIN "
				     "sharing_group g ON g.id = rg.grp WHERE r.state = 'proposed' AND g.key = ?",
				     key, &id, err) == 0)
		return err_set(err, -EPERM, "a release to '%s' waits for a decision", key);
	if (code == 0)
		code = registry_run(registry, err, "DELETE FROM sharing_group WHERE key = ?", "s", key);
	return code < 0 ? code : registry_run(registry, err, "INSERT INTO sharing_change (key) VALUES (?)", "s", key);
}

int registry_group_delete(struct registry *registry, const char *key, struct err *err)
{
	char copy[GROUP_KEY_BYTES + 1];
	snprintf(copy, sizeof copy, "%s", key);
	return registry_within(registry, group_delete, copy, err);
}
