/* The registry: who may do what, and what the system remembers of itself. SQLite (WAL) in DIR/registry.sqlite.
 *
 * Passwords are argon2id (libsodium). Sessions, API tokens and one-time links are 256 random bits, shown once and kept
 * as their BLAKE2b hash. Every function is thread-safe. Instants are ns since 1970.
 */
#pragma once

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	REGISTRY_NAME_BYTES = 64,
	REGISTRY_TOKEN_BYTES = 48, /* text of a secret: 43 characters of base64url and a zero */
	REGISTRY_PASSWORD_LEAST = 10,
};

/* A higher role may do what a lower one may, but for the two at the foot: a sensor may only hand in batches, and a
 * member's people see what is their own member's. Names as in the API. */
enum role { ROLE_SENSOR, ROLE_MEMBER, ROLE_VIEWER, ROLE_ANALYST, ROLE_OPERATOR, ROLE_ADMIN, ROLES };
extern const char *const role_names[]; /* NULL-terminated */

struct registry;

struct registry_user {
	char name[REGISTRY_NAME_BYTES]; /* of the user, or of the token */
	enum role role;
	uint32_t member; /* of ROLE_MEMBER, whose it is; 0 for all others */
	bool must_set_password;
	bool is_token;
};

int registry_open(const char *dir, struct registry **ret_registry, struct err *err) must_check;
void registry_close(struct registry *registry);

/* Users. Names are 1 to 63 of a-z 0-9 . _ - ; -EINVAL with a sentence otherwise, or for a password that is too short.
 * password NULL: none is set, only a one-time link signs in. `member` is the number of whose people a user of
 * ROLE_MEMBER is, 0 with any other role. -EEXIST / -ENOENT. The last admin cannot be deleted or demoted: -EPERM. A
 * changed password ends the user's sessions. */
int registry_user_add(struct registry *, const char *name, const char *password, enum role role, uint32_t member,
		      struct err *err) must_check;
int registry_user_change(struct registry *, const char *name, const char *password, const enum role *role,
			 uint32_t member, struct err *err) must_check; /* NULL: stays */
int registry_user_delete(struct registry *, const char *name, struct err *err) must_check;
int registry_users(struct registry *, json_t **ret_array, struct err *err)
	must_check; /* name, role, member (its key), has_password, link_until, created, last_login */
int registry_user_count(struct registry *);

/* 0: right, *ret_user filled. 1: name or password is wrong. 2: too many failures of this name or `from` (text of the
 * peer's address), try later; *ret_wait_s says when. Every try is written down. */
int registry_login(struct registry *, const char *name, const char *password, const char *from, int64_t now_ns,
		   struct registry_user *ret_user, unsigned *ret_wait_s, struct err *err) must_check;
int registry_logins(struct registry *, unsigned limit, json_t **ret_array, struct err *err) must_check;

/* Sessions. find: 0 found (and its expiry moved), 1 none or expired. */
int registry_session_new(struct registry *, const char *user, int64_t now_ns, int64_t lifetime_ns,
			 char ret_token[REGISTRY_TOKEN_BYTES], struct err *err) must_check;
int registry_session_find(struct registry *, const char *token, int64_t now_ns, struct registry_user *ret_user,
			  struct err *err) must_check;
int registry_session_delete(struct registry *, const char *token, struct err *err) must_check;

/* API tokens, same secrets; `sensor` tokens only hand in batches; `member` as of users. find: 0 found, 1 none. */
int registry_token_new(struct registry *, const char *name, enum role role, uint32_t member, int64_t now_ns,
		       int64_t *ret_id, char ret_token[REGISTRY_TOKEN_BYTES], struct err *err) must_check;
int registry_token_find(struct registry *, const char *token, int64_t now_ns, struct registry_user *ret_user,
			struct err *err) must_check;
int registry_token_delete(struct registry *, int64_t id, struct err *err) must_check; /* -ENOENT */
int registry_tokens(struct registry *, json_t **ret_array,
		    struct err *err) must_check; /* id, name, role, member (its key), created, last_used */

/* One-time links: redeem signs a user in once. A new one ends the one before. invite: for a user who is there, -ENOENT.
 * new: makes the user (role admin) if there is none of that name. redeem: 0, or 1 when unknown, used or expired. */
int registry_invite(struct registry *, const char *user, int64_t now_ns, int64_t lifetime_ns,
		    char ret_token[REGISTRY_TOKEN_BYTES], struct err *err) must_check;
int registry_link_new(struct registry *, const char *user, int64_t now_ns, int64_t lifetime_ns,
		      char ret_token[REGISTRY_TOKEN_BYTES], struct err *err) must_check;
int registry_link_redeem(struct registry *, const char *token, const char *from, int64_t now_ns,
			 struct registry_user *ret_user, struct err *err) must_check;

/* Forget sessions and links whose time is over. They sign nobody in as it is; this keeps who once had them from staying
 * on the disk. How many went, or negative. */
int registry_clean(struct registry *, int64_t now_ns, struct err *err) must_check;

/* Settings: JSON values by name. get: 0, or 1 when not set. */
int registry_setting(struct registry *, const char *name, json_t **ret_value, struct err *err) must_check;
int registry_setting_put(struct registry *, const char *name, const json_t *value, struct err *err) must_check;

/* Sensors: a name has a number for ever (1..65535), given at its first appearance. */
int registry_sensor(struct registry *, const char *name, uint16_t *ret_number, struct err *err) must_check;
int registry_sensors(struct registry *, json_t **ret_array, struct err *err) must_check; /* id, name, created */
