/* Users, and signing in with a name and a password: argon2id (RFC 9106) through libsodium, with limits on failures.
 *
 * Failures are counted per name and per peer over the last 15 minutes; from the fifth on each further try has to wait
 * twice as long as the one before, up to 15 minutes. A name that does not exist costs the same time as one that does.
 */
#include "store/registry_parts.h"

#include "core/clock.h"
#include "core/option.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { FAILURES_FREE = 5, FAILURES_OF_A_PEER_FREE = 20, WINDOW_S = 900 };

const char *const role_names[] = {"sensor", "member", "viewer", "analyst", "operator", "admin", NULL};

enum role role_of(const char *name)
{
	for (int i = 0; role_names[i]; i++)
		if (name && strcmp(role_names[i], name) == 0)
			return (enum role)i;
	return ROLE_SENSOR; /* the least */
}

int name_check(const char *what, const char *name, struct err *err)
{
	size_t length = name ? strlen(name) : 0;
	if (length < 1 || length >= REGISTRY_NAME_BYTES ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != length)
		return err_set(err, -EINVAL, "a name of a %s is 1 to %d of a-z 0-9 . _ -", what,
			       REGISTRY_NAME_BYTES - 1);
	return 0;
}

int member_check(struct registry *registry, enum role role, uint32_t member, struct err *err)
{
	if ((role == ROLE_MEMBER) != (member != 0))
		return err_set(err, -EINVAL,
			       member ? "only the role member is bound to a member"
				      : "the role member is bound to a member; which one?");
	if (!member)
		return 0;
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT 1 FROM member WHERE id = ?", "i", (int64_t)member);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	sqlite3_finalize(statement);
	return code == 0 ? err_set(err, -ENOENT, "there is no member %u", member) : code < 0 ? code : 0;
}

