/* Sessions, API tokens and one-time links: 256 random bits each. Kept is only their BLAKE2b hash (RFC 7693): the bits
 * are random, so a slow hash would add nothing, and a stolen registry signs nobody in. */
#include "store/registry_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { SECRET_BYTES = 32 };

void secret_hash(const char *token, uint8_t ret_hash[SECRET_HASH_BYTES])
{
	crypto_generichash(ret_hash, SECRET_HASH_BYTES, (const uint8_t *)token, strlen(token), NULL, 0);
}

void secret_new(char ret_token[REGISTRY_TOKEN_BYTES], uint8_t ret_hash[SECRET_HASH_BYTES])
{
	uint8_t bits[SECRET_BYTES];
	randombytes_buf(bits, sizeof bits);
	sodium_bin2base64(ret_token, REGISTRY_TOKEN_BYTES, bits, sizeof bits, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bits, sizeof bits);
	secret_hash(ret_token, ret_hash);
}

/* name, role, whether no password is set, member. */
static void fill_user(sqlite3_stmt *statement, bool is_token, struct registry_user *user)
{
	*user = (struct registry_user){.role = role_of((const char *)sqlite3_column_text(statement, 1)),
				       .member = (uint32_t)sqlite3_column_int64(statement, 3),
				       .must_set_password = !is_token && sqlite3_column_int(statement, 2),
				       .is_token = is_token};
	snprintf(user->name, sizeof user->name, "%s", (const char *)sqlite3_column_text(statement, 0));
}

int registry_session_new(struct registry *registry, const char *user, int64_t now_ns, int64_t lifetime_ns,
			 char ret_token[REGISTRY_TOKEN_BYTES], struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	char token[REGISTRY_TOKEN_BYTES];
	secret_new(token, hash);
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "DELETE FROM session WHERE expires <= ?", "i", now_ns);
	if (code == 0)
		code = registry_run(registry, err, "INSERT INTO session VALUES (?, ?, ?, ?, ?)", "bsiii", hash, user,
				    now_ns, now_ns + lifetime_ns, lifetime_ns);
	pthread_mutex_unlock(&registry->lock);
	if (code == -EEXIST) /* the foreign key */
		return err_set(err, -ENOENT, "there is no user %.63s", user);
	if (code == 0)
		memcpy(ret_token, token, sizeof token);
	return code;
}

int registry_session_find(struct registry *registry, const char *token, int64_t now_ns, struct registry_user *ret_user,
			  struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	secret_hash(token, hash);
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		registry_prepare(registry, err,
				 "SELECT user.name, role, password IS NULL, user.member, expires, lifetime FROM "
				 "session JOIN user ON user.name = user "
				 "WHERE hash = ? AND expires > ?",
				 "bi", hash, now_ns);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	int64_t expires = 0, lifetime = 0;
	if (code == 1) {
		fill_user(statement, false, ret_user);
		expires = sqlite3_column_int64(statement, 4);
		lifetime = sqlite3_column_int64(statement, 5);
	}
	sqlite3_finalize(statement);
	bool found = code == 1;
	/* Moved at most once in a sixteenth of its life: a page that polls writes nothing. */
	if (found && expires - now_ns < lifetime - lifetime / 16)
		code = registry_run(registry, err, "UPDATE session SET expires = ? WHERE hash = ?", "ib",
				    now_ns + lifetime, hash);
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : !found;
}

int registry_session_delete(struct registry *registry, const char *token, struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	secret_hash(token, hash);
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "DELETE FROM session WHERE hash = ?", "b", hash);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_token_new(struct registry *registry, const char *name, enum role role, uint32_t member, int64_t now_ns,
		       int64_t *ret_id, char ret_token[REGISTRY_TOKEN_BYTES], struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	char token[REGISTRY_TOKEN_BYTES];
	int code = name_check("token", name, err);
	if (code == 0 && (role < ROLE_SENSOR || role >= ROLES))
		code = err_set(err, -EINVAL, "a token is for sensor, member, viewer, analyst, operator or admin");
	if (code < 0)
		return code;
	secret_new(token, hash);
	pthread_mutex_lock(&registry->lock);
	code = member_check(registry, role, member, err);
	if (code == 0)
		code = registry_run(
			registry, err,
			"INSERT INTO token (hash, name, role, created, member) VALUES (?, ?, ?, ?, nullif(?, 0))",
			"bssii", hash, name, role_names[role], now_ns, (int64_t)member);
	if (code == 0) {
		*ret_id = sqlite3_last_insert_rowid(registry->database);
		memcpy(ret_token, token, sizeof token);
	}
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_token_find(struct registry *registry, const char *token, int64_t now_ns, struct registry_user *ret_user,
			struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	secret_hash(token, hash);
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err, "SELECT name, role, 0, member, last_used FROM token WHERE hash = ?", "b", hash);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	bool found = code == 1;
	int64_t last_used = 0;
	if (found) {
		fill_user(statement, true, ret_user);
		last_used = sqlite3_column_int64(statement, 4);
	}
	sqlite3_finalize(statement);
	if (found && now_ns - last_used > NS_PER_MINUTE)
		code = registry_run(registry, err, "UPDATE token SET last_used = ? WHERE hash = ?", "ib", now_ns, hash);
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : !found;
}

