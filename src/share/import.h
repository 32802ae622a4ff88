/* Indicators and other STIX objects from elsewhere, into the store: with where they came from, until when they hold,
 * and every line or object that was refused named with its reason. What is bad does not keep the rest from being taken.
 */
#pragma once

#include "store/indicators.h"

enum import_format { IMPORT_AUTO, IMPORT_STIX, IMPORT_MISP, IMPORT_CSV, IMPORT_LIST, IMPORT_FORMATS };
#define IMPORT_FORMAT_CHOICES "auto|stix|misp|csv|list"
extern const char *const import_format_names[];

enum { IMPORT_BATCH = 50000 }; /* objects of one transaction: large ones are quicker, but keep others waiting */

struct warning_lists;

struct import {
	struct indicators *store; /* NULL, of a dry run alone: nothing is there already */
	enum import_format format;
	struct indicators_source source;
	int64_t collection;  /* 0: only onto the shelves of those that take by themselves */
	enum tlp tlp;        /* of what says nothing of it */
	unsigned confidence; /* the same, 0..100 */
	int64_t lifetime_ns; /* the same, of lists and CSV; 0: as long as its kind lives */
	int64_t now_ns;
	const struct warning_lists *warnings; /* NULL: none */
	bool dry;                             /* judge only */
	/* Where (line 7, /objects/12) and why, for what was refused. May be NULL. */
	void (*refused)(void *context, const char *where, const char *why);
	/* What was taken (of a dry run: would be), or was there already. May be NULL. */
	void (*taken)(void *context, const struct indicators_object *object, bool known);
	void *context;
};

struct import_result {
	uint64_t taken, known, refused;
	uint64_t correlated; /* values that were there before */
	uint64_t warned;     /* indicators that a warning list knows */
	uint64_t unread;     /* indicators whose pattern could not be read: kept, in no list */
};

/* Read all of `text`. 0, also when all was refused; -EBADMSG: it is of none of the formats; other negative: failure,
 * and what was committed before stays. */
int import_text(const struct import *import, const char *text, size_t bytes, struct import_result *ret_result,
		struct err *err) must_check;
