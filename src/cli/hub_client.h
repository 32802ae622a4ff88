/* Asking a running hub: over the unix socket in its data directory, or over HTTP(S) with a token. */
#pragma once

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct hub_address {
	const char *data;  /* data directory, whose hub.sock is tried when url is NULL */
	const char *url;   /* "https://hub.example" */
	const char *token; /* for url */
};

/* True when a hub answers on the data directory's socket. */
bool hub_is_running(const struct hub_address *hub);

/* One request. `body` may be NULL. *ret_answer is a new reference, NULL where the answer has no content.
 * -ECONNREFUSED: no hub there; -EACCES, -ENOENT, -EINVAL, -EIO: its refusal, with the hub's own sentence. */
int hub_request(const struct hub_address *hub, const char *method, const char *path, json_t *body, json_t **ret_answer,
		struct err *err) must_check;

/* The same with bytes as they are: `body` (may be NULL) of `type`. *ret_text is to be freed, closed by a zero, and is
 * given whatever the status. -ECONNREFUSED, -EIO. */
int hub_request_bytes(const struct hub_address *hub, const char *method, const char *path, const char *type,
		      const void *body, size_t bytes, long *ret_status, char **ret_text, size_t *ret_bytes,
		      struct err *err) must_check;
/* What the hub's refusal says, as hub_request() answers it. */
int hub_refusal(long status, const json_t *answer, struct err *err) must_check;
/* A text for a query in a path; to be freed. NULL: out of memory. */
char *hub_escape(const char *text);
/* "&name=value" at the end of a path, where there is a value. */
void hub_path_add(char *path, size_t bytes, const char *name, const char *value);
