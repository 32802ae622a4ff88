/* Indicators by what they say: lists, decay, expiry. See indicators.h. */
#include "store/indicators_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const tlp_names[] = {"clear", "green", "amber", "amber+strict", "red", NULL};
const char *const indicator_kind_names[] = {"ipv4", "ipv6",   "domain", "url", "email", "md5",
					    "sha1", "sha256", "sha512", "asn", "other", NULL};
const char *const indicator_state_names[] = {"active", "expired", "revoked", "false-positive", "replaced", NULL};

/* How long an indicator is worth something without being seen again, and how its worth falls: a speed of 1 falls
 * evenly, below 1 late, above 1 at once (MISP's decaying models, where addresses live a month, names a quarter and
 * hashes a year). */
static const struct {
	uint16_t days;
	double speed;
} decays[INDICATOR_KINDS] = {
	[KIND_IPV4] = {30, 0.6},    [KIND_IPV6] = {30, 0.6}, [KIND_DOMAIN] = {90, 0.5}, [KIND_URL] = {45, 0.6},
	[KIND_EMAIL] = {90, 0.5},   [KIND_MD5] = {365, 0.3}, [KIND_SHA1] = {365, 0.3},  [KIND_SHA256] = {365, 0.3},
	[KIND_SHA512] = {365, 0.3}, [KIND_ASN] = {180, 0.5}, [KIND_OTHER] = {180, 0.5},
};

int64_t indicator_lifetime_ns(enum indicator_kind kind)
{
	return decays[kind].days * NS_PER_DAY;
}

double indicator_decay_speed(enum indicator_kind kind)
{
	return decays[kind].speed;
}

unsigned indicator_score(enum indicator_kind kind, unsigned confidence, int64_t seen_ns, int64_t until_ns,
			 int64_t now_ns)
{
	if (now_ns >= until_ns)
		return 0;
	if (now_ns <= seen_ns || until_ns <= seen_ns)
		return confidence;
	double age = (double)(now_ns - seen_ns) / (double)(until_ns - seen_ns);
	return (unsigned)lround((double)confidence * (1 - pow(age, 1 / decays[kind].speed)));
}

#define LISTED_COLUMNS                                                                                                 \
	"SELECT i.seq, t.name, o.uuid, i.kind, i.value, o.tlp, i.state, i.confidence, i.begin, i.until, i.seen, "      \
	"i.sightings, r.kind, r.name, i.warning, i.more, "
#define LISTED_JOINS                                                                                                   \
	"JOIN object o ON o.seq = i.seq JOIN type t ON t.id = o.type LEFT JOIN source r ON r.id = o.source "

/* A kind is asked for of the first value only where it has no more; the others are looked at one by one. */
#define LISTED_WANTED                                                                                                  \
	"o.tlp <= ?2 AND (?3 < 0 OR i.kind = ?3 OR i.more > 0) AND (?4 < 0 OR i.state = ?4 OR ?4 = 1 AND i.state = "   \
	"0) AND (?7 = 0 OR ?7 >> o.tlp & 1) AND i.confidence >= ?8 AND NOT (?9 AND o.held) AND (?21 IS NULL OR "       \
	"r.kind = ?21) AND (?22 IS NULL OR i.more > 0 OR instr(lower(i.value), ?22)) "

