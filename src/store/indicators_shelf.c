/* Collections and what stands on their shelves. See indicators.h. */
#include "store/indicators_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The other versions that stand on the shelf learn that they are not the last, or not the first. */
static int places_set(struct indicators *store, int64_t collection, const struct shelf_item *item,
		      const struct known_versions *others, int *ret_place, struct err *err)
{
	int place = 0, code = 0;
	for (size_t i = 0; i < others->count && code >= 0; i++) {
		const struct known_version *other = &others->items[i];
		int64_t added;
		if (other->seq == item->seq)
			continue;
		code = statement_number(store, &store->writer, &added, err, STATEMENT_SHELF_SEQ_FIND, "ii", other->seq,
					collection);
		if (code != 0)
			continue;
		bool newer = other->version_us > item->version_us;
		place |= newer ? PLACE_NOT_LAST : PLACE_NOT_FIRST;
		code = statement_run(store, &store->writer, err, STATEMENT_SHELF_PLACE, "iii",
				     (int64_t)(newer ? PLACE_NOT_FIRST : PLACE_NOT_LAST), collection, added);
	}
	*ret_place = place;
	return code < 0 ? code : 0;
}

int shelf_put(struct indicators *store, int64_t collection, const struct shelf_item *item,
	      const struct known_versions *others, int64_t now_ns, struct err *err)
{
	int64_t added;
	int place, code = others->count ? statement_number(store, &store->writer, &added, err, STATEMENT_SHELF_SEQ_FIND,
							   "ii", item->seq, collection)
					: 1;
	if (code != 1)
		return code;
	code = places_set(store, collection, item, others, &place, err);
	/* What is new stands on every shelf at its own instant; what came before is given another. */
	added = item->seq == store->last_us ? item->seq : instant_next(store, now_ns);
	if (code == 0)
		code = statement_run(store, &store->writer, err, STATEMENT_SHELF_ADD, "iiiibiii", collection, added,
				     item->seq, item->type, item->uuid, item->version_us, (int64_t)item->digits,
				     (int64_t)place);
	return code == 0 ? statement_run(store, &store->writer, err, STATEMENT_SHELF_SEQ_ADD, "iii", item->seq,
					 collection, added)
			 : code;
}

static int name_check(const char *name, struct err *err)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	if (length > 0 && length < INDICATORS_NAME_BYTES && !name[length])
		return 0;
	return err_set(err, -EINVAL, "collection '%.80s': 1 to 63 of a-z 0-9 . _ - were expected", name);
}

/* What is there already and may be shown goes onto the shelf of a collection that takes by itself. */
static int collection_fill(struct indicators *store, const struct indicators_collection *collection, int64_t now_ns,
			   struct err *err)
{
	static const struct known_versions none = {.count = 0};
	sqlite3_stmt *statement = statement_bind(store, &store->writer, err, STATEMENT_COLLECTION_FILL, "ii",
						 (int64_t)collection->clearance, collection->id);
	int code = 0, more = statement ? 0 : -EIO;
	while (code == 0 && more >= 0 && (more = statement_step(store, &store->writer, statement, err)) == 1) {
		uint8_t uuid[16];
		memcpy(uuid, sqlite3_column_blob(statement, 2), sizeof uuid);
		const struct shelf_item item = {.seq = sqlite3_column_int64(statement, 0),
						.type = sqlite3_column_int64(statement, 1),
						.version_us = sqlite3_column_int64(statement, 3),
						.uuid = uuid,
						.digits = (unsigned)sqlite3_column_int(statement, 4),
						.tlp = (enum tlp)sqlite3_column_int(statement, 5)};
		code = shelf_put(store, collection->id, &item, &none, now_ns, err);
	}
	if (statement)
		sqlite3_reset(statement);
	return code < 0 ? code : more < 0 ? more : 0;
}

