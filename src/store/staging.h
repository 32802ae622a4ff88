/* What was put and is not flushed yet: columns of every kind, side by side, and where each boot's sequences stand. */
#pragma once

#include "core/memory.h"
#include "record/batch.h"

#include <stddef.h>
#include <stdint.h>

enum { STAGED_KINDS_MAX = 16 };

struct staged {
	const struct record_kind *kind;
	uint32_t rows, capacity;
	void *columns[RECORD_COLUMNS_MAX];
	int64_t oldest_ns, newest_ns;
};

struct staging {
	struct staged kinds[STAGED_KINDS_MAX]; /* in the order of record_kinds */
	struct arena *texts;
	size_t bytes;
	uint32_t rows;
};

int staging_init(struct staging *staging, struct err *err) must_check;
void staging_done(struct staging *staging);
void staging_clear(struct staging *staging);
int staging_take(struct staging *staging, const struct batch *batch, struct err *err) must_check;

/* The order in which staged tuples are stored: minute, one packet or more, source, port. Neighbours are alike then:
 * addresses become small differences, country, network and the spans of single packets become runs. malloc'd; NULL: out
 * of memory. */
uint32_t *staging_tuple_order(const struct staged *tuples);
/* Rows of findings that no later row of the same id replaces. */
uint32_t *staging_finding_order(const struct staged *findings, uint32_t *ret_count);
