/* Warning lists: what is well known and harmless, so that an indicator of it is more likely a mistake (MISP warninglist
 * format, misp-rfc). An indicator on one is kept, marked with the list's name, and stands in no output.
 *
 * Types: `cidr`, `string`, `hostname` (a name and all below it), `substring` (here only where it begins a label, a
 * mailbox or a path: a list of thousands is asked of each value). `regex` is not read.
 */
#pragma once

#include "core/err.h"
#include "store/indicators.h"

struct warning_lists;

/* All *.json of the folders, which may be NULL or missing. A file that is none is refused with its name: 0 all the
 * same, *ret_refused says how many, err what was wrong with the last. -ENOMEM. */
int warning_lists_load(const char *const *folders, size_t count, struct warning_lists **ret_lists,
		       unsigned *ret_refused, struct err *err) must_check;
void warning_lists_free(struct warning_lists *lists); /* NULL is fine */
size_t warning_lists_count(const struct warning_lists *lists);

/* The name of a list that knows the value (in normal form), or NULL. lists NULL: NULL. Safe from any thread. */
const char *warning_lists_find(const struct warning_lists *lists, const struct indicator_value *value);