static int collection_write(struct indicators *store, struct indicators_collection *collection, int64_t now_ns,
			    struct err *err)
{
	uint8_t uuid[16];
	char text[37];
	randombytes_buf(uuid, sizeof uuid);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	indicators_uuid_format(uuid, text);
	sqlite3_stmt *statement =
		statement_bind(store, &store->writer, err, STATEMENT_COLLECTION_PUT, "ssssiiisi", text,
			       collection->name, collection->title, collection->description,
			       (int64_t)collection->clearance, (int64_t)collection->automatic,
			       (int64_t)collection->writable, collection->readers, (int64_t)collection->sealed);
	int code = statement ? statement_step(store, &store->writer, statement, err) : -EIO;
	if (code != 1)
		return code < 0 ? code : -EIO;
	collection->id = sqlite3_column_int64(statement, 0);
	snprintf(collection->uuid, sizeof collection->uuid, "%s", (const char *)sqlite3_column_text(statement, 1));
	sqlite3_reset(statement);
	return collection->automatic ? collection_fill(store, collection, now_ns, err) : 0;
}

int indicators_collection_put(struct indicators *store, struct indicators_collection *collection, int64_t now_ns,
			      struct err *err)
{
	int code = name_check(collection->name, err);
	if (code == 0)
		code = indicators_begin(store, err);
	if (code < 0)
		return code;
	int64_t sealed = collection->sealed;
	code = statement_number(store, &store->writer, &sealed, err, STATEMENT_COLLECTION_SEALED, "s",
				collection->name);
	if (code >= 0)
		code = sealed == collection->sealed
			       ? collection_write(store, collection, now_ns, err)
			       : err_set(err, -EPERM, "the collection '%s' %s", collection->name,
					 sealed ? "is a group's; its readers are the group's" : "is there already");
	if (code == 0)
		return indicators_commit(store, err);
	indicators_rollback(store);
	return code;
}

static void collection_read(sqlite3_stmt *statement, struct indicators_collection *collection)
{
	*collection = (struct indicators_collection){.id = sqlite3_column_int64(statement, 0),
						     .clearance = (enum tlp)sqlite3_column_int(statement, 5),
						     .automatic = sqlite3_column_int(statement, 6),
						     .writable = sqlite3_column_int(statement, 7),
						     .sealed = sqlite3_column_int(statement, 9)};
	const struct {
		char *to;
		size_t bytes;
		int column;
	} texts[] = {{collection->uuid, sizeof collection->uuid, 1},
		     {collection->name, sizeof collection->name, 2},
		     {collection->title, sizeof collection->title, 3},
		     {collection->description, sizeof collection->description, 4},
		     {collection->readers, sizeof collection->readers, 8}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		snprintf(texts[i].to, texts[i].bytes, "%s",
			 (const char *)sqlite3_column_text(statement, texts[i].column));
}

int indicators_collection_find(struct indicators *store, const char *name, struct indicators_collection *ret_collection,
			       struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_COLLECTION_FIND, "s", name);
	int code = statement ? statement_step(store, reader, statement, err) : -EIO;
	if (code == 1) {
		collection_read(statement, ret_collection);
		sqlite3_reset(statement);
	}
	reader_give(store, reader);
	return code < 0 ? code : !code;
}

int indicators_collections(struct indicators *store,
			   int (*each)(void *context, const struct indicators_collection *collection), void *context,
			   struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_COLLECTIONS, "");
	int more = statement ? 1 : -EIO, code = 0;
	while (code == 0 && more == 1 && (more = statement_step(store, reader, statement, err)) == 1) {
		struct indicators_collection collection;
		collection_read(statement, &collection);
		code = each(context, &collection);
	}
	if (statement)
		sqlite3_reset(statement);
	reader_give(store, reader);
	return code ? code : more < 0 ? more : 0;
}

int indicators_generation(struct indicators *store, int64_t *ret_generation, struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	int code = statement_number(store, reader, ret_generation, err, STATEMENT_GENERATION, "");
	reader_give(store, reader);
	return code == 1 ? -EIO : code;
}
