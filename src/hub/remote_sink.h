/* A sink that leads to a hub elsewhere: batches are spooled to a directory and sent over HTTP(S) until the hub has
 * acknowledged them. The spool is bounded and survives a restart and a crash: a batch is in it, whole, or not.
 *
 * put() writes and returns; a thread sends. While the hub cannot be reached the spool grows to its bound; then put()
 * answers -ENOSPC, and what the caller cannot keep it counts as lost. Sparks (live pictures) are never spooled.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <stdbool.h>
#include <stdint.h>

struct remote_options {
	const char *url;     /* "https://hub.example"; http:// only to loopback unless `plain` */
	const char *token;   /* of role `sensor` */
	const char *spool;   /* directory; made when missing */
	const char *ca;      /* file of certificates to trust; NULL: the system's */
	int64_t spool_bytes; /* bound */
	bool plain;
};

struct remote_counters {
	uint64_t put, sent, refused, failures; /* batches; attempts that failed */
	uint64_t spooled_bytes, spooled_files;
	bool reachable;
	char trouble[ERR_TEXT_BYTES]; /* of the last attempt; "" when it went well */
};

struct remote_sink;

/* Opens the spool (what an earlier run left is sent first) and starts the sending thread. -EINVAL, -EACCES ... */
int remote_sink_open(const struct remote_options *options, struct remote_sink **ret_sink, struct err *err) must_check;
struct sink *remote_sink_of(struct remote_sink *sink);
struct remote_counters remote_sink_counters(struct remote_sink *sink);
/* Wait until everything put so far is acknowledged; -ETIMEDOUT. */
int remote_sink_drain(struct remote_sink *sink, int wait_ms, struct err *err) must_check;
void remote_sink_close(struct remote_sink *sink); /* what is not acknowledged stays in the spool; NULL is fine */
