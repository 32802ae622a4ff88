/* Approvals of a scope: who may sign, keys (Ed25519 by OpenSSL), signatures over the canonical form.
 *
 * What is signed names the person and the instant too, so that neither can be changed, nor a signature be moved to
 * another scope. Whose key a key is says the operator's own list of approvers, never the scope.
 */
#pragma once

#include "observe/survey/scope.h"

enum { APPROVAL_KEY_TEXT_BYTES = 45, APPROVAL_SIGNATURE_TEXT_BYTES = 89, APPROVERS_MAX = 1000 };

struct approver {
	const char *name;
	char key[APPROVAL_KEY_TEXT_BYTES]; /* base64 of 32 bytes */
};

struct approvers {
	struct approver *items;
	size_t count;
};

/* Lines "ed25519 KEY NAME..."; '#' begins a comment. -EINVAL with file and line. */
int approvers_parse(const char *where, const char *data, size_t bytes, struct pool *pool,
		    struct approvers *ret_approvers, struct err *err) must_check;
/* NULL: nobody by that key. */
const struct approver *approver_find(const struct approvers *approvers, const char *key);

/* A new key in PEM (PKCS #8) at `path`, which must not be there, readable by its owner alone. */
int approval_key_make(const char *path, char ret_public[APPROVAL_KEY_TEXT_BYTES], struct err *err) must_check;
/* Signs as `person` at `signed_at` with the key at `path`. The texts of ret_signature live in pool. */
int approval_sign(const char *path, const struct scope *scope, const char *person, const char *signed_at,
		  struct pool *pool, struct scope_signature *ret_signature, struct err *err) must_check;
/* 0: made with this key over this scope; 1: not, or no key or signature at all. */
int approval_verify(const struct scope *scope, const struct scope_signature *signature) must_check;
