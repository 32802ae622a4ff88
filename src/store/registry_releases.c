/* The queue of releases: proposed by one, decided by another. See groups.h. */
#include "store/groups_parts.h"

#include "core/clock.h"
#include "store/indicators.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define RELEASE_COLUMNS                                                                                                \
	"r.id, r.state, r.kind, r.subject, r.value, r.value_kind, r.tlp, r.confidence, r.title, r.note, "              \
	"r.originator, r.anonymous, r.proposer, r.proposed, r.releaser, r.decided, r.decision_note, r.object, "        \
	"r.audience, (SELECT json_group_array(key) FROM (SELECT key FROM release_group WHERE release = r.id ORDER BY " \
	"grp)), (SELECT json_group_array(grp) FROM (SELECT grp FROM release_group WHERE release = r.id ORDER BY "      \
	"grp))"

struct adding {
	const struct release_proposal *proposal;
	int64_t id;
};

static int group_add(struct registry *registry, int64_t release, const char *key, struct err *err)
{
	int code = registry_run(
		registry, err, "INSERT OR IGNORE INTO release_group SELECT ?, id, key FROM sharing_group WHERE key = ?",
		"is", release, key);
	if (code == 0 && sqlite3_changes(registry->database) == 0)
		return err_set(err, -ENOENT, "there is no group '%.64s', or it stands there twice", key);
	return code;
}

static int add(struct registry *registry, void *context, struct err *err)
{
	struct adding *adding = context;
	const struct release_proposal *p = adding->proposal;
	uint64_t lot;
	randombytes_buf(&lot, sizeof lot);
	adding->id = (int64_t)(lot >> 11) | 1; /* 53 bits: whole in every reader of JSON */
	int code = registry_run(
		registry, err,
		"INSERT INTO release (id, kind, subject, value, value_kind, tlp, confidence, title, note, "
		"originator, anonymous, proposer, proposed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"issssiissiisi", adding->id, p->kind, p->subject, p->value, p->value_kind, (int64_t)p->tlp,
		(int64_t)p->confidence, p->title, p->note, (int64_t)p->originator, (int64_t)p->anonymous, p->proposer,
		p->now_ns);
	for (size_t i = 0; code == 0 && i < p->group_count; i++)
		code = group_add(registry, adding->id, p->groups[i], err);
	return code;
}

int registry_release_add(struct registry *registry, const struct release_proposal *proposal, int64_t *ret_id,
			 struct err *err)
{
	struct adding adding = {proposal, 0};
	int code = registry_within(registry, add, &adding, err);
	if (code == 0)
		*ret_id = adding.id;
	return code;
}

static json_t *text_json(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	return text ? json_string(text) : json_null();
}

static json_t *time_json(sqlite3_stmt *statement, int column)
{
	char text[TIME_TEXT_BYTES];
	return sqlite3_column_type(statement, column) == SQLITE_NULL
		       ? json_null()
		       : json_string(time_format(sqlite3_column_int64(statement, column), text));
}

static json_t *document_json(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	return json ? json : json_null();
}

static json_t *release_row(sqlite3_stmt *s)
{
	int tlp = sqlite3_column_int(s, 6);
	json_t *head = json_pack(
		"{s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:o}", "id", (json_int_t)sqlite3_column_int64(s, 0),
		"state", text_json(s, 1), "kind", text_json(s, 2), "subject", text_json(s, 3), "value", text_json(s, 4),
		"value_kind", text_json(s, 5), "tlp", tlp_names[tlp >= 0 && tlp < TLPS ? tlp : TLP_RED], "confidence",
		sqlite3_column_int(s, 7), "title", text_json(s, 8), "note", text_json(s, 9));
	json_t *rest =
		json_pack("{s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "originator",
			  (json_int_t)sqlite3_column_int64(s, 10), "anonymous", sqlite3_column_int(s, 11), "proposer",
			  text_json(s, 12), "proposed", time_json(s, 13), "releaser", text_json(s, 14), "decided",
			  time_json(s, 15), "decision_note", text_json(s, 16), "object", text_json(s, 17), "audience",
			  document_json(s, 18), "groups", document_json(s, 19), "group_ids", document_json(s, 20));
	if (head && rest)
		json_object_update(head, rest);
	json_decref(rest);
	return head;
}

