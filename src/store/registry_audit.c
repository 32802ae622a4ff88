/* The chain of the audit log. See audit.h. */
#include "store/audit.h"

#include "core/clock.h"
#include "store/registry_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, time, actor, peer, action, subject, member, detail, hash"

/* What is hashed of an entry: its words as one JSON array, behind the hash of the one before. */
static int entry_hash(const uint8_t before[SECRET_HASH_BYTES], int64_t id, const struct audit_entry *entry,
		      const char *detail, uint8_t ret_hash[SECRET_HASH_BYTES])
{
	json_t *words = json_pack("[I, I, s, s, s, s, I, s]", (json_int_t)id, (json_int_t)entry->time_ns, entry->actor,
				  entry->peer, entry->action, entry->subject, (json_int_t)entry->member, detail);
	char *text = words ? json_dumps(words, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(words);
	if (!text)
		return -EINVAL;
	crypto_generichash_state state;
	crypto_generichash_init(&state, NULL, 0, SECRET_HASH_BYTES);
	crypto_generichash_update(&state, before, SECRET_HASH_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)text, strlen(text));
	crypto_generichash_final(&state, ret_hash, SECRET_HASH_BYTES);
	free(text);
	return 0;
}

/* The last entry's number and hash; 0 and zeros where there is none. */
static int head_find(struct registry *registry, int64_t *ret_id, uint8_t ret_hash[SECRET_HASH_BYTES], struct err *err)
{
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", "");
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	*ret_id = 0;
	memset(ret_hash, 0, SECRET_HASH_BYTES);
	if (code == 1 && sqlite3_column_bytes(statement, 1) == SECRET_HASH_BYTES) {
		*ret_id = sqlite3_column_int64(statement, 0);
		memcpy(ret_hash, sqlite3_column_blob(statement, 1), SECRET_HASH_BYTES);
	}
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

int registry_audit(struct registry *registry, const struct audit_entry *entry, struct err *err)
{
	uint8_t before[SECRET_HASH_BYTES], hash[SECRET_HASH_BYTES];
	int64_t last = 0;
	char *detail = entry->detail ? json_dumps(entry->detail, JSON_COMPACT | JSON_SORT_KEYS) : strdup("{}");
	if (!detail)
		return err_set(err, -ENOMEM, "no memory for the audit log");
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "BEGIN IMMEDIATE", "");
	if (code == 0) {
		code = head_find(registry, &last, before, err);
		if (code == 0 && entry_hash(before, last + 1, entry, detail, hash) < 0)
			code = err_set(err, -EINVAL, "%s: words that are no UTF-8 cannot be written down",
				       entry->action);
		if (code == 0)
			code = registry_run(registry, err, "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
					    "iissssisb", last + 1, entry->time_ns, entry->actor, entry->peer,
					    entry->action, entry->subject, entry->member, detail, hash);
		int ended = registry_run(registry, code < 0 ? NULL : err, code < 0 ? "ROLLBACK" : "COMMIT", "");
		code = code < 0 ? code : ended;
	}
	pthread_mutex_unlock(&registry->lock);
	free(detail);
	return code;
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return text ? (const char *)text : "";
}

static struct audit_entry entry_of(sqlite3_stmt *statement)
{
	return (struct audit_entry){
		.time_ns = sqlite3_column_int64(statement, 1),
		.actor = text_of(statement, 2),
		.peer = text_of(statement, 3),
		.action = text_of(statement, 4),
		.subject = text_of(statement, 5),
		.member = sqlite3_column_int64(statement, 6),
	};
}

static void hash_text(const uint8_t hash[SECRET_HASH_BYTES], char text[AUDIT_HASH_TEXT_BYTES])
{
	sodium_bin2hex(text, AUDIT_HASH_TEXT_BYTES, hash, SECRET_HASH_BYTES);
}

static json_t *row_json(sqlite3_stmt *statement)
{
	struct audit_entry entry = entry_of(statement);
	char time[TIME_TEXT_BYTES], hash[AUDIT_HASH_TEXT_BYTES] = "";
	json_t *detail = json_loads(text_of(statement, 7), 0, NULL);
	if (sqlite3_column_bytes(statement, 8) == SECRET_HASH_BYTES)
		hash_text(sqlite3_column_blob(statement, 8), hash);
	json_t *json =
		json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "id",
			  (json_int_t)sqlite3_column_int64(statement, 0), "time", time_format(entry.time_ns, time),
			  "actor", entry.actor, "peer", entry.peer, "action", entry.action, "subject", entry.subject,
			  "member", entry.member ? json_integer((json_int_t)entry.member) : json_null(), "detail",
			  detail ? detail : json_object(), "hash", hash);
	if (json && sqlite3_column_count(statement) > 9)
		json_object_set_new(json, "undone", json_boolean(sqlite3_column_int(statement, 9)));
	return json;
}

/* The rows of a statement, which is done with it, under the lock. */
static int entries_read(struct registry *registry, sqlite3_stmt *statement, json_t **ret_array, struct err *err)
{
	json_t *array = json_array();
	int more = statement && array ? 0 : -EIO;
	while (more >= 0 && (more = registry_step(registry, statement, err)) == 1)
		json_array_append_new(array, row_json(statement));
	sqlite3_finalize(statement);
	if (more < 0)
		json_decref(array);
	else
		*ret_array = array;
	return more;
}

/* A bound that is always there lets SQLite begin where the page begins. */
static int64_t end_of(int64_t before)
{
	return before ? before : INT64_MAX;
}

static int entries_list(struct registry *registry, const char *sql, int64_t before, unsigned limit, int64_t member,
			json_t **ret_array, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, sql, "iii", end_of(before), member, (int64_t)limit);
	int code = entries_read(registry, statement, ret_array, err);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

