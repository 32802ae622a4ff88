/* One object: where it came from, who saw it, and on whose shelves it stands. See indicators.h. */
#include "store/indicators_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void column_copy(sqlite3_stmt *statement, int column, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s", (const char *)sqlite3_column_text(statement, column));
}

static int source_read(struct indicators *store, struct indicators_connection *reader, struct indicators_origin *origin,
		       struct err *err)
{
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_ORIGIN, "i", origin->seq);
	int code = statement ? statement_step(store, reader, statement, err) : -EIO;
	if (code != 1)
		return code < 0 ? code : 1;
	origin->held = sqlite3_column_int(statement, 0) != 0;
	column_copy(statement, 1, origin->kind, sizeof origin->kind);
	column_copy(statement, 2, origin->name, sizeof origin->name);
	column_copy(statement, 3, origin->by, sizeof origin->by);
	sqlite3_reset(statement);
	return 0;
}

static int versions_read(struct indicators *store, struct indicators_connection *reader, int64_t type,
			 const uint8_t uuid[16], struct indicators_origin *origin, struct err *err)
{
	sqlite3_stmt *statement =
		statement_bind(store, reader, err, STATEMENT_VERSIONS, "iib", object_key(type, uuid), type, uuid);
	int code = statement ? statement_step(store, reader, statement, err) : -EIO;
	if (code != 1)
		return code < 0 ? code : 1;
	origin->versions = sqlite3_column_int64(statement, 0);
	origin->first_ns = sqlite3_column_int64(statement, 1) * NS_PER_US;
	origin->time_ns = origin->seq * NS_PER_US; /* a seq is the instant at which it was put */
	sqlite3_reset(statement);
	return 0;
}

static int origin_read(struct indicators *store, struct indicators_connection *reader, const char *id,
		       struct indicators_origin *origin, struct err *err)
{
	const char *hyphens = strstr(id, "--");
	uint8_t uuid[16];
	int64_t type = 0;
	int code = 1;
	if (hyphens && indicators_uuid_parse(hyphens + 2, strlen(hyphens + 2), uuid))
		code = statement_number(store, reader, &type, err, STATEMENT_TYPE_FIND, "t", id,
					(size_t)(hyphens - id));
	if (code == 0)
		code = statement_number(store, reader, &origin->seq, err, STATEMENT_LATEST_FIND, "iib",
					object_key(type, uuid), type, uuid);
	if (code == 0)
		code = source_read(store, reader, origin, err);
	return code == 0 ? versions_read(store, reader, type, uuid, origin, err) : code;
}

int indicators_origin(struct indicators *store, const char *id, struct indicators_origin *ret_origin, struct err *err)
{
	struct indicators_origin origin = {0};
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	int code = origin_read(store, reader, id, &origin, err);
	reader_give(store, reader);
	if (code == 0)
		*ret_origin = origin;
	return code == 1 ? err_set(err, -ENOENT, "there is no indicator %.80s", id) : code;
}

int indicators_known(struct indicators *store, const struct indicators_object *object, bool *ret_known, struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	int64_t type, version_us = 0;
	if (!reader)
		return -EIO;
	int code =
		statement_number(store, reader, &type, err, STATEMENT_TYPE_FIND, "t", object->type, object->type_bytes);
	if (code == 0)
		code = statement_number(store, reader, &version_us, err, STATEMENT_LATEST_VERSION, "iib",
					object_key(type, object->uuid), type, object->uuid);
	reader_give(store, reader);
	if (code < 0)
		return code;
	*ret_known = code == 0 && version_us >= object->version_us;
	return 0;
}

int indicators_shelves(struct indicators *store, int64_t seq,
		       int (*each)(void *context, int64_t collection, int64_t added_us), void *context, struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_SHELVES, "i", seq);
	int more = statement ? 1 : -EIO, code = 0;
	while (code == 0 && more == 1 && (more = statement_step(store, reader, statement, err)) == 1)
		code = each(context, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1));
	if (statement)
		sqlite3_reset(statement);
	reader_give(store, reader);
	return code ? code : more < 0 ? more : 0;
}

int indicators_sightings(struct indicators *store, const char *id, enum tlp most, bool unheld, unsigned limit,
			 int (*each)(void *context, const struct indicators_sighting *sighting), void *context,
			 struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_SIGHTINGS, "siii", id, (int64_t)most,
						 (int64_t)unheld, (int64_t)limit);
	int more = statement ? 1 : -EIO, code = 0;
	while (code == 0 && more == 1 && (more = statement_step(store, reader, statement, err)) == 1) {
		const struct indicators_sighting sighting = {
			.seen_ns = sqlite3_column_int64(statement, 0),
			.added_ns = sqlite3_column_int64(statement, 1) * NS_PER_US,
			.count = sqlite3_column_int64(statement, 2),
			.source_kind = (const char *)sqlite3_column_text(statement, 3),
			.source_name = (const char *)sqlite3_column_text(statement, 4),
			.source_by = (const char *)sqlite3_column_text(statement, 5),
		};
		code = each(context, &sighting);
	}
	if (statement)
		sqlite3_reset(statement);
	reader_give(store, reader);
	return code ? code : more < 0 ? more : 0;
}