int registry_token_delete(struct registry *registry, int64_t id, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "DELETE FROM token WHERE id = ?", "i", id);
	if (code == 0 && sqlite3_changes(registry->database) == 0)
		code = err_set(err, -ENOENT, "there is no token %lld", (long long)id);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_tokens(struct registry *registry, json_t **ret_array, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT id, name, role, (SELECT key FROM member WHERE id = token.member) AS member, created, "
		"last_used FROM token ORDER BY id",
		"");
	int code = statement ? registry_rows(registry, statement, "issstt", ret_array, err) : -EIO;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_invite(struct registry *registry, const char *user, int64_t now_ns, int64_t lifetime_ns,
		    char ret_token[REGISTRY_TOKEN_BYTES], struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	char token[REGISTRY_TOKEN_BYTES];
	secret_new(token, hash);
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "DELETE FROM link WHERE expires <= ? OR user = ?", "is", now_ns, user);
	if (code == 0)
		code = registry_run(registry, err, "INSERT INTO link VALUES (?, ?, ?, ?)", "bsii", hash, user, now_ns,
				    now_ns + lifetime_ns);
	pthread_mutex_unlock(&registry->lock);
	if (code == -EEXIST) /* the foreign key */
		return err_set(err, -ENOENT, "there is no user %.63s", user);
	if (code == 0)
		memcpy(ret_token, token, sizeof token);
	return code;
}

int registry_link_new(struct registry *registry, const char *user, int64_t now_ns, int64_t lifetime_ns,
		      char ret_token[REGISTRY_TOKEN_BYTES], struct err *err)
{
	int code = name_check("user", user, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&registry->lock);
	code = registry_run(registry, err,
			    "INSERT INTO user (name, role, created) VALUES (?, 'admin', ?) ON CONFLICT DO NOTHING",
			    "si", user, now_ns);
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : registry_invite(registry, user, now_ns, lifetime_ns, ret_token, err);
}

int registry_link_redeem(struct registry *registry, const char *token, const char *from, int64_t now_ns,
			 struct registry_user *ret_user, struct err *err)
{
	uint8_t hash[SECRET_HASH_BYTES];
	secret_hash(token, hash);
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT user.name, role, password IS NULL, user.member FROM link JOIN user ON user.name = user "
		"WHERE hash = ? AND expires > ?",
		"bi", hash, now_ns);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	bool found = code == 1;
	if (found)
		fill_user(statement, false, ret_user);
	sqlite3_finalize(statement);
	if (found)
		code = registry_run(registry, err, "DELETE FROM link WHERE hash = ?", "b", hash);
	if (found && code >= 0)
		code = registry_run(registry, err, "UPDATE user SET last_login = ? WHERE name = ?", "is", now_ns,
				    ret_user->name);
	if (code >= 0)
		code = registry_run(registry, err, "INSERT INTO login VALUES (?, ?, ?, ?)", "isss", now_ns,
				    found ? ret_user->name : "(link)", from, found ? "link" : "wrong");
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : !found;
}

int registry_clean(struct registry *registry, int64_t now_ns, struct err *err)
{
	static const char *const deletes[] = {"DELETE FROM session WHERE expires <= ?",
					      "DELETE FROM link WHERE expires <= ?"};
	int code = 0, gone = 0;
	pthread_mutex_lock(&registry->lock);
	for (unsigned i = 0; i < 2 && code == 0; i++) {
		code = registry_run(registry, err, deletes[i], "i", now_ns);
		gone += code == 0 ? sqlite3_changes(registry->database) : 0;
	}
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : gone;
}
