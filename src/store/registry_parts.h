/* What the registry's files share: the connection and few words of SQLite. */
#pragma once

#include "core/addr.h"
#include "store/registry.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>

enum { STATEMENTS_KEPT = 64 };

struct registry {
	sqlite3 *database;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} kept[STATEMENTS_KEPT]; /* of those that ask often */
	pthread_mutex_t lock;    /* every function holds it; hashing passwords does not */
	char path[4096];
};

enum { SECRET_HASH_BYTES = 32, PASSWORD_HASH_BYTES = 128 };

/* A statement with values bound by `types`: s text (NULL is NULL), i int64_t, b blob of SECRET_HASH_BYTES,
 * a struct addr *. Finalise it. NULL on failure, err says why. */
sqlite3_stmt *registry_prepare(struct registry *registry, struct err *err, const char *sql, const char *types, ...);
/* Bind values of `types` to a statement. */
bool registry_bind(sqlite3_stmt *statement, const char *types, va_list values);
/* Prepare, bind, and run to the end. */
int registry_run(struct registry *registry, struct err *err, const char *sql, const char *types, ...) must_check;
int registry_failed(struct registry *registry, struct err *err);
/* Step: 1 a row, 0 none, negative failure. */
int registry_step(struct registry *registry, sqlite3_stmt *statement, struct err *err) must_check;
/* Every row as an object. `types`: s text, i integer, t instant (ns to RFC 3339, NULL stays), r role. */
int registry_rows(struct registry *registry, sqlite3_stmt *statement, const char *types, json_t **ret_array,
		  struct err *err) must_check;

int registry_migrate(struct registry *registry, struct err *err) must_check;

/* 256 random bits as text, and the hash that is kept of them. */
void secret_new(char ret_token[REGISTRY_TOKEN_BYTES], uint8_t ret_hash[SECRET_HASH_BYTES]);
void secret_hash(const char *token, uint8_t ret_hash[SECRET_HASH_BYTES]);
enum role role_of(const char *name);
/* Whether a role goes with a member: -EINVAL, or -ENOENT where there is no such member. The registry is locked. */
int member_check(struct registry *registry, enum role role, uint32_t member, struct err *err) must_check;
int name_check(const char *what, const char *name, struct err *err) must_check;