/* The plan is chosen by what is known: a value, a shelf, or none of them. */
static const char *question_sql(const struct indicators_question *question)
{
	if (question->value)
		return LISTED_COLUMNS
			"0 FROM value v JOIN indicator i ON i.seq = v.seq " LISTED_JOINS
			"WHERE v.hash IN (?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) AND "
			"i.seq < ?1 AND (?5 = 0 OR EXISTS (SELECT 1 FROM shelf_seq q WHERE q.seq = i.seq AND "
			"q.collection = ?5)) AND " LISTED_WANTED "ORDER BY i.seq DESC";
#define LISTED_OF_SHELF                                                                                                \
	LISTED_COLUMNS "s.added FROM shelf s JOIN indicator i ON i.seq = s.seq " LISTED_JOINS                          \
		       "WHERE s.collection = ?5 AND s.added > ?6 AND NOT s.place & 5 AND " LISTED_WANTED               \
		       "ORDER BY s.added "
	if (question->collection)
		return question->oldest_first ? LISTED_OF_SHELF "ASC" : LISTED_OF_SHELF "DESC";
	return LISTED_COLUMNS "0 FROM indicator i " LISTED_JOINS "WHERE i.seq < ?1 AND " LISTED_WANTED
			      "ORDER BY i.seq DESC";
}

static int question_bind(struct indicators *store, struct indicators_connection *reader, sqlite3_stmt *statement,
			 const struct indicators_question *question, struct err *err)
{
	sqlite3_bind_int64(statement, 1, question->before_seq ? question->before_seq : INT64_MAX);
	sqlite3_bind_int(statement, 2, (int)question->most);
	sqlite3_bind_int(statement, 3, question->kind);
	int code = sqlite3_bind_int(statement, 4, question->state);
	/* Not every plan has these. */
	(void)sqlite3_bind_int64(statement, 5, question->collection);
	(void)sqlite3_bind_int64(statement, 6, question->after_us);
	(void)sqlite3_bind_int(statement, 7, (int)question->tlps);
	(void)sqlite3_bind_int(statement, 8, (int)question->least_confidence);
	(void)sqlite3_bind_int(statement, 9, question->unheld);
	(void)sqlite3_bind_text(statement, 21, question->source, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 22, question->part, -1, SQLITE_STATIC);
	for (int kind = 0; question->value && kind < INDICATOR_KINDS; kind++)
		code = sqlite3_bind_int64(
			statement, 10 + kind,
			value_hash((enum indicator_kind)kind, question->value, strlen(question->value)));
	return code == SQLITE_OK ? 0 : indicators_failed(store, reader, err);
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

static void listed_read(sqlite3_stmt *statement, int64_t now_ns, struct indicators_listed *listed)
{
	char uuid[37];
	indicators_uuid_format(sqlite3_column_blob(statement, 2), uuid);
	*listed = (struct indicators_listed){
		.seq = sqlite3_column_int64(statement, 0),
		.kind = (enum indicator_kind)sqlite3_column_int(statement, 3),
		.value = column_text(statement, 4),
		.tlp = (enum tlp)sqlite3_column_int(statement, 5),
		.state = (enum indicator_state)sqlite3_column_int(statement, 6),
		.confidence = (unsigned)sqlite3_column_int(statement, 7),
		.from_ns = sqlite3_column_int64(statement, 8),
		.until_ns = sqlite3_column_int64(statement, 9),
		.seen_ns = sqlite3_column_int64(statement, 10),
		.sightings = sqlite3_column_int64(statement, 11),
		.source_kind = column_text(statement, 12),
		.source_name = column_text(statement, 13),
		.warning = column_text(statement, 14),
		.added_us = sqlite3_column_int64(statement, 16),
	};
	if (listed->state == STATE_ACTIVE && now_ns >= listed->until_ns)
		listed->state = STATE_EXPIRED; /* also before somebody marks it so */
	listed->score = listed->state == STATE_ACTIVE ? indicator_score(listed->kind, listed->confidence,
									listed->seen_ns, listed->until_ns, now_ns)
						      : 0;
	snprintf(listed->id, sizeof listed->id, "%.25s--%s", column_text(statement, 1), uuid);
}

static bool wanted(const struct indicators_question *question, const struct indicators_listed *listed)
{
	return (question->kind < 0 || (int)listed->kind == question->kind) &&
	       (question->state < 0 || (int)listed->state == question->state) &&
	       listed->score >= question->least_score && !(question->unwarned && listed->warning) &&
	       (!question->value || strcmp(question->value, listed->value) == 0) &&
	       (!question->part || strcasestr(listed->value, question->part));
}

/* An indicator with several values is listed once for each. */
static int more_values(struct indicators *store, struct indicators_connection *reader,
		       const struct indicators_question *question, struct indicators_listed *listed,
		       int (*each)(void *, const struct indicators_listed *), void *context, struct err *err)
{
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_VALUES_MORE, "i", listed->seq);
	int more = statement ? 1 : -EIO, code = 0;
	while (code == 0 && more == 1 && (more = statement_step(store, reader, statement, err)) == 1) {
		listed->kind = (enum indicator_kind)sqlite3_column_int(statement, 0);
		listed->value = column_text(statement, 1);
		if (wanted(question, listed))
			code = each(context, listed);
	}
	if (statement)
		sqlite3_reset(statement);
	return code ? code : more < 0 ? more : 0;
}

