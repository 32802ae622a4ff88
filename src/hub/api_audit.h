/* What api_dispatch() and handlers tell the audit log. */
#pragma once

#include "hub/api.h"

/* A change is about to be made: written before it is, so that none goes without; a negative answer forbids it. Reading
 * calls and those of guests pass. */
int audit_change(struct api_call *call, struct err *err) must_check;
/* Behind the handler: that the change was not made after all. */
void audit_refusal(struct api_call *call);
/* A call that is several changes at once: one of them. Consumes detail. */
int audit_part(struct api_call *call, const char *action, const char *subject, int64_t member, json_t *detail,
	       struct err *err) must_check;
/* A handler is about to show a member's data. */
int audit_look(struct api_call *call, int64_t member, struct err *err) must_check;
