/* Reading members: their prefixes for those who look packets up, one, many, and whose an address is. */
#include "store/registry_members_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *members_row(sqlite3_stmt *statement, struct err *err)
{
	char text[TIME_TEXT_BYTES];
	json_t *member = json_loads((const char *)sqlite3_column_text(statement, 3), 0, NULL);
	if (!member) {
		err_set(err, -EBADMSG, "member %lld: not JSON", sqlite3_column_int64(statement, 0));
		return NULL;
	}
	json_object_set_new(member, "id", json_integer(sqlite3_column_int64(statement, 0)));
	json_object_set_new(member, "change", json_integer(sqlite3_column_int64(statement, 1)));
	json_object_set_new(member, "changed", json_string(time_format(sqlite3_column_int64(statement, 2), text)));
	return member;
}

/* The number of the last change, and behind it how many beginnings and ends of validity are past. */
static int version_at(struct registry *registry, int64_t now_ns, uint64_t *ret_version, struct err *err)
{
	sqlite3_stmt *statement =
		registry_prepare(registry, err,
				 "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'member_change'), 0), "
				 "(SELECT count(*) FROM member WHERE valid_from <= ?1) + (SELECT count(*) FROM member "
				 "WHERE valid_until <= ?1)",
				 "i", now_ns);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_version = (uint64_t)sqlite3_column_int64(statement, 0) << 20 |
			       (uint64_t)sqlite3_column_int64(statement, 1);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

int registry_members_version(struct registry *registry, uint64_t *ret_version, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = version_at(registry, clock_now_ns(), ret_version, err);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

static int prefixes_read(struct registry *registry, sqlite3_stmt *statement, struct member_prefix **ret_prefixes,
			 size_t *ret_count, struct err *err)
{
	struct member_prefix *prefixes = NULL;
	size_t count = 0, room = 0;
	int more;
	while ((more = registry_step(registry, statement, err)) == 1) {
		if (count == room) {
			room = room ? room * 2 : 1024;
			struct member_prefix *grown = realloc(prefixes, room * sizeof *grown);
			if (!grown) {
				more = err_set(err, -ENOMEM, "no memory for the members' prefixes");
				break;
			}
			prefixes = grown;
		}
		struct member_prefix *prefix = &prefixes[count++];
		*prefix = (struct member_prefix){.prefix.bits = (uint8_t)sqlite3_column_int(statement, 1),
						 .member = (uint32_t)sqlite3_column_int64(statement, 2)};
		if (sqlite3_column_bytes(statement, 0) == sizeof prefix->prefix.addr)
			memcpy(&prefix->prefix.addr, sqlite3_column_blob(statement, 0), sizeof prefix->prefix.addr);
	}
	if (more < 0) {
		free(prefixes);
		return more;
	}
	*ret_prefixes = prefixes;
	*ret_count = count;
	return 0;
}

int registry_member_prefixes(struct registry *registry, int64_t now_ns, struct member_prefix **ret_prefixes,
			     size_t *ret_count, uint64_t *ret_version, struct err *err)
{
	uint64_t version = 0;
	pthread_mutex_lock(&registry->lock);
	int code = version_at(registry, now_ns, &version, err);
	sqlite3_stmt *statement =
		code < 0 ? NULL
			 : registry_prepare(registry, err,
					    "SELECT p.first, p.bits, p.member FROM member_prefix p JOIN member m "
					    "ON m.id = p.member WHERE " MEMBER_VALID
					    " ORDER BY p.first, p.bits, p.member",
					    "i", now_ns);
	if (code == 0)
		code = statement ? prefixes_read(registry, statement, ret_prefixes, ret_count, err) : -EIO;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		*ret_version = version;
	return code;
}

int registry_member(struct registry *registry, uint32_t id, json_t **ret_member, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT " MEMBER_ROW " FROM member m WHERE m.id = ?", "i", (int64_t)id);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	json_t *member = code == 1 ? members_row(statement, err) : NULL;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		return err_set(err, -ENOENT, "there is no member %u", id);
	if (code == 1)
		code = member ? 0 : -EBADMSG;
	if (code == 0)
		*ret_member = member;
	return code;
}

int registry_member_find(struct registry *registry, const char *text, uint32_t *ret_id, struct err *err)
{
	char key[MEMBER_KEY_BYTES + 1];
	snprintf(key, sizeof key, "%s", text);
	for (char *at = key; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	bool number = text[0] && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		number ? registry_prepare(registry, err, "SELECT id FROM member WHERE id = ?", "i",
					  (int64_t)strtoll(text, NULL, 10))
		       : registry_prepare(registry, err, "SELECT id FROM member WHERE key = ?", "s", key);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_id = (uint32_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		return err_set(err, -ENOENT, "there is no member '%.64s'", text);
	return code < 0 ? code : 0;
}

/* Prefixes of one length that hold the address, of valid members. Lengths are asked narrow ones first. */
static int whose_length(struct registry *registry, sqlite3_stmt *statement, const struct prefix *prefix,
			json_t *members, struct err *err)
{
	char text[PREFIX_TEXT_BYTES];
	int more = -EIO;
	sqlite3_reset(statement);
	if (sqlite3_bind_blob(statement, 2, &prefix->addr, sizeof prefix->addr, SQLITE_TRANSIENT) != SQLITE_OK ||
	    sqlite3_bind_int(statement, 3, prefix->bits) != SQLITE_OK)
		return registry_failed(registry, err);
	while ((more = registry_step(registry, statement, err)) == 1)
		json_array_append_new(members, json_pack("{s:s, s:I, s:s, s:s?}", "prefix", prefix_format(prefix, text),
							 "id", (json_int_t)sqlite3_column_int64(statement, 0), "key",
							 (const char *)sqlite3_column_text(statement, 1), "name",
							 (const char *)sqlite3_column_text(statement, 2)));
	return more;
}

int registry_member_whose(struct registry *registry, const struct addr *addr, int64_t now_ns, json_t **ret_answer,
			  struct err *err)
{
	json_t *members = json_array(), *wider = json_array();
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT m.id, m.key, m.document ->> '$.name' FROM member_prefix p JOIN member m ON m.id = p.member "
		"WHERE p.first = ?2 AND p.bits = ?3 AND " MEMBER_VALID " ORDER BY m.key",
		"i", now_ns);
	int code = statement ? 0 : -EIO;
	struct prefix prefix = {*addr, 128};
	for (int bits = 128; code == 0 && bits >= (addr_is_v4(addr) ? 96 : 0); bits--) {
		prefix.bits = (uint8_t)bits;
		if (bits < 128)
			prefix.addr.bytes[bits / 8] &= (uint8_t)(0xff00 >> (bits % 8));
		code = whose_length(registry, statement, &prefix, json_array_size(members) ? wider : members, err);
	}
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0) {
		json_decref(members);
		json_decref(wider);
		return code;
	}
	*ret_answer = json_pack("{s:o, s:o}", "members", members, "wider", wider);
	return *ret_answer ? 0 : err_set(err, -ENOMEM, "no memory for an answer");
}
