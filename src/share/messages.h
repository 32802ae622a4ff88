/* What those concerned read: a notice as subject and text, in their language, from the templates of data/messages.
 *
 * A directory for each language holds the same files: frames (what is said when: new, reminder ...), advice (what a
 * kind of matter means and what to do: advice-*.txt), words, and desk (who speaks). The README there is for those who
 * edit.
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"
#include "store/notices.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum language { LANGUAGE_JA, LANGUAGE_EN, LANGUAGES };
extern const char *const language_names[];        /* "ja", "en"; NULL ends them */
enum language notices_language(const char *name); /* Japanese where it is neither */

/* A matter as far as it is told. Texts are borrowed; NULL is empty. */
struct notice_facts {
	int64_t number;
	enum notice_step step;
	const char *advice;   /* name of the advice: "livenet-infected"; unknown ones are "other" */
	const char *member;   /* its name */
	const char *subject;  /* the address or name that it is about */
	const char *severity; /* name as in records */
	const char *rule;     /* of the detector */
	const char *command;  /* derives it again */
	const json_t *ground; /* its plain values are shown as observations */
	int64_t first_ns, last_ns;
	uint64_t packets, findings;
};

/* Who reads it, and how they answer. */
struct message_reader {
	enum language language;
	const char *name;        /* of the person or office; NULL: whoever it is */
	const char *link;        /* page of the notice, of several: of all notices; NULL: none */
	const char *links;       /* where the hub is: an item's page is made of it; NULL: none */
	int utc_offset_minutes;  /* of the times in the text */
	const char *acknowledge; /* put in as it is; NULL: none */
};

struct message_text {
	char *subject, *text;
};

struct messages;

/* Read everything under `dir`; what is wrong is said with file and line. The pool holds it. */
int messages_open(const char *dir, struct pool *pool, struct messages **ret_messages, struct err *err) must_check;

/* Write one matter (count 1, in the frame of its step) or several (in the frame of a digest, an item each). */
int message_write(const struct messages *messages, const struct message_reader *reader,
		  const struct notice_facts *facts, size_t count, struct message_text *ret_text,
		  struct err *err) must_check;
void message_text_free(struct message_text *text); /* NULL and half-made are fine */
/* {"title", "what", "steps", "over", "call"}: what a message about the matter says, for a page that shows the same. */
int message_advice(const struct messages *messages, const struct message_reader *reader,
		   const struct notice_facts *facts, json_t **ret_advice, struct err *err) must_check;
bool messages_know_advice(const struct messages *messages, const char *name);
