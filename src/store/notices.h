/* Notices: one for each ongoing matter of a member, followed from the first finding until it was seen fixed. Part of
 * the registry.
 *
 * Work passes through the registry in stages, each a transaction that may be done over: findings make or change notices
 * and leave steps (told for the first time, reminded ...); a step becomes tellings, one for each contact and channel;
 * due tellings of a contact become a message; a message is tried until it is delivered or refused. A process that ends
 * anywhere in between leaves the rest to the next: nothing is lost, and since steps, tellings and attempts have keys,
 * nothing is done twice. Who is told and in which words is not decided here but in share/.
 *
 * What writes is called between notices_begin() and notices_commit(), by the thread that began, on a registry handle of
 * its own (registry_open() on the same directory). Instants are ns; 0 where a thing did not happen.
 */
#pragma once

#include "store/registry.h"

enum {
	NOTICE_WORD_BYTES = 72,
	NOTICE_SUBJECT_BYTES = 256,
	NOTICE_ADDRESS_BYTES = 2048,
	NOTICE_MESSAGE_ID_BYTES = 256,
	NOTICE_ANSWER_BYTES = 512, /* of a server, kept */
	NOTICE_PAGE_MAX = 1000,
	NOTICE_BUNDLE_MAX = 200,   /* matters in one message */
	NOTICE_TELLINGS_MAX = 256, /* of one step */
};

enum notice_state { NOTICE_NEW, NOTICE_CONTINUING, NOTICE_ENDED, NOTICE_CLOSED, NOTICE_STATES };
extern const char *const notice_state_names[]; /* NULL ends them */

/* Why somebody is told. */
enum notice_step {
	STEP_NEW,
	STEP_AGAIN,      /* it had ended, and is there again; or it became worse */
	STEP_REMINDER,   /* nobody acknowledged */
	STEP_ESCALATION, /* nobody acknowledged: to those whom the member reports to */
	STEP_CLOSED,     /* seen fixed by a new observation */
	STEP_TEST,
	NOTICE_STEPS
};
extern const char *const notice_step_names[]; /* NULL ends them */

/* A finding of a member. */
struct notice_finding {
	const char *id, *type, *verdict, *subject, *rule, *ground; /* verdict may be NULL; ground is JSON */
	uint32_t member;
	int severity;
	int64_t time_ns, first_ns, last_ns;
	uint64_t packets;
	bool ended;
};

struct notice {
	int64_t id;
	uint32_t member;
	enum notice_state state;
	int severity; /* index into severity_names */
	char type[NOTICE_WORD_BYTES], verdict[NOTICE_WORD_BYTES], subject[NOTICE_SUBJECT_BYTES];
	char rule[NOTICE_WORD_BYTES];     /* of notices, by which it is told; "" before the first step is planned */
	char detector[NOTICE_WORD_BYTES]; /* rule of the finding */
	char finding[NOTICE_SUBJECT_BYTES];
	int64_t first_ns, last_ns; /* observed */
	int64_t made_ns, told_ns, acknowledged_ns, ended_ns, closed_ns;
	int64_t planned_ns;  /* when it was to be told for the first time */
	int64_t reminded_ns; /* when it was to be told for the last time */
	uint64_t packets, findings;
	unsigned reminders, again;
	bool escalated;
	json_t *ground;
};
void notice_done(struct notice *notice);

int notices_begin(struct registry *registry, struct err *err) must_check;
int notices_commit(struct registry *registry, struct err *err) must_check; /* rolls back on failure */
void notices_rollback(struct registry *registry);

/* Findings become notices. What was taken before changes nothing; those without a member are left out. */
int notices_take(struct registry *registry, const struct notice_finding *findings, size_t count, int64_t now_ns,
		 struct err *err) must_check;
int notice_find(struct registry *registry, int64_t id, struct notice *ret_notice,
		struct err *err) must_check; /* -ENOENT */

/* Steps that are not planned yet, oldest first. */
struct notice_todo {
	int64_t notice;
	enum notice_step step;
	unsigned nth;
	bool by_hand; /* somebody wants it told now */
};
int notices_todo(struct registry *registry, unsigned limit, struct notice_todo *ret_todos, size_t *ret_count,
		 struct err *err) must_check;

/* Whom a step is to be told, on which channel, from when on. */
struct notice_telling {
	int64_t due_ns;
	const char *channel, *address, *language, *name; /* name of the contact */
	uint32_t member;                                 /* whose contact it is */
};
/* The step is planned: its tellings (there may be none), the rule, and when the notice wants to be looked at again (0:
 * not by itself). */
int notices_planned(struct registry *registry, const struct notice_todo *todo, const char *rule,
		    const struct notice_telling *tellings, size_t count, int64_t look_ns, int64_t now_ns,
		    struct err *err) must_check;
/* Those whom a notice was told, or is being told: as tellings without a time. *ret_tellings is one block, to be freed.
 */
int notices_told(struct registry *registry, int64_t notice, struct notice_telling **ret_tellings, size_t *ret_count,
		 struct err *err) must_check;
/* When the last message to an address was made; 0: never. */
int notices_last_message(struct registry *registry, const char *channel, const char *address, int64_t *ret_ns,
			 struct err *err) must_check;

