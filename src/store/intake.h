/* Which batches are here already: per boot of a sensor a sliding window over sequence numbers, as IPsec's anti-replay
 * window (RFC 4303 section 3.4.3). A sequence more than INTAKE_WINDOW below the highest counts as a duplicate, so
 * senders may be that far out of order. */
#pragma once

#include "core/err.h"

#include <duckdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INTAKE_WINDOW = 1024 };

struct intake_boot {
	uint64_t boot, highest, base; /* base: the first sequence seen less one */
	uint64_t seen[INTAKE_WINDOW / 64];
	uint64_t acknowledged; /* gapless and flushed */
	bool changed;          /* since the last write */
};

struct intake {
	struct intake_boot *boots;
	size_t count, capacity;
};

void intake_done(struct intake *intake);
/* 0: new, marked. 1: a duplicate. -ENOMEM. */
int intake_mark(struct intake *intake, uint64_t boot, uint64_t sequence, struct err *err) must_check;
void intake_unmark(struct intake *intake, uint64_t boot, uint64_t sequence); /* it could not be taken after all */
uint64_t intake_acknowledged(const struct intake *intake, uint64_t boot);
bool intake_has(const struct intake *intake, uint64_t boot, uint64_t sequence); /* intake_mark() would say 1 */
int intake_load(struct intake *intake, duckdb_connection connection, const char *table, struct err *err) must_check;
/* Within the flush's transaction. */
int intake_write(const struct intake *intake, duckdb_connection connection, const char *table,
		 struct err *err) must_check;
/* A copy of what changed, to be written while marking goes on; and the word that it is durable now. */
int intake_copy_changed(struct intake *intake, struct intake *ret_changed, struct err *err) must_check;
void intake_flushed(struct intake *intake, const struct intake *changed);
