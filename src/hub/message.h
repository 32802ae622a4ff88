/* What front and keeper say to each other: messages on a SOCK_SEQPACKET socketpair that the parent keeps open, so that
 * either end can die and be replaced without a torn message.
 *
 *     front -> keeper   HELLO (a front began), REQUEST, BODY..., CREDIT (a message was passed on), CANCEL
 *     keeper -> front   HELLO (a keeper began: nothing asked before will be answered), REPLY, DATA...
 *     keeper -> front   LIVE on a pair of its own; dropped when the front does not keep up
 *
 * Ids are the front's, random at its start, so that no answer to a dead front's question is taken for another's.
 */
#pragma once

#include "core/err.h"
#include "hub/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_type {
	MESSAGE_HELLO = 1,
	MESSAGE_REQUEST,
	MESSAGE_BODY,
	MESSAGE_CREDIT,
	MESSAGE_CANCEL,
	MESSAGE_REPLY,
	MESSAGE_DATA,
	MESSAGE_LIVE,
};

enum message_flag { MESSAGE_LAST = 1 }; /* of REPLY and DATA: the answer is whole. Of REQUEST and BODY likewise. */

struct message_head {
	uint16_t type, flags;
	uint32_t number; /* REQUEST: bytes of the whole body. REPLY: HTTP status. LIVE: enum live_event. */
	uint64_t id;
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_METHODS };
extern const char *const http_method_names[];

enum live_event { LIVE_HELLO, LIVE_FRAME, LIVE_FINDING, LIVE_EVENTS };

/* Texts of a message: each u16 length, bytes, a zero, in this order; then, for REPLY and DATA, the rest is the body. */
enum request_text {
	TEXT_PATH,
	TEXT_QUERY,
	TEXT_SESSION,
	TEXT_TOKEN, /* of a Bearer header, or the password of a Basic one */
	TEXT_TYPE,
	TEXT_PEER,
	TEXT_ACCEPT,
	TEXT_MATCH, /* If-None-Match */
	REQUEST_TEXTS
};
enum reply_text { TEXT_REPLY_TYPE, TEXT_COOKIE, TEXT_DISPOSITION, TEXT_HEADERS /* "Name: value\n"... */, REPLY_TEXTS };

struct request_fixed {
	uint8_t method;
	uint8_t csrf;   /* the header X-Yagura was there */
	uint8_t secure; /* came over TLS */
	uint8_t local;  /* came by the unix socket, from the user below */
	uint32_t uid;
};

/* Wait until the socket takes the message (wait_ms, 0: do not wait). -EAGAIN; -EPIPE. */
int message_send(int fd, const struct message_head *head, const void *data, size_t bytes, int wait_ms) must_check;

/* One message into `buffer` (LIMIT_MESSAGE_BYTES after the head). Returns 1, 0 when none waits (the descriptor does not
 * block), negative on failure. A message that is too short is skipped. */
int message_receive(int fd, struct message_head *ret_head, void *buffer, size_t *ret_bytes) must_check;

/* Texts in and out of a buffer. put: -EMSGSIZE when it would not fit. take: points into the data; false when the data
 * is not what it says. */
int texts_put(void *buffer, size_t room, size_t *used, const char *const *texts, unsigned count) must_check;
bool texts_take(void *data, size_t bytes, const char **ret_texts, unsigned count, size_t *ret_used) must_check;

/* A socketpair for it. */
int message_pair(int ret_fds[2], struct err *err) must_check;