const char *const audit_sort_names[] = {"all", "changes", "looks", "refused", "system", NULL};

#define LISTED "id < ?1 AND (?2 = 0 OR member = ?2) ORDER BY id DESC LIMIT ?3"
#define MATCHES(column, words) "(" words " IS NULL OR lower(" column ") GLOB lower(" words "))"
/* A change is written down before it is made: whether it was refused says the next entry of the same words. Between the
 * two stands only what others did at the same time. */
#define UNDONE                                                                                                         \
	"coalesce((SELECT next.detail GLOB '{\"refused\":*' FROM audit AS next WHERE next.id > audit.id AND next.id "  \
	"<= "                                                                                                          \
	"audit.id + 16 AND next.actor = audit.actor AND next.action = audit.action AND next.subject = audit.subject "  \
	"ORDER BY next.id LIMIT 1), 0)"
/* The numbers of enum audit_sort. */
#define SORT                                                                                                           \
	"CASE WHEN detail GLOB '{\"refused\":*' OR " UNDONE " THEN 3 WHEN action GLOB 'GET /*' THEN 2 "                \
	"WHEN action GLOB '* /*' THEN 1 ELSE 4 END"

int registry_audit_list(struct registry *registry, const struct audit_question *question, json_t **ret_array,
			struct err *err)
{
	static const char sql[] =
		"SELECT " COLUMNS ", " UNDONE " FROM audit WHERE (?4 = 0 OR time >= ?4) AND (?5 = 0 OR time < ?5) "
		"AND " MATCHES("actor", "?6") " AND " MATCHES("action", "?7") " AND " MATCHES(
			"subject", "?8") " AND (?9 = 0 OR ?9 = " SORT ") AND " LISTED;
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		registry_prepare(registry, err, sql, "iiiiisssi", end_of(question->before), question->member,
				 (int64_t)question->limit, question->from_ns, question->to_ns, question->actor,
				 question->action, question->subject, (int64_t)question->sort);
	int code = entries_read(registry, statement, ret_array, err);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_audit_disclosures(struct registry *registry, int64_t before, unsigned limit, int64_t member,
			       json_t **ret_array, struct err *err)
{
	return entries_list(registry, "SELECT " COLUMNS " FROM audit WHERE action = '" AUDIT_DISCLOSED "' AND " LISTED,
			    before, limit, member, ret_array, err);
}

/* What was asked of the API has its method and path as action. Two parts, so that each has an index. */
int registry_audit_looks(struct registry *registry, int64_t before, unsigned limit, int64_t member, json_t **ret_array,
			 struct err *err)
{
	return entries_list(registry,
			    "SELECT " COLUMNS " FROM audit WHERE member = ?2 AND member != 0 AND action GLOB '* /*' "
			    "AND id < ?1 UNION ALL SELECT " COLUMNS " FROM audit WHERE action = '" AUDIT_EXPORTED
			    "' AND id < ?1 "
			    "ORDER BY id DESC LIMIT ?3",
			    before, limit, member, ret_array, err);
}

/* One entry of the walk: its number and its hash must follow from the one before. */
static bool row_follows(sqlite3_stmt *statement, uint8_t hash[SECRET_HASH_BYTES], struct audit_state *state)
{
	int64_t id = sqlite3_column_int64(statement, 0);
	struct audit_entry entry = entry_of(statement);
	if (id != state->entries + 1) {
		snprintf(state->reason, sizeof state->reason, "entry %lld was expected, %lld follows",
			 (long long)state->entries + 1, (long long)id);
		state->broken = state->entries + 1;
		return false;
	}
	if (entry_hash(hash, id, &entry, text_of(statement, 7), hash) < 0 ||
	    sqlite3_column_bytes(statement, 8) != SECRET_HASH_BYTES ||
	    memcmp(hash, sqlite3_column_blob(statement, 8), SECRET_HASH_BYTES) != 0) {
		snprintf(state->reason, sizeof state->reason, "its words or those of the one before were changed");
		state->broken = id;
		return false;
	}
	state->entries = id;
	return true;
}

int registry_audit_verify(struct registry *registry, struct audit_state *ret_state, struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES] = {0};
	*ret_state = (struct audit_state){.entries = 0};
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, "SELECT " COLUMNS " FROM audit ORDER BY id", "");
	int more = statement ? 1 : -EIO;
	while (more == 1 && (more = registry_step(registry, statement, err)) == 1)
		if (!row_follows(statement, hash, ret_state))
			break;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	hash_text(hash, ret_state->head);
	return more < 0 ? more : ret_state->broken != 0;
}

int registry_audit_find(struct registry *registry, const char *text, int64_t *ret_id, struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	size_t length = 0;
	const char *end = NULL;
	*ret_id = 0;
	if (sodium_hex2bin(hash, sizeof hash, text, strlen(text), NULL, &length, &end) < 0 || length != sizeof hash ||
	    *end)
		return err_set(err, -EINVAL, "'%.80s': 64 hexadecimal digits were expected", text);
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, "SELECT id FROM audit WHERE hash = ?", "b", hash);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_id = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : 0;
}

json_t *audit_state_json(const struct audit_state *state, const char *noted, int64_t found)
{
	json_t *json = json_pack("{s:I, s:s, s:b}", "entries", (json_int_t)state->entries, "head", state->head, "sound",
				 state->broken == 0 && (!noted || found > 0));
	if (json && state->broken)
		json_object_update_new(
			json, json_pack("{s:I, s:s}", "broken", (json_int_t)state->broken, "reason", state->reason));
	if (json && noted)
		json_object_set_new(json, "noted", found ? json_integer((json_int_t)found) : json_null());
	return json;
}
