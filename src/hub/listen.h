/* The sockets that a hub listens on, opened by the parent so that a front can die and be replaced. */
#pragma once

#include "core/err.h"

#include <stddef.h>

enum { LISTEN_URL_BYTES = 128 };

/* "ADDR:PORT" or "[ADDR]:PORT"; port 0: any free one. Says what links start with ("http://127.0.0.1:8470").
 * -EINVAL, -EADDRINUSE, -EACCES ... with a sentence. */
int listen_tcp(const char *where, const char *scheme, int *ret_fd, char ret_url[LISTEN_URL_BYTES],
	       struct err *err) must_check;

/* A unix socket at `path`, mode 0600; what an earlier hub left there is taken away. */
int listen_unix(const char *path, int *ret_fd, struct err *err) must_check;
