/* The notifier: brings notices from stage to stage. It plans whom a step is told and when, looks after those that are
 * due (reminds, escalates, closes), and writes messages. It sends nothing: dispatch.h does.
 *
 * One thread; it may be ended at any moment, and another begun on the same registry goes on.
 */
#pragma once

#include "share/messages.h"
#include "share/notice_rules.h"
#include "store/notices.h"

/* Where the secret of the acknowledgement link is put in when a message is sent; the text that is kept has it not. */
#define NOTICE_SECRET_MARK "\x1a"

struct notifier_options {
	const char *url;         /* what links start with */
	const char *mail_domain; /* right half of Message-IDs */
	unsigned without;        /* 1 << enum notice_channel: nobody is told on those, whatever rules say */
};

struct notifier;

/* `notices` is a handle of its own (see store/notices.h), so is `members`, which is read while a
 * transaction of `notices` is open: whoever shares a handle with it may wait for that transaction. All is borrowed.
 * NULL: no memory. */
struct notifier *notifier_new(struct registry *notices, struct registry *members,
			      const struct notifier_options *options);
void notifier_free(struct notifier *notifier);
/* What people edit, as of now; borrowed until the next call. */
void notifier_set(struct notifier *notifier, const struct notice_rules *rules, const struct messages *messages);

/* Do some of what is to be done at `now_ns`. 1: there may be more at once; 0: nothing is due. A message that cannot be
 * written is put off and said in *err with the answer 2. */
int notifier_round(struct notifier *notifier, int64_t now_ns, struct err *err) must_check;

/* Name of the advice for a matter: the rule's own, else "TYPE-VERDICT" where there is such advice, else "TYPE". */
enum { NOTICE_ADVICE_BYTES = 2 * NOTICE_WORD_BYTES };
void notice_advice_name(const struct messages *messages, const struct notice_rule *rule, const char *type,
			const char *verdict, char ret_name[NOTICE_ADVICE_BYTES]);

/* When `notice` wants to be looked at again by its rule; 0: not by itself. */
int64_t notice_look(const struct notice_rule *rule, const struct notice *notice);
/* What is to be done with it at `now_ns`, NOTICE_STEPS: nothing. `unreachable`: no message reached anybody. */
enum notice_step notice_act(const struct notice_rule *rule, const struct notice *notice, bool unreachable,
			    int64_t now_ns);
