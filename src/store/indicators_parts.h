/* What the files of the indicators share: connections with their statements, and few words of SQLite. */
#pragma once

#include "store/indicators.h"

#include <pthread.h>
#include <sqlite3.h>

enum { INDICATORS_READERS = 4, INDICATORS_VERSIONS_MAX = 1000, TYPES_REMEMBERED = 64 };

#define COLLECTION_COLUMNS "id, uuid, name, title, description, clearance, automatic, writable, readers, sealed"

/* Statements that are prepared once a connection, at their first use. */
#define INDICATOR_STATEMENTS(X)                                                                                        \
	X(SOURCE_ADD, "INSERT INTO source (kind, name, by, time) VALUES (?, ?, ?, ?)")                                 \
	X(TYPE_FIND, "SELECT id FROM type WHERE name = ?")                                                             \
	X(TYPE_ADD, "INSERT INTO type (name) VALUES (?)")                                                              \
	X(SEQ_LAST, "SELECT max((SELECT coalesce(max(seq), 0) FROM object), (SELECT last FROM instant))")              \
	X(SEQ_KEEP, "UPDATE instant SET last = ?, generation = generation + 1")                                        \
	X(GENERATION, "SELECT generation FROM instant")                                                                \
	X(KEY_FIND, "SELECT o.seq, o.version, o.latest, o.held FROM object_key k JOIN object o ON o.seq = k.seq "      \
		    "WHERE k.key = ? AND "                                                                             \
		    "o.type = ? AND o.uuid = ?")                                                                       \
	X(LATEST_FIND, "SELECT o.seq FROM object_key k JOIN object o ON o.seq = k.seq WHERE k.key = ? AND o.type = ? " \
		       "AND o.uuid = ? AND o.latest")                                                                  \
	X(OBJECT_TEXT, "SELECT json, tlp FROM object WHERE seq = ?")                                                   \
	X(OBJECT_ADD, "INSERT INTO object (seq, type, uuid, version, digits, tlp, source, latest, json, held) VALUES " \
		      "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                                                \
	X(OBJECT_OLD, "UPDATE object SET latest = 0 WHERE seq = ?")                                                    \
	X(KEY_ADD, "INSERT INTO object_key (key, seq) VALUES (?, ?)")                                                  \
	X(VALUE_KNOWN, "SELECT seq FROM value WHERE hash = ? LIMIT 1")                                                 \
	X(VALUE_ADD, "INSERT OR IGNORE INTO value (hash, seq) VALUES (?, ?)")                                          \
	X(INDICATOR_ADD, "INSERT INTO indicator (seq, kind, value, more, confidence, begin, until, fixed, seen, "      \
			 "sightings, state, warning) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)")                     \
	X(VALUES_MORE, "SELECT kind, value FROM indicator_value WHERE seq = ? ORDER BY n")                             \
	X(VALUE_MORE, "INSERT INTO indicator_value (seq, n, kind, value) VALUES (?, ?, ?, ?)")                         \
	X(INDICATOR_STATE, "UPDATE indicator SET state = ? WHERE seq = ?")                                             \
	X(INDICATOR_INHERIT, "UPDATE indicator SET sightings = o.sightings, seen = max(indicator.seen, o.seen) FROM "  \
			     "indicator o WHERE indicator.seq = ? AND o.seq = ?")                                      \
	X(INDICATOR_SEEN, "UPDATE indicator SET sightings = sightings + ?, seen = max(seen, ?), until = CASE WHEN "    \
			  "fixed THEN until ELSE max(until, ?) END WHERE seq = ?")                                     \
	X(INDICATOR_KIND, "SELECT kind FROM indicator WHERE seq = ?")                                                  \
	X(SHELF_ADD,                                                                                                   \
	  "INSERT INTO shelf (collection, added, seq, type, uuid, version, digits, place) VALUES (?, ?, ?, "           \
	  "?, ?, ?, ?, ?)")                                                                                            \
	X(SHELF_SEQ_ADD, "INSERT INTO shelf_seq (seq, collection, added) VALUES (?, ?, ?)")                            \
	X(SHELF_SEQ_FIND, "SELECT added FROM shelf_seq WHERE seq = ? AND collection = ?")                              \
	X(SHELF_PLACE, "UPDATE shelf SET place = place | ? WHERE collection = ? AND added = ?")                        \
	X(COLLECTIONS_AUTOMATIC, "SELECT id, clearance FROM collection WHERE automatic")                               \
	X(COLLECTION_PUT,                                                                                              \
	  "INSERT INTO collection (uuid, name, title, description, clearance, automatic, writable, readers, sealed) "  \
	  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET title = excluded.title, "               \
	  "description = excluded.description, clearance = excluded.clearance, automatic = "                           \
	  "excluded.automatic, writable = excluded.writable, readers = excluded.readers RETURNING id, uuid")           \
	X(COLLECTION_FIND, "SELECT " COLLECTION_COLUMNS " FROM collection WHERE uuid = ?1 OR name = ?1")               \
	X(COLLECTIONS, "SELECT " COLLECTION_COLUMNS " FROM collection ORDER BY name")                                  \
	X(COLLECTION_FILL, "SELECT seq, type, uuid, version, digits, tlp FROM object o WHERE tlp <= ? AND latest AND " \
			   "NOT held AND NOT EXISTS "                                                                  \
			   "(SELECT 1 FROM shelf_seq q WHERE q.seq = o.seq AND q.collection = ?) ORDER BY seq")        \
	X(EXPIRE, "UPDATE indicator SET state = ? WHERE state = ? AND until <= ?")                                     \
	X(COLLECTION_CLEARANCE, "SELECT CASE WHEN sealed THEN -1 ELSE clearance END FROM collection WHERE id = ?")     \
	X(COLLECTION_SEALED, "SELECT sealed FROM collection WHERE name = ?")                                           \
	X(SHELF_PLACE_CLEAR, "UPDATE shelf SET place = place & ~?1 WHERE collection = ?2 AND added = ?3")              \
	X(RELEASE_FIND, "SELECT seq, type, uuid, version, digits, tlp FROM object WHERE seq = ?")                      \
	X(SIGHTING_ADD, "INSERT OR REPLACE INTO sighting (of, seq, seen, count) VALUES (?, ?, ?, ?)")                  \
	X(SIGHTING_OLD, "DELETE FROM sighting WHERE of = ? AND seq = ?")                                               \
	X(SIGHTINGS, "SELECT s.seen, s.seq, s.count, coalesce(r.kind, ''), coalesce(r.name, ''), coalesce(r.by, '') "  \
		     "FROM sighting s JOIN object o ON o.seq = s.seq LEFT JOIN source r ON r.id = o.source WHERE "     \
		     "s.of = ? AND o.tlp <= ? AND NOT (? AND o.held) ORDER BY s.seen DESC LIMIT ?")                    \
	X(LATEST_VERSION, "SELECT o.version FROM object_key k JOIN object o ON o.seq = k.seq WHERE k.key = ? AND "     \
			  "o.type = ? AND o.uuid = ? AND o.latest")                                                    \
	X(ORIGIN, "SELECT o.held, coalesce(r.kind, ''), coalesce(r.name, ''), coalesce(r.by, '') FROM object o LEFT "  \
		  "JOIN source r ON r.id = o.source WHERE o.seq = ?")                                                  \
	X(VERSIONS,                                                                                                    \
	  "SELECT count(*), min(o.seq) FROM object_key k JOIN object o ON o.seq = k.seq WHERE k.key = ? AND "          \
	  "o.type = ? AND o.uuid = ?")                                                                                 \
	X(SHELVES, "SELECT q.collection, q.added FROM shelf_seq q JOIN shelf s ON s.collection = q.collection AND "    \
		   "s.added = q.added WHERE q.seq = ? AND NOT s.place & 4 ORDER BY q.added")                           \
	X(SHELF_COUNT,                                                                                                 \
	  "SELECT count(*), max(s.added) FROM shelf s JOIN object o ON o.seq = s.seq WHERE s.collection = ? AND "      \
	  "s.added > ? AND NOT s.place & 4 AND o.tlp < ?")