int indicators_list(struct indicators *store, const struct indicators_question *question, int64_t now_ns,
		    int (*each)(void *context, const struct indicators_listed *listed), void *context, struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	sqlite3_stmt *statement = NULL;
	if (!reader)
		return -EIO;
	int code = sqlite3_prepare_v2(reader->database, question_sql(question), -1, &statement, NULL) == SQLITE_OK
			   ? question_bind(store, reader, statement, question, err)
			   : indicators_failed(store, reader, err);
	int more = 0;
	unsigned count = 0;
	while (code == 0 && (question->limit == 0 || count < question->limit) &&
	       (more = statement_step(store, reader, statement, err)) == 1) {
		struct indicators_listed listed;
		listed_read(statement, now_ns, &listed);
		bool good = wanted(question, &listed);
		count += good;
		if (good)
			code = each(context, &listed);
		if (code == 0 && sqlite3_column_int(statement, 15) > 0)
			code = more_values(store, reader, question, &listed, each, context, err);
	}
	sqlite3_finalize(statement);
	reader_give(store, reader);
	return code ? code : more < 0 ? more : 0;
}

int indicators_expire(struct indicators *store, int64_t now_ns, uint64_t *ret_count, struct err *err)
{
	int code = indicators_begin(store, err);
	if (code < 0)
		return code;
	code = statement_run(store, &store->writer, err, STATEMENT_EXPIRE, "iii", (int64_t)STATE_EXPIRED,
			     (int64_t)STATE_ACTIVE, now_ns);
	uint64_t count = (uint64_t)sqlite3_changes64(store->writer.database);
	if (code == 0)
		code = indicators_commit(store, err);
	else
		indicators_rollback(store);
	if (code == 0)
		*ret_count = count;
	return code;
}

static int state_write(struct indicators *store, const char *id, enum indicator_state state, struct err *err)
{
	const char *hyphens = strstr(id, "--");
	uint8_t uuid[16];
	int64_t type, seq;
	int code = 1;
	if (hyphens && indicators_uuid_parse(hyphens + 2, strlen(hyphens + 2), uuid))
		code = statement_number(store, &store->writer, &type, err, STATEMENT_TYPE_FIND, "t", id,
					(size_t)(hyphens - id));
	if (code == 0)
		code = statement_number(store, &store->writer, &seq, err, STATEMENT_LATEST_FIND, "iib",
					object_key(type, uuid), type, uuid);
	if (code == 0)
		code = statement_run(store, &store->writer, err, STATEMENT_INDICATOR_STATE, "ii", (int64_t)state, seq);
	if (code == 0 && sqlite3_changes(store->writer.database) == 0)
		code = 1;
	return code == 1 ? err_set(err, -ENOENT, "there is no indicator %.80s", id) : code;
}

int indicators_state_set(struct indicators *store, const char *id, enum indicator_state state, struct err *err)
{
	int code = indicators_begin(store, err);
	if (code < 0)
		return code;
	code = state_write(store, id, state, err);
	if (code == 0)
		return indicators_commit(store, err);
	indicators_rollback(store);
	return code;
}
