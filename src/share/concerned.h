/* Members as far as notices ask: whom they belong to, whom to tell. Looked up once, until any member changes. */
#pragma once

#include "share/messages.h"
#include "share/notice_rules.h"
#include "store/members.h"

enum { CONCERNED_ABOVE_MAX = 8 };

struct concerned;

struct concerned *concerned_new(struct registry *members); /* borrowed; NULL: out of memory */
void concerned_free(struct concerned *concerned);

struct concerned_member {
	uint32_t id;
	const json_t *document;                     /* borrowed until concerned_refresh() */
	const char *above[CONCERNED_ABOVE_MAX + 1]; /* keys of its parent, that one's parent ...; NULL ends them */
	uint32_t reports_to;                        /* 0: to nobody */
};

/* Forget what was looked up when a member has changed since. Call it before a round of look-ups. */
int concerned_refresh(struct concerned *concerned, struct err *err) must_check;
/* 0, or 1: there is no such member. */
int concerned_find(struct concerned *concerned, uint32_t id, struct concerned_member *ret_member,
		   struct err *err) must_check;

const char *concerned_key(const struct concerned_member *member);
const char *concerned_name(const struct concerned_member *member, enum language language);

/* The contacts that a rule means: those of the first role that has any for the channel. `each` gets the address and the
 * contact (NULL for the channel csv, whose address is the member's key); a non-zero answer ends it and is returned. */
int concerned_contacts(const struct concerned_member *member, const struct notice_rule *rule,
		       enum notice_channel channel,
		       int (*each)(void *context, const char *address, const json_t *contact), void *context);