int registry_release(struct registry *registry, int64_t id, json_t **ret_release, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT " RELEASE_COLUMNS " FROM release r WHERE r.id = ?", "i", id);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	json_t *release = code == 1 ? release_row(statement) : NULL;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		return err_set(err, -ENOENT, "there is no such release");
	if (code == 1 && !release)
		return err_set(err, -ENOMEM, "no memory for a release");
	if (code == 1)
		*ret_release = release;
	return code < 0 ? code : 0;
}

int registry_releases(struct registry *registry, const char *state, int64_t before, unsigned limit, json_t **ret_array,
		      struct err *err)
{
	json_t *array = json_array();
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT " RELEASE_COLUMNS " FROM release r WHERE (?1 = '' OR r.state = ?1) AND (?2 = 0 OR "
		"r.number < (SELECT number FROM release WHERE id = ?2)) ORDER BY r.number DESC LIMIT ?3",
		"sii", state ? state : "", before, (int64_t)limit);
	int more = statement && array ? 0 : -EIO;
	while (more >= 0 && (more = registry_step(registry, statement, err)) == 1)
		json_array_append_new(array, release_row(statement));
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (more < 0)
		json_decref(array);
	else
		*ret_array = array;
	return more;
}

static int state_find(struct registry *registry, const struct release_decision *decision, bool *ret_waits,
		      bool *ret_own, bool *ret_out, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(registry, err,
						   "SELECT state = 'proposed', proposer = ?, state = 'released' FROM "
						   "release WHERE id = ?",
						   "si", decision->who, decision->id);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1) {
		*ret_waits = sqlite3_column_int(statement, 0);
		*ret_own = sqlite3_column_int(statement, 1);
		*ret_out = sqlite3_column_int(statement, 2);
	}
	sqlite3_finalize(statement);
	return code == 0 ? err_set(err, -ENOENT, "there is no such release") : code < 0 ? code : 0;
}

static int decide(struct registry *registry, void *context, struct err *err)
{
	const struct release_decision *decision = context;
	bool waits = false, own = false, out = false, withdrawn = strcmp(decision->state, "withdrawn") == 0;
	int code = state_find(registry, decision, &waits, &own, &out, err);
	if (code < 0)
		return code;
	if (!waits && !(out && withdrawn))
		return err_set(err, -EPERM, "it was decided already");
	if (own && strcmp(decision->state, "released") == 0)
		return err_set(err, -EPERM, "who proposed it cannot release it: a second person looks at it");
	char *audience = decision->audience ? json_dumps(decision->audience, JSON_COMPACT) : NULL;
	/* Who released it stays known when it is withdrawn; the audit log says who withdrew it. */
	code = registry_run(registry, err,
			    "UPDATE release SET state = ?1, releaser = CASE WHEN state = 'released' THEN releaser ELSE "
			    "?2 END, decided = ?3, decision_note = ?4, audience = "
			    "coalesce(?5, audience) WHERE id = ?6",
			    "ssissi", decision->state, decision->who, decision->now_ns,
			    decision->note ? decision->note : "", audience, decision->id);
	free(audience);
	return code;
}

int registry_release_decide(struct registry *registry, const struct release_decision *decision, struct err *err)
{
	return registry_within(registry, decide, (void *)decision, err);
}

int registry_release_done(struct registry *registry, int64_t id, const char *object, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "UPDATE release SET object = ? WHERE id = ?", "si", object, id);
	pthread_mutex_unlock(&registry->lock);
	return code;
}