/* Notices that want to be looked at by `now_ns`. */
int notices_due(struct registry *registry, int64_t now_ns, unsigned limit, int64_t *ret_ids, size_t *ret_count,
		struct err *err) must_check;
int notices_look_at(struct registry *registry, int64_t notice, int64_t look_ns, struct err *err) must_check;
/* Leave a step to be planned: reminder, escalation, closed (which closes the notice; `how` says by whom or what). */
int notices_step(struct registry *registry, const struct notice *notice, enum notice_step step, const char *how,
		 int64_t now_ns, struct err *err) must_check;

/* A line in the life of a notice. `who` and `detail` (JSON or a word) may be NULL. */
int notices_event(struct registry *registry, int64_t notice, const char *what, const char *who, const char *detail,
		  int64_t now_ns, struct err *err) must_check;
/* Whether all that was to be told of it failed. */
int notices_unreachable(struct registry *registry, int64_t notice, bool *ret_unreachable, struct err *err) must_check;

/* The next address that has due tellings, with up to NOTICE_BUNDLE_MAX of them. 0, or 1 when there is none. */
struct notice_bundle {
	char channel[NOTICE_WORD_BYTES], address[NOTICE_ADDRESS_BYTES], language[NOTICE_WORD_BYTES];
	char name[NOTICE_SUBJECT_BYTES];
	uint32_t member;
	struct notice_todo items[NOTICE_BUNDLE_MAX];
	size_t count;
};
int notices_bundle(struct registry *registry, int64_t now_ns, struct notice_bundle *ret_bundle,
		   struct err *err) must_check;

/* A message: made of a bundle, then tried until it is sent or refused. */
enum message_state { MESSAGE_WAITING, MESSAGE_SENDING, MESSAGE_SENT, MESSAGE_FAILED, MESSAGE_STATES };
extern const char *const message_state_names[];

struct notice_message {
	int64_t id;
	unsigned attempts;
	char channel[NOTICE_WORD_BYTES], address[NOTICE_ADDRESS_BYTES], name[NOTICE_SUBJECT_BYTES];
	char message_id[NOTICE_MESSAGE_ID_BYTES];
	char references[NOTICE_MESSAGE_ID_BYTES]; /* of the first message to this address about its first notice; "" */
	uint32_t member;                          /* whose contact it is for */
	int64_t made_ns;
	char *subject, *body; /* free with notice_message_done() */
};
void notice_message_done(struct notice_message *message);
/* Its tellings are due later. */
int notices_bundle_put_off(struct registry *registry, const struct notice_bundle *bundle, int64_t due_ns,
			   struct err *err) must_check;
/* A part of a transaction that may be undone by itself; not nested. Either of the latter two ends it. */
int notices_savepoint(struct registry *registry, struct err *err) must_check;
int notices_savepoint_keep(struct registry *registry, struct err *err) must_check;
int notices_savepoint_undo(struct registry *registry, struct err *err) must_check;

/* A bundle becomes a message, which is not tried before it is written: its text may name its number. `message_id` is
 * for ever the same, so that a repeat after a crash is recognised. */
int notices_message_new(struct registry *registry, const struct notice_bundle *bundle, int64_t now_ns, int64_t *ret_id,
			struct err *err) must_check;
int notices_message_write(struct registry *registry, int64_t id, const char *message_id, const char *subject,
			  const char *body, struct err *err) must_check;

/* The next message of a channel to be tried; the attempt is written down and *ret_message filled. 0, or 1 when none is
 * due. */
int notices_attempt(struct registry *registry, const char *channel, int64_t now_ns, struct notice_message *ret_message,
		    struct err *err) must_check;
/* When a message was made. */
int notices_message_made(struct registry *registry, int64_t message, int64_t *ret_ns, struct err *err) must_check;
/* Attempts that have no outcome yet: message ids with the attempt's number. */
struct notice_attempt {
	int64_t message;
	unsigned number;
	unsigned channel; /* whatever the asker takes it for; of open ones: by the order mail, webhook, csv */
};
int notices_attempts_open(struct registry *registry, unsigned limit, struct notice_attempt *ret_attempts,
			  size_t *ret_count, struct err *err) must_check;

enum attempt_result {
	ATTEMPT_SENT,
	ATTEMPT_DEFERRED, /* to be tried again: greylisted, not reached ... */
	ATTEMPT_REFUSED,  /* for good */
	ATTEMPT_UNKNOWN,  /* the sender ended before it heard the answer; sent again under the same Message-ID */
	ATTEMPT_UNSENT,   /* the sender ended before it sent anything */
	ATTEMPT_RESULTS
};
extern const char *const attempt_result_names[];
/* The outcome of an attempt. An outcome of one that has one already changes nothing: answer 1. `again_ns`: when it is
 * tried again, 0: no more. */
int notices_outcome(struct registry *registry, const struct notice_attempt *attempt, enum attempt_result result,
		    int64_t code, const char *answer, int64_t again_ns, int64_t now_ns, struct err *err) must_check;
/* When something is due next: a telling, a message, a look; INT64_MAX when nothing is. */
int notices_next(struct registry *registry, int64_t *ret_ns, struct err *err) must_check;
