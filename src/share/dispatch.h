/* The keeper's side of sending: attempts that are due go to the courier (or, of the channel csv, into the drop), and
 * what became of them goes into the registry.
 *
 * One thread, the notifier's; it may be ended at any moment. An attempt is in the registry before the courier hears of
 * it, and the courier forgets it only after its outcome is in the registry.
 */
#pragma once

#include "core/option.h"
#include "store/notices.h"

struct dispatch_options {
	const char *from;                                   /* "Name <local@domain>" or "local@domain"; NULL: no mail */
	const char *reply_to;                               /* NULL: none */
	const char *dkim_key, *dkim_selector, *dkim_domain; /* NULL: not signed; of the sender */
	const char *drop;                                   /* directory of the channel csv; NULL: none */
	bool relay;                                         /* there is one: mail is sent */
};

struct dispatch;

/* Read the keys; everything in options is borrowed. Before the process is confined. */
int dispatch_open(int fd, const struct dispatch_options *options, struct dispatch **ret_dispatch,
		  struct err *err) must_check;
/* Before the first round; a handle of its own (see store/notices.h), borrowed. */
void dispatch_registry(struct dispatch *dispatch, struct registry *notices);
void dispatch_close(struct dispatch *dispatch); /* NULL is fine; the descriptor stays open */

/* What is due and may go, goes; what came back is stored. 1: there may be more at once; 0: wait for the descriptor, or
 * until something is due. Single messages that cannot be sent are noted at them. */
int dispatch_round(struct dispatch *dispatch, int64_t now_ns, struct err *err) must_check;
/* How many are on their way. */
unsigned dispatch_flying(const struct dispatch *dispatch);
/* When it wants to be called though nothing came: an attempt of which nothing was heard, a server that was in trouble.
 */
int64_t dispatch_next(const struct dispatch *dispatch);

/* When a message of so many attempts is tried again; 0: no more, it is older than RFC 5321 (4.5.4.1) asks to try. */
int64_t dispatch_again(unsigned attempts, int64_t message, int64_t made_ns, int64_t now_ns);
/* The secret that signs webhooks to this address, in the form of Standard Webhooks: "whsec_...". */
enum { WEBHOOK_SECRET_BYTES = 64 };
int dispatch_webhook_secret(struct registry *registry, const char *address, char ret_secret[WEBHOOK_SECRET_BYTES],
			    struct err *err) must_check;
