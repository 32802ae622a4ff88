/* What people release: onto the shelf of a collection, and away from there. See indicators.h. */
#include "store/indicators_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The number of the current version. -ENOENT. */
static int latest_find(const struct indicators *store, struct indicators_connection *connection, const char *id,
		       int64_t *ret_seq, struct err *err)
{
	const char *hyphens = strstr(id, "--");
	uint8_t uuid[16];
	int64_t type;
	int code = 1;
	if (hyphens && indicators_uuid_parse(hyphens + 2, strlen(hyphens + 2), uuid))
		code = statement_number(store, connection, &type, err, STATEMENT_TYPE_FIND, "t", id,
					(size_t)(hyphens - id));
	if (code == 0)
		code = statement_number(store, connection, ret_seq, err, STATEMENT_LATEST_FIND, "iib",
					object_key(type, uuid), type, uuid);
	return code == 1 ? err_set(err, -ENOENT, "there is no object %.80s", id) : code;
}

static int item_read(struct indicators *store, int64_t seq, uint8_t uuid[16], struct shelf_item *item, struct err *err)
{
	sqlite3_stmt *statement = statement_bind(store, &store->writer, err, STATEMENT_RELEASE_FIND, "i", seq);
	int code = statement ? statement_step(store, &store->writer, statement, err) : -EIO;
	if (code != 1)
		return code < 0 ? code : -EIO;
	memcpy(uuid, sqlite3_column_blob(statement, 2), 16);
	*item = (struct shelf_item){.seq = seq,
				    .type = sqlite3_column_int64(statement, 1),
				    .uuid = uuid,
				    .version_us = sqlite3_column_int64(statement, 3),
				    .digits = (unsigned)sqlite3_column_int(statement, 4),
				    .tlp = (enum tlp)sqlite3_column_int(statement, 5)};
	sqlite3_reset(statement);
	return 0;
}

static int versions_read(struct indicators *store, const struct shelf_item *item, struct err *err)
{
	struct known_versions *versions = &store->known;
	sqlite3_stmt *statement = statement_bind(store, &store->writer, err, STATEMENT_KEY_FIND, "iib",
						 object_key(item->type, item->uuid), item->type, item->uuid);
	int more = statement ? 0 : -EIO;
	versions->count = 0;
	while (more >= 0 && (more = statement_step(store, &store->writer, statement, err)) == 1)
		if (versions->count < INDICATORS_VERSIONS_MAX)
			versions->items[versions->count++] = (struct known_version){
				sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
				sqlite3_column_int(statement, 2), sqlite3_column_int(statement, 3)};
	return more;
}

static int place_set(struct indicators *store, int64_t seq, int64_t collection, enum indicator_statement how,
		     struct err *err)
{
	int64_t added;
	int code =
		statement_number(store, &store->writer, &added, err, STATEMENT_SHELF_SEQ_FIND, "ii", seq, collection);
	return code ? code
		    : statement_run(store, &store->writer, err, how, "iii", (int64_t)PLACE_WITHDRAWN, collection,
				    added);
}

static int release_write(struct indicators *store, const char *id, int64_t collection, int64_t now_ns, struct err *err)
{
	struct shelf_item item;
	uint8_t uuid[16];
	int64_t seq;
	int code = latest_find(store, &store->writer, id, &seq, err);
	if (code == 0)
		code = item_read(store, seq, uuid, &item, err);
	if (code == 0)
		code = versions_read(store, &item, err);
	if (code == 0)
		code = shelf_put(store, collection, &item, &store->known, now_ns, err);
	if (code == 0)
		code = place_set(store, seq, collection, STATEMENT_SHELF_PLACE_CLEAR, err);
	return code;
}

static int withdraw_write(struct indicators *store, const char *id, int64_t collection, struct err *err)
{
	struct shelf_item item;
	uint8_t uuid[16];
	int64_t seq;
	int code = latest_find(store, &store->writer, id, &seq, err), taken = 0;
	if (code == 0)
		code = item_read(store, seq, uuid, &item, err);
	if (code == 0)
		code = versions_read(store, &item, err);
	for (size_t i = 0; code >= 0 && i < store->known.count; i++) {
		code = place_set(store, store->known.items[i].seq, collection, STATEMENT_SHELF_PLACE, err);
		taken += code == 0;
	}
	return code < 0 ? code : taken ? 0 : err_set(err, -ENOENT, "%.80s does not stand in this collection", id);
}

static int ended(struct indicators *store, int code, struct err *err)
{
	if (code == 0)
		return indicators_commit(store, err);
	indicators_rollback(store);
	return code < 0 ? code : -EIO;
}

int indicators_release(struct indicators *store, const char *id, int64_t collection, int64_t now_ns, struct err *err)
{
	int code = indicators_begin(store, err);
	return code < 0 ? code : ended(store, release_write(store, id, collection, now_ns, err), err);
}

int indicators_withdraw(struct indicators *store, const char *id, int64_t collection, struct err *err)
{
	int code = indicators_begin(store, err);
	return code < 0 ? code : ended(store, withdraw_write(store, id, collection, err), err);
}

int indicators_shelf_span(struct indicators *store, int64_t collection, int64_t after_us, enum tlp withheld,
			  int64_t *ret_count, int64_t *ret_last_us, struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	sqlite3_stmt *statement = statement_bind(store, reader, err, STATEMENT_SHELF_COUNT, "iii", collection, after_us,
						 withheld ? (int64_t)withheld : (int64_t)TLPS);
	int code = statement ? statement_step(store, reader, statement, err) : -EIO;
	if (code == 1) {
		*ret_count = sqlite3_column_int64(statement, 0);
		*ret_last_us = *ret_count ? sqlite3_column_int64(statement, 1) : after_us;
		sqlite3_reset(statement);
	}
	reader_give(store, reader);
	return code < 0 ? code : 0;
}

int indicators_object_text(struct indicators *store, const char *id, char **ret_text, enum tlp *ret_tlp,
			   struct err *err)
{
	struct indicators_connection *reader = reader_take(store, err);
	int64_t seq, tlp = 0;
	char *text = NULL;
	if (!reader)
		return -EIO;
	int code = latest_find(store, reader, id, &seq, err);
	sqlite3_stmt *statement = NULL;
	if (code == 0)
		statement = statement_bind(store, reader, err, STATEMENT_OBJECT_TEXT, "i", seq);
	if (code == 0)
		code = statement ? statement_step(store, reader, statement, err) : -EIO;
	if (code == 1) {
		text = strdup((const char *)sqlite3_column_text(statement, 0));
		tlp = sqlite3_column_int64(statement, 1);
		sqlite3_reset(statement);
		code = text ? 0 : err_set(err, -ENOMEM, "no memory for an object");
	}
	reader_give(store, reader);
	if (code == 0 && text) {
		*ret_text = text;
		*ret_tlp = (enum tlp)tlp;
		return 0;
	}
	return code < 0 ? code : -ENOENT;
}
