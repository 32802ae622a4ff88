/* What people do with notices, and what they see of them. Thread-safe by themselves: on any registry handle, without
 * notices_begin(). */
#pragma once

#include "store/notices.h"

enum { NOTICE_REFERENCE_BYTES_MAX = 200, NOTICE_NOTE_BYTES_MAX = 2000, NOTICE_SECRET_BYTES = 32 };

/* What those concerned say. Texts may be NULL. */
struct notice_answer {
	const char *who;
	const char *state;     /* "seen", "informed", "fixed", "not_found", "refused"; NULL: "seen" */
	const char *reference; /* their own number for it */
	const char *note;
};
extern const char *const notice_answer_states[];

/* A secret that the registry can make again: HMAC of the purpose under a key of its own, made at its first use. */
int notices_secret(struct registry *registry, const char *purpose, uint8_t ret_secret[NOTICE_SECRET_BYTES],
		   struct err *err) must_check;
/* The secret in the acknowledgement link of a message: made of its number and a key of the registry, so that it needs
 * not be kept. */
int notices_link(struct registry *registry, int64_t message, char ret_token[REGISTRY_TOKEN_BYTES],
		 struct err *err) must_check;

/* By link: all notices of the message. 0: *ret_answer {"acknowledged": n, "notices": [numbers]}; a link works until it
 * was used: 1 used before (with who and when), 2 wrong. */
int notices_acknowledge_link(struct registry *registry, int64_t message, const char *token,
			     const struct notice_answer *answer, int64_t now_ns, json_t **ret_answer,
			     struct err *err) must_check;
/* By number. -ENOENT; -EPERM: it is closed. */
int notices_acknowledge(struct registry *registry, int64_t notice, const struct notice_answer *answer, int64_t now_ns,
			struct err *err) must_check;
/* Closed by a person; nobody is told. -ENOENT; -EPERM: it is closed already. */
int notices_close(struct registry *registry, int64_t notice, const char *who, const char *why, int64_t now_ns,
		  struct err *err) must_check;
/* Told again now, to all its contacts, whatever hours. -ENOENT; -EPERM: it is closed. */
int notices_tell_now(struct registry *registry, int64_t notice, const char *who, int64_t now_ns,
		     struct err *err) must_check;

/* A message to all contacts of a member that says that it is a test, at once; kept as a closed notice of the type
 * "test", which no figure counts. */
int notices_test(struct registry *registry, uint32_t member, const char *who, int64_t now_ns, int64_t *ret_id,
		 struct err *err) must_check;

struct notices_question {
	uint32_t member;            /* 0: any */
	const char *state;          /* name of a state, "open" (all but closed), or NULL: any */
	const char *type, *subject; /* NULL: any */
	int64_t before;             /* those with a lower number; 0: from the newest */
	unsigned limit;
	bool unacknowledged;
};
/* {"notices": [...], "more": bool}, newest first. */
int notices_list(struct registry *registry, const struct notices_question *question, json_t **ret_answer,
		 struct err *err) must_check;
/* One with its life: "events", "messages" with their attempts. `member` not 0: only if it is that member's. -ENOENT. */
int notices_show(struct registry *registry, int64_t notice, uint32_t member, json_t **ret_notice,
		 struct err *err) must_check;
/* Counts by state, and how long it took to tell, to acknowledge and to fix (median and 90th percentile, seconds) of the
 * notices made from `from_ns` on; of one member, or (0) of all. */
int notices_figures(struct registry *registry, uint32_t member, int64_t from_ns, int64_t to_ns, json_t **ret_figures,
		    struct err *err) must_check;

/* When the notices of a type that were made from `from_ns` on were told and acknowledged; 0 where they were not. A
 * negative answer of `each` ends it and is returned. The registry must not be asked from within. */
struct notice_times {
	uint32_t member;
	const char *verdict;
	int64_t made_ns, told_ns, acknowledged_ns;
	bool bounced; /* a message of it could not be delivered */
};
int notices_times(struct registry *registry, const char *type, int64_t from_ns, int64_t to_ns,
		  int (*each)(void *context, const struct notice_times *times), void *context,
		  struct err *err) must_check;
/* Contacts whose address refused mail for good: member, channel, address, since, answer. */
int notices_bounces(struct registry *registry, json_t **ret_array, struct err *err) must_check;
