/* Putting objects: the writer's transaction. See indicators.h. */
#include "store/indicators_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static int automatic_load(struct indicators *store, struct err *err)
{
	sqlite3_stmt *statement = statement_bind(store, &store->writer, err, STATEMENT_COLLECTIONS_AUTOMATIC, "");
	int more = statement ? 0 : -EIO;
	store->automatic_count = 0;
	while (more >= 0 && (more = statement_step(store, &store->writer, statement, err)) == 1)
		if (store->automatic_count < INDICATORS_COLLECTIONS_MAX)
			store->automatic[store->automatic_count++] = (struct automatic_collection){
				sqlite3_column_int64(statement, 0), (enum tlp)sqlite3_column_int(statement, 1)};
	return more;
}

static int write_begin(struct indicators *store, struct err *err)
{
	if (sqlite3_exec(store->writer.database, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return indicators_failed(store, &store->writer, err);
	store->writing = true;
	store->correlated = 0;
	memset(store->types, 0, sizeof store->types);
	int code = statement_number(store, &store->writer, &store->last_us, err, STATEMENT_SEQ_LAST, "");
	return code == 0 ? automatic_load(store, err) : code;
}

int indicators_begin(struct indicators *store, struct err *err)
{
	pthread_mutex_lock(&store->write);
	int code = write_begin(store, err);
	if (code == 0)
		return 0;
	if (store->writing)
		indicators_rollback(store);
	else
		pthread_mutex_unlock(&store->write);
	return code;
}

int indicators_commit(struct indicators *store, struct err *err)
{
	int code = statement_run(store, &store->writer, err, STATEMENT_SEQ_KEEP, "i", store->last_us);
	if (code == 0 && sqlite3_exec(store->writer.database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		code = indicators_failed(store, &store->writer, err);
	if (code < 0) {
		indicators_rollback(store);
		return code;
	}
	store->writing = false;
	pthread_mutex_unlock(&store->write);
	return 0;
}

void indicators_rollback(struct indicators *store)
{
	if (!store->writing)
		return;
	(void)sqlite3_exec(store->writer.database, "ROLLBACK", NULL, NULL, NULL);
	store->writing = false;
	pthread_mutex_unlock(&store->write);
}

uint64_t indicators_correlated(const struct indicators *store)
{
	return store->correlated;
}

int indicators_source_add(struct indicators *store, const struct indicators_source *source, int64_t now_ns,
			  int64_t *ret_id, struct err *err)
{
	int code = statement_run(store, &store->writer, err, STATEMENT_SOURCE_ADD, "sssi", source->kind, source->name,
				 source->by, now_ns);
	if (code == 0)
		*ret_id = sqlite3_last_insert_rowid(store->writer.database);
	return code;
}

int64_t instant_next(struct indicators *store, int64_t now_ns)
{
	int64_t now_us = now_ns / NS_PER_US;
	store->last_us = now_us > store->last_us ? now_us : store->last_us + 1;
	return store->last_us;
}

static int type_number(struct indicators *store, const char *name, size_t bytes, int64_t *ret_id, struct err *err)
{
	struct remembered_type *type = &store->types[XXH64(name, bytes, 0) % TYPES_REMEMBERED];
	if (type->bytes == bytes && memcmp(type->name, name, bytes) == 0) {
		*ret_id = type->id;
		return 0;
	}
	int code = statement_number(store, &store->writer, ret_id, err, STATEMENT_TYPE_FIND, "t", name, bytes);
	if (code == 1) {
		code = statement_run(store, &store->writer, err, STATEMENT_TYPE_ADD, "t", name, bytes);
		*ret_id = sqlite3_last_insert_rowid(store->writer.database);
	}
	if (code == 0 && bytes <= sizeof type->name) {
		memcpy(type->name, name, bytes);
		type->bytes = bytes;
		type->id = *ret_id;
	}
	return code;
}

static int versions_load(struct indicators *store, int64_t type, const uint8_t uuid[16],
			 struct known_versions *versions, struct err *err)
{
	sqlite3_stmt *statement = statement_bind(store, &store->writer, err, STATEMENT_KEY_FIND, "iib",
						 object_key(type, uuid), type, uuid);
	int more = statement ? 0 : -EIO;
	versions->count = 0;
	while (more >= 0 && (more = statement_step(store, &store->writer, statement, err)) == 1) {
		if (versions->count == INDICATORS_VERSIONS_MAX) {
			sqlite3_reset(statement);
			return err_set(err, 2, "there are %d versions of this object already", INDICATORS_VERSIONS_MAX);
		}
		versions->items[versions->count++] =
			(struct known_version){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
					       sqlite3_column_int(statement, 2), sqlite3_column_int(statement, 3)};
	}
	return more;
}

static const struct known_version *version_latest(const struct known_versions *versions)
{
	for (size_t i = 0; i < versions->count; i++)
		if (versions->items[i].latest)
			return &versions->items[i];
	return NULL;
}

/* The version that an object would be another copy of: for those without a version the current one. */
static const struct known_version *version_same(const struct known_versions *versions,
						const struct indicators_object *object)
{
	for (size_t i = 0; i < versions->count; i++)
		if (object->version_us ? versions->items[i].version_us == object->version_us
				       : versions->items[i].latest)
			return &versions->items[i];
	return NULL;
}

/* 1: the same text. 0: another. */
static int text_same(struct indicators *store, int64_t seq, const struct indicators_object *object, struct err *err)
{
	sqlite3_stmt *statement = statement_bind(store, &store->writer, err, STATEMENT_OBJECT_TEXT, "i", seq);
	int code = statement ? statement_step(store, &store->writer, statement, err) : -EIO;
	if (code != 1)
		return code;
	size_t bytes = (size_t)sqlite3_column_bytes(statement, 0);
	int same = bytes == object->bytes && memcmp(sqlite3_column_text(statement, 0), object->text, bytes) == 0;
	sqlite3_reset(statement);
	return same;
}

/* Every value is found by its hash; those that stand alone, but for the first of them, lie beside the indicator. */
static int values_put(struct indicators *store, const struct indicators_object *object, int64_t seq, int64_t replaced,
		      const struct indicator_value *first, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < object->value_count && code == 0; i++) {
		const struct indicator_value *value = &object->values[i];
		int64_t hash = value_hash(value->kind, value->text, value->bytes), known = 0;
		int found = statement_number(store, &store->writer, &known, err, STATEMENT_VALUE_KNOWN, "i", hash);
		store->correlated += found == 0 && known != replaced;
		code = found < 0 ? found
				 : statement_run(store, &store->writer, err, STATEMENT_VALUE_ADD, "ii", hash, seq);
		if (code == 0 && value->alone && value != first && object->is_indicator)
			code = statement_run(store, &store->writer, err, STATEMENT_VALUE_MORE, "iiit", seq, (int64_t)i,
					     (int64_t)value->kind, value->text, value->bytes);
	}
	return code;
}

static int indicator_put(struct indicators *store, const struct indicators_object *object, int64_t seq,
			 const struct known_version *replaced, struct err *err)
{
	static const struct indicator_value none = {KIND_OTHER, "", 0, false};
	const struct indicator_value *first = NULL;
	int64_t alone = 0;
	for (size_t i = 0; i < object->value_count; i++) {
		alone += object->values[i].alone;
		if (!first && object->values[i].alone)
			first = &object->values[i];
	}
	const struct indicator_value *shown = first ? first : &none;
	int64_t until = object->until_ns ? object->until_ns : object->from_ns + indicator_lifetime_ns(shown->kind);
	int code = statement_run(store, &store->writer, err, STATEMENT_INDICATOR_ADD, "iitiiiiiiis", seq,
				 (int64_t)shown->kind, shown->text, shown->bytes, alone > 1 ? alone - 1 : 0,
				 (int64_t)object->confidence, object->from_ns, until, (int64_t)(object->until_ns != 0),
				 object->from_ns, (int64_t)(object->revoked ? STATE_REVOKED : STATE_ACTIVE),
				 object->warning);
	if (code == 0)
		code = values_put(store, object, seq, replaced ? replaced->seq : 0, first, err);
	if (code == 0 && replaced)
		code = statement_run(store, &store->writer, err, STATEMENT_INDICATOR_INHERIT, "ii", seq, replaced->seq);
	return code;
}

/* The current version of an indicator. 0; 1: there is none. */
static int indicator_find(struct indicators *store, const char *type_name, size_t type_bytes, const uint8_t uuid[16],
			  int64_t *ret_seq, enum indicator_kind *ret_kind, struct err *err)
{
	int64_t type, kind = 0;
	int code = type_number(store, type_name, type_bytes, &type, err);
	if (code == 0)
		code = statement_number(store, &store->writer, ret_seq, err, STATEMENT_LATEST_FIND, "iib",
					object_key(type, uuid), type, uuid);
	if (code == 0)
		code = statement_number(store, &store->writer, &kind, err, STATEMENT_INDICATOR_KIND, "i", *ret_seq);
	*ret_kind = (enum indicator_kind)kind;
	return code;
}

int indicators_seen(struct indicators *store, const struct indicators_object *object, int64_t seen_ns, struct err *err)
{
	int64_t seq;
	enum indicator_kind kind;
	int code = indicator_find(store, object->type, object->type_bytes, object->uuid, &seq, &kind, err);
	return code ? code
		    : statement_run(store, &store->writer, err, STATEMENT_INDICATOR_SEEN, "iiii", INT64_C(0), seen_ns,
				    seen_ns + indicator_lifetime_ns(kind), seq);
}

/* A later version of a sighting takes the place of the one before. */
static int sighting_keep(struct indicators *store, const struct indicators_object *object, int64_t seq, int64_t before,
			 struct err *err)
{
	char of[256 + 40], uuid[37];
	indicators_uuid_format(object->sighted_uuid, uuid);
	snprintf(of, sizeof of, "%.*s--%s", (int)object->sighted_type_bytes, object->sighted_type, uuid);
	int code = before ? statement_run(store, &store->writer, err, STATEMENT_SIGHTING_OLD, "si", of, before) : 0;
	return code == 0 ? statement_run(store, &store->writer, err, STATEMENT_SIGHTING_ADD, "siii", of, seq,
					 object->seen_ns, (int64_t)object->seen_count)
			 : code;
}

/* A sighting counts at its indicator, makes it live on, or (a count of 0) denies it. */
static int sighting_count(struct indicators *store, const struct indicators_object *object, struct err *err)
{
	int64_t seq;
	enum indicator_kind kind;
	int code = indicator_find(store, object->sighted_type, object->sighted_type_bytes, object->sighted_uuid, &seq,
				  &kind, err);
	if (code != 0)
		return code < 0 ? code : 0;
	if (object->seen_count == 0)
		return statement_run(store, &store->writer, err, STATEMENT_INDICATOR_STATE, "ii",
				     (int64_t)STATE_FALSE_POSITIVE, seq);
	return statement_run(store, &store->writer, err, STATEMENT_INDICATOR_SEEN, "iiii", (int64_t)object->seen_count,
			     object->seen_ns, object->seen_ns + indicator_lifetime_ns(kind), seq);
}

static int shelves_put(struct indicators *store, const struct shelf_item *item, const struct known_versions *others,
		       int64_t collection, int64_t now_ns, struct err *err)
{
	int code = collection ? shelf_put(store, collection, item, others, now_ns, err) : 0;
	for (size_t i = 0; i < store->automatic_count && code == 0 && !item->held; i++)
		if (store->automatic[i].id != collection && item->tlp <= store->automatic[i].clearance)
			code = shelf_put(store, store->automatic[i].id, item, others, now_ns, err);
	return code == -EACCES ? 2 : code;
}

static int object_add(struct indicators *store, const struct indicators_object *object, int64_t type, int64_t seq,
		      int64_t version_us, unsigned digits, int64_t source, bool newest, bool held, struct err *err)
{
	int code = statement_run(store, &store->writer, err, STATEMENT_OBJECT_ADD, "iibiiiiiti", seq, type,
				 object->uuid, version_us, (int64_t)digits, (int64_t)object->tlp, source,
				 (int64_t)newest, object->text, object->bytes, (int64_t)held);
	return code == 0 ? statement_run(store, &store->writer, err, STATEMENT_KEY_ADD, "ii",
					 object_key(type, object->uuid), seq)
			 : code;
}

int indicators_put(struct indicators *store, const struct indicators_object *object, int64_t source, int64_t collection,
		   int64_t now_ns, struct err *err)
{
	struct known_versions *versions = &store->known;
	int64_t type, clearance = TLP_RED;
	int code = type_number(store, object->type, object->type_bytes, &type, err);
	if (code == 0)
		code = versions_load(store, type, object->uuid, versions, err);
	if (code == 0 && collection)
		code = statement_number(store, &store->writer, &clearance, err, STATEMENT_COLLECTION_CLEARANCE, "i",
					collection);
	if (code != 0)
		return code;
	if (clearance < 0)
		return err_set(err, 2, "the collection is a group's: what stands in it was released by two people");
	if ((int64_t)object->tlp > clearance)
		return err_set(err, 2, "it is TLP:%s, and the collection's clearance is TLP:%s", tlp_names[object->tlp],
			       tlp_names[clearance]);
	const struct known_version *same = version_same(versions, object), *latest = version_latest(versions);
	struct shelf_item item = {.type = type, .uuid = object->uuid, .tlp = object->tlp, .held = object->held};
	for (size_t i = 0; i < versions->count; i++)
		item.held |= versions->items[i].held;
	if (same) {
		int equal = text_same(store, same->seq, object, err);
		item.seq = same->seq;
		item.version_us = same->version_us;
		item.digits = object->version_us ? object->version_digits : 6;
		if (equal < 0)
			return equal;
		if (equal) {
			code = shelves_put(store, &item, versions, collection, now_ns, err);
			return code ? code : 1;
		}
		if (object->version_us)
			return err_set(err, 2, "this version of the object is there already, with other content");
	}
	item.seq = instant_next(store, now_ns);
	item.version_us = object->version_us ? object->version_us : item.seq;
	item.digits = object->version_us ? object->version_digits : 6;
	bool newest = !latest || item.version_us > latest->version_us;
	code = object_add(store, object, type, item.seq, item.version_us, item.digits, source, newest, item.held, err);
	if (code == 0 && newest && latest)
		code = statement_run(store, &store->writer, err, STATEMENT_OBJECT_OLD, "i", latest->seq);
	if (code == 0 && newest && latest && object->is_indicator)
		code = statement_run(store, &store->writer, err, STATEMENT_INDICATOR_STATE, "ii",
				     (int64_t)STATE_REPLACED, latest->seq);
	if (code == 0 && newest && object->is_indicator)
		code = indicator_put(store, object, item.seq, latest, err);
	else if (code == 0 && newest)
		code = values_put(store, object, item.seq, latest ? latest->seq : 0, NULL, err);
	if (code == 0)
		code = shelves_put(store, &item, versions, collection, now_ns, err);
	if (code == 0 && newest && object->is_sighting)
		code = sighting_keep(store, object, item.seq, latest ? latest->seq : 0, err);
	return code == 0 && object->is_sighting ? sighting_count(store, object, err) : code;
}
