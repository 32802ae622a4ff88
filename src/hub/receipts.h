/* Receipts: what an audience was given, in the audit log, before it is given.
 *
 * What stands on a shelf is counted by its instants, so a receipt says "what came after A up to B", with the filter
 * that was asked by. A page that lies within a receipt needs no other: a reader who turns the pages of a million
 * objects leaves one entry, and one who polls an entry for each time that there was something new.
 */
#pragma once

#include "hub/api.h"
#include "store/indicators.h"

struct receipts;
struct receipts *receipts_new(void);
void receipts_free(struct receipts *receipts); /* NULL is fine */

/* The asker is about to read a collection. `way`: "taxii", "feed" ...; `filter`: what was asked for of it, "" all. A
 * negative answer forbids it. */
int receipt_write(struct api_call *call, const struct indicators_collection *collection, const char *way,
		  const char *filter, enum tlp withheld, int64_t after_us, struct err *err) must_check;