enum indicator_statement {
#define X(name, sql) STATEMENT_##name,
	INDICATOR_STATEMENTS(X)
#undef X
		STATEMENTS
};

/* `place` of an object on a shelf, bits. */
enum { PLACE_NOT_LAST = 1, PLACE_NOT_FIRST = 2, PLACE_WITHDRAWN = 4 };

struct indicators_connection {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENTS];
	bool taken;
};

struct automatic_collection {
	int64_t id;
	enum tlp clearance;
};

struct remembered_type {
	char name[64];
	size_t bytes;
	int64_t id;
};

/* The versions of one object that are there. */
struct known_version {
	int64_t seq, version_us;
	bool latest, held;
};
struct known_versions {
	struct known_version items[INDICATORS_VERSIONS_MAX];
	size_t count;
};

struct indicators {
	char path[4096];
	pthread_mutex_t write; /* held from begin to commit */
	bool writing;
	struct indicators_connection writer;
	int64_t last_us; /* instant given last; valid while writing */
	uint64_t correlated;
	struct automatic_collection automatic[INDICATORS_COLLECTIONS_MAX];
	size_t automatic_count;
	struct remembered_type types[TYPES_REMEMBERED]; /* by a hash of the name */
	struct known_versions known;

	pthread_mutex_t readers_lock;
	pthread_cond_t reader_back;
	struct indicators_connection readers[INDICATORS_READERS];
};

