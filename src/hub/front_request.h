/* One HTTP request in the front, from its first line to its last byte out. */
#pragma once

#include "hub/assets.h"
#include "hub/front.h"
#include "hub/message.h"

#include <microhttpd.h>

struct live;
struct request;

struct front {
	const struct front_setup *setup;
	struct MHD_Daemon *daemon;
	int epoll_fd;
	struct assets assets;
	struct live *live;
	uint8_t *buffer;
	struct request *slots[LIMIT_WAITING_REQUESTS]; /* those the keeper knows or will know of, by id % slots */
	uint64_t next_id;
	size_t bodies_bytes; /* of all requests together */
	unsigned sending;    /* requests with messages to go out */
};

/* Called by libmicrohttpd. */
void *request_begin(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *upload, size_t *upload_bytes,
			       void **connection_context);
void request_completed(void *context, struct MHD_Connection *connection, void **connection_context,
		       enum MHD_RequestTerminationCode why);

/* Called by the front's loop. */
void request_answer(struct front *front, const struct message_head *head, void *data, size_t bytes);
void requests_abandon(struct front *front); /* a new keeper began: what the old one was asked is lost */
void requests_send(struct front *front);
void requests_sweep(struct front *front, int64_t now_ns);
