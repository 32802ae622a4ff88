/* Asking a running hub: over the unix socket in its data directory, or over HTTP(S) with a token. */
#pragma once

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>

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
