/* Notices in the keeper: findings of members become notices, notices become messages, and messages go to the courier
 * (share/courier.h), a process beside. One thread with a handle of the registry of its own does all of it.
 *
 * Findings are handed over as soon as they are made; at the start the store is asked for those of the last days, so
 * that none is lost with a keeper that died in between. Taking one twice changes nothing.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <jansson.h>

struct keeper;
struct notices;

/* Read rules, texts and keys: before the process is confined. */
int keeper_notices_prepare(struct keeper *keeper, struct notices **ret_notices, struct err *err) must_check;
/* Open the registry's second handle: after. */
int keeper_notices_open(struct notices *notices, struct err *err) must_check;
void keeper_notices_close(struct notices *notices); /* NULL is fine */
void *keeper_notices_main(void *keeper);            /* thread */

/* Findings that were stored; those without a member are passed over. Any thread. */
void keeper_notices_offer(struct notices *notices, const struct batch *findings);
/* Somebody changed a notice: look at once. Any thread. */
void keeper_notices_wake(struct notices *notices);
/* What a message about `notice` (as notices_show() gives it) says is to be done, in a language: see message_advice().
 * JSON null where there are no texts. Any thread. */
int keeper_notices_advice(const struct notices *notices, const char *language, const json_t *notice,
			  json_t **ret_advice, struct err *err) must_check;
/* {"relay", "waiting", "flying", "taken", "failed"} */
json_t *keeper_notices_status(const struct notices *notices);