/* Past 128 bytes a password only costs time. */
static int hash_password(const char *password, char ret_hash[PASSWORD_HASH_BYTES], struct err *err)
{
	_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_BYTES, "room for the hash");
	size_t length = strlen(password);
	if (length < REGISTRY_PASSWORD_LEAST || length > 128)
		return err_set(err, -EINVAL, "a password has %d to 128 characters", REGISTRY_PASSWORD_LEAST);
	if (crypto_pwhash_str(ret_hash, password, length, crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		return err_set(err, -ENOMEM, "no memory to hash a password");
	return 0;
}

int registry_user_add(struct registry *registry, const char *name, const char *password, enum role role,
		      uint32_t member, struct err *err)
{
	char hash[PASSWORD_HASH_BYTES];
	int code = name_check("user", name, err);
	if (code == 0 && (role < ROLE_MEMBER || role >= ROLES))
		code = err_set(err, -EINVAL, "a user is member, viewer, analyst, operator or admin");
	if (code == 0 && password)
		code = hash_password(password, hash, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&registry->lock);
	code = member_check(registry, role, member, err);
	if (code == 0)
		code = registry_run(
			registry, err,
			"INSERT INTO user (name, password, role, created, member) VALUES (?, ?, ?, ?, nullif(?, 0))",
			"sssii", name, password ? hash : NULL, role_names[role], clock_now_ns(), (int64_t)member);
	pthread_mutex_unlock(&registry->lock);
	return code == -EEXIST ? err_set(err, -EEXIST, "there is a user %s already", name) : code;
}

static int count(struct registry *registry, int64_t *ret_count, struct err *err, const char *sql, const char *name)
{
	sqlite3_stmt *statement = registry_prepare(registry, err, sql, name ? "s" : "", name);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_count = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

/* -ENOENT when there is no such user; -EPERM when it is the only admin. */
static int check_not_last(struct registry *registry, const char *name, bool stays_admin, struct err *err)
{
	int64_t here = 0, others = 0;
	int code = count(registry, &here, err, "SELECT count(*) FROM user WHERE name = ?", name);
	if (code == 0 && here == 0)
		return err_set(err, -ENOENT, "there is no user %.63s", name);
	if (code == 0 && !stays_admin)
		code = count(
			registry, &others, err,
			"SELECT count(*) FROM user WHERE (role = 'admin' AND name <> ?1) OR (name = ?1 AND role <> "
			"'admin')",
			name);
	if (code == 0 && !stays_admin && others == 0)
		return err_set(err, -EPERM, "%s is the only administrator", name);
	return code;
}

int registry_user_change(struct registry *registry, const char *name, const char *password, const enum role *role,
			 uint32_t member, struct err *err)
{
	char hash[PASSWORD_HASH_BYTES];
	int code = name_check("user", name, err);
	if (code == 0 && role && (*role < ROLE_MEMBER || *role >= ROLES))
		code = err_set(err, -EINVAL, "a user is member, viewer, analyst, operator or admin");
	if (code == 0 && password)
		code = hash_password(password, hash, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&registry->lock);
	code = check_not_last(registry, name, !role || *role == ROLE_ADMIN, err);
	if (code == 0 && role)
		code = member_check(registry, *role, member, err);
	if (code == 0)
		code = registry_run(registry, err, "BEGIN IMMEDIATE", "");
	if (code == 0) {
		if (password)
			code = registry_run(registry, err, "UPDATE user SET password = ? WHERE name = ?", "ss", hash,
					    name);
		if (code == 0 && password)
			code = registry_run(registry, err, "DELETE FROM session WHERE user = ?", "s", name);
		if (code == 0 && password)
			code = registry_run(registry, err, "DELETE FROM link WHERE user = ?", "s", name);
		if (code == 0 && role)
			code = registry_run(registry, err,
					    "UPDATE user SET role = ?, member = nullif(?, 0) WHERE name = ?", "sis",
					    role_names[*role], (int64_t)member, name);
		if (code == 0)
			code = registry_run(registry, err, "COMMIT", "");
		if (code < 0)
			(void)!registry_run(registry, NULL, "ROLLBACK", "");
	}
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_user_delete(struct registry *registry, const char *name, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = check_not_last(registry, name, false, err);
	if (code == 0)
		code = registry_run(registry, err, "DELETE FROM user WHERE name = ?", "s", name);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_users(struct registry *registry, json_t **ret_array, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT name, role, (SELECT key FROM member WHERE id = user.member) AS member, password IS NOT NULL AS "
		"has_password, (SELECT max(expires) FROM link WHERE user = name AND expires > ?) AS link_until, "
		"created, "
		"last_login FROM user ORDER BY name",
		"i", clock_now_ns());
	int code = statement ? registry_rows(registry, statement, "sssbttt", ret_array, err) : -EIO;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_user_count(struct registry *registry)
{
	int64_t users = 0;
	pthread_mutex_lock(&registry->lock);
	int code = count(registry, &users, NULL, "SELECT count(*) FROM user", NULL);
	pthread_mutex_unlock(&registry->lock);
	return code < 0 ? code : (int)users;
}

/* Failures since the last success within the window, and the instant of the last. */
static int failures(struct registry *registry, const char *column, const char *value, int64_t now_ns,
		    int64_t *ret_count, int64_t *ret_last, struct err *err)
{
	char sql[400];
	snprintf(sql, sizeof sql,
		 "SELECT count(*), coalesce(max(time), 0) FROM login WHERE %s = ?1 AND result = 'wrong' AND time > "
		 "max(?2, coalesce((SELECT max(time) FROM login WHERE %s = ?1 AND result = 'right'), 0))",
		 column, column);
	sqlite3_stmt *statement = registry_prepare(registry, err, sql, "si", value, now_ns - WINDOW_S * NS_PER_S);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1) {
		*ret_count = sqlite3_column_int64(statement, 0);
		*ret_last = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

static int wait_s(struct registry *registry, const char *column, const char *value, int64_t free_tries, int64_t now_ns,
		  unsigned *ret_wait_s, struct err *err)
{
	int64_t count_failed = 0, last = 0;
	int code = failures(registry, column, value, now_ns, &count_failed, &last, err);
	if (code < 0 || count_failed < free_tries)
		return code;
	int64_t doubled = count_failed - free_tries < 10 ? INT64_C(1) << (count_failed - free_tries) : WINDOW_S;
	int64_t until = last + (doubled < WINDOW_S ? doubled : WINDOW_S) * NS_PER_S;
	unsigned wait = until > now_ns ? (unsigned)((until - now_ns + NS_PER_S - 1) / NS_PER_S) : 0;
	if (wait > *ret_wait_s)
		*ret_wait_s = wait;
	return 0;
}

static int write_login(struct registry *registry, const char *name, const char *from, int64_t now_ns,
		       const char *result, struct err *err)
{
	int code = registry_run(registry, err, "INSERT INTO login VALUES (?, ?, ?, ?)", "isss", now_ns, name, from,
				result);
	if (code == 0)
		code = registry_run(registry, err, "DELETE FROM login WHERE time < ?", "i", now_ns - 400 * NS_PER_DAY);
	return code;
}

/* Role and password hash; an empty hash where there is none. */
static int find_user(struct registry *registry, const char *name, struct registry_user *user,
		     char hash[PASSWORD_HASH_BYTES], struct err *err)
{
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT role, password, member FROM user WHERE name = ?", "s", name);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	memset(hash, 0, PASSWORD_HASH_BYTES);
	if (code == 1) {
		const char *password = (const char *)sqlite3_column_text(statement, 1);
		*user = (struct registry_user){.role = role_of((const char *)sqlite3_column_text(statement, 0)),
					       .member = (uint32_t)sqlite3_column_int64(statement, 2),
					       .must_set_password = password == NULL};
		snprintf(user->name, sizeof user->name, "%s", name);
		snprintf(hash, PASSWORD_HASH_BYTES, "%s", password ? password : "");
	}
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

static bool password_is(const char hash[PASSWORD_HASH_BYTES], const char *password)
{
	if (hash[0] && strlen(password) <= 128)
		return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
	char other[PASSWORD_HASH_BYTES]; /* as long as a real one takes */
	(void)!hash_password("as long as a real one", other, NULL);
	return false;
}

int registry_login(struct registry *registry, const char *name, const char *password, const char *from, int64_t now_ns,
		   struct registry_user *ret_user, unsigned *ret_wait_s, struct err *err)
{
	char hash[PASSWORD_HASH_BYTES];
	struct registry_user user = {.name = ""};
	unsigned wait = 0;
	if (name_check("user", name, NULL) < 0)
		name = "(no name)";
	pthread_mutex_lock(&registry->lock);
	int code = wait_s(registry, "name", name, FAILURES_FREE, now_ns, &wait, err);
	if (code == 0)
		code = wait_s(registry, "peer", from, FAILURES_OF_A_PEER_FREE, now_ns, &wait, err);
	if (code == 0 && wait > 0)
		code = write_login(registry, name, from, now_ns, "refused", err);
	if (code == 0 && wait == 0)
		code = find_user(registry, name, &user, hash, err);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0)
		return code;
	if (wait > 0) {
		*ret_wait_s = wait;
		return 2;
	}
	bool right = password_is(hash, password);
	pthread_mutex_lock(&registry->lock);
	code = write_login(registry, name, from, now_ns, right ? "right" : "wrong", err);
	if (code == 0 && right)
		code = registry_run(registry, err, "UPDATE user SET last_login = ? WHERE name = ?", "is", now_ns, name);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0)
		return code;
	if (right)
		*ret_user = user;
	return right ? 0 : 1;
}

int registry_logins(struct registry *registry, unsigned limit, json_t **ret_array, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT time, name, peer AS \"from\", result FROM login ORDER BY time DESC, rowid DESC "
		"LIMIT ?",
		"i", (int64_t)limit);
	int code = statement ? registry_rows(registry, statement, "tsss", ret_array, err) : -EIO;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code;
}