struct indicators_connection *reader_take(struct indicators *store, struct err *err); /* NULL: err says why */
void reader_give(struct indicators *store, struct indicators_connection *reader);

int indicators_failed(const struct indicators *store, const struct indicators_connection *connection, struct err *err);
/* A prepared statement with values bound by `types`: i int64_t, s text (NULL is NULL), t text and size_t, b blob of 16.
 * Texts are borrowed until the statement is run again. NULL on failure. */
sqlite3_stmt *statement_bind(const struct indicators *store, struct indicators_connection *connection, struct err *err,
			     enum indicator_statement which, const char *types, ...);
/* Run to its end. 0 or negative. */
int statement_run(const struct indicators *store, struct indicators_connection *connection, struct err *err,
		  enum indicator_statement which, const char *types, ...) must_check;
/* The first column of the first row. 0, 1 (no row), or negative. */
int statement_number(const struct indicators *store, struct indicators_connection *connection, int64_t *ret_number,
		     struct err *err, enum indicator_statement which, const char *types, ...) must_check;
int statement_step(const struct indicators *store, struct indicators_connection *connection, sqlite3_stmt *statement,
		   struct err *err) must_check; /* 1 a row, 0 none, negative */

int64_t object_key(int64_t type, const uint8_t uuid[16]);
int64_t value_hash(enum indicator_kind kind, const char *text, size_t bytes);
int64_t instant_next(struct indicators *store, int64_t now_ns);

/* What stands on a shelf, however it came there. */
struct shelf_item {
	int64_t seq, type, version_us;
	const uint8_t *uuid;
	unsigned digits;
	enum tlp tlp;
	bool held; /* only a release puts it anywhere */
};
/* Put it there, behind all that is; the places of its other versions on that shelf are set right. 0 also when it stands
 * there already. -EACCES: its TLP is stricter than the collection's clearance. */
int shelf_put(struct indicators *store, int64_t collection, const struct shelf_item *item,
	      const struct known_versions *others, int64_t now_ns, struct err *err) must_check;
