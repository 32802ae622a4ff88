/* The process that speaks HTTP. It holds the pages in memory, passes requests to the keeper and its answers back, and
 * fans the live stream out. It has no files, no data base and no outgoing connections.
 */
#pragma once

#include "core/err.h"
#include "hub/shared.h"

#include <stdbool.h>
#include <sys/types.h>

struct front_setup {
	const char *name;
	int listen_fd;
	int request_fd, live_fd; /* message.h; live_fd -1: none */
	bool local;              /* listens on a unix socket: requests carry the peer's user */
	const char *web;         /* directory of the pages; NULL: none */
	const char *tls_cert, *tls_key;
	const struct hub_shared *shared;
	struct front_shared *own;
	bool unconfined;
	uid_t uid;
	gid_t gid;
};

/* A child's main: returns only when something is wrong. */
int front_run(const struct front_setup *setup, struct err *err) must_check;
