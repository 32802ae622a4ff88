/* Options as data, after Knot DNS's module tables: one table says name, type, range, default and help, and feeds the
 * command line, the configuration file, the manual, the metrics page and the web form. A check function elsewhere holds
 * only what concerns two options at once.
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_INT,      /* int64_t, min..max */
	OPTION_SIZE,     /* int64_t bytes: "64MiB", "2GiB"; min..max */
	OPTION_DURATION, /* int64_t ns: "90s", "7d"; min..max */
	OPTION_TEXT,     /* const char *, may be NULL */
	OPTION_PATH,     /* const char *, may be NULL */
	OPTION_CHOICE,   /* int64_t, index into choices ("a|b|c") */
	OPTION_PREFIXES, /* struct prefix_list */
	OPTION_TEXTS,    /* struct text_list */
};

struct prefix_list {
	struct prefix *items;
	size_t count;
};

struct text_list {
	const char **items;
	size_t count;
};

struct option_spec {
	const char *name; /* "data-dir": --data-dir on the command line, data-dir: in YAML; NULL ends a table */
	enum option_type type;
	size_t offset;              /* of the value in the options struct */
	const char *default_text;   /* in the same form as a user writes it; NULL: false, 0, NULL or empty */
	int64_t min, max;           /* both 0: any */
	const char *choices;        /* for OPTION_CHOICE */
	const char *argument;       /* what help shows after the name: DIR, ADDR ... */
	const char *help, *help_ja; /* one sentence without a full stop */
	bool required;
	char letter; /* 's': also -s; 0: none */
};

#define OPTION_AT(structure, field) .offset = offsetof(structure, field)

/* Fill every default of `table` into the zeroed struct `values`. Memory comes from pool. */
int options_init(const struct option_spec *table, void *values, struct pool *pool, struct err *err) must_check;

/* Set one option from text. Lists grow by each call. -EINVAL with a sentence that names the option, what was given and
 * what was expected; -ENOENT when the table has no such name (the sentence offers the nearest). */
int option_set(const struct option_spec *table, void *values, struct pool *pool, const char *name, const char *text,
	       struct err *err) must_check;

const struct option_spec *option_find(const struct option_spec *table, const char *name);

/* Take --name value and --name=value out of argv; what is left (operands) stays at the front, *argc says how many. "--"
 * ends options. A prefix option takes every following word that does not start with '-' and parses as a prefix.
 * Returns 0, -EINVAL with a sentence, or 1 when --help or -h was met. */
int options_take(const struct option_spec *table, void *values, struct pool *pool, int *argc, char **argv,
		 struct err *err) must_check;

/* Set options from the mapping `section` of a YAML document (the whole top-level mapping when section is NULL). Unknown
 * names are refused. `where` names the file in sentences: "where:line: ...". Options already set on the command line
 * win: call this first. -EINVAL, or 0 also when the section is absent. */
int options_from_yaml(const struct option_spec *table, void *values, struct pool *pool, const char *yaml, size_t bytes,
		      const char *section, const char *where, struct err *err) must_check;

/* The nearest name to a misspelt one, or NULL when none is near. `next(i)` gives candidate i, NULL at the end. */
const char *name_nearest(const char *wanted, const char *(*next)(const void *context, size_t i), const void *context);
