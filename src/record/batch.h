/* A batch: up to some thousands of records of one kind, a plain C array per column. The same shape goes from sensor to
 * detector to store. Encoded it carries a version, the sensor and a sequence number, so that sending it twice stores it
 * once.
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"
#include "record/kind.h"

#include <stdint.h>

enum { BATCH_ROWS_MAX = 65536 };

struct batch {
	const struct record_kind *kind;
	uint64_t sensor_boot; /* random per start of a sensor: with `sequence` it names the batch for ever */
	uint64_t sequence;    /* 1, 2, 3 ... per sensor_boot; 0 where no acknowledgement is wanted */
	uint32_t rows, capacity;
	void *columns[RECORD_COLUMNS_MAX]; /* capacity values each, in the kind's order */
	struct arena *texts;               /* what text columns of this batch point into; owned */
};

struct batch *batch_new(const struct record_kind *kind, uint32_t capacity); /* NULL: out of memory */
void batch_free(struct batch *batch);
void batch_clear(struct batch *batch);
/* Make `copy`, of the same kind, hold the same rows and name. -ENOMEM: it has no room, or there is none for texts. */
int batch_copy(const struct batch *batch, struct batch *copy);

/* Copy text into the batch; {NULL, 0} when out of memory. */
struct text batch_text(struct batch *batch, const char *bytes, size_t length);

/* Rows of a batch of the same kind behind those that are there; it grows. -ENOMEM. */
int batch_append(struct batch *batch, const struct batch *rows, struct err *err) must_check;

#define BATCH_COLUMN(batch, type, index) ((type *)(batch)->columns[index])

/* Encoded form: "YGB1", kind id, kind version, rows, boot, sequence, columns in order (texts as u32 lengths then
 * bytes), all little-endian, and at the end XXH3-64 of everything before. */
size_t batch_encoded_bytes(const struct batch *batch);
/* `out` has batch_encoded_bytes(). */
void batch_encode(const struct batch *batch, void *out);
/* Parse what a stranger sent. The batch owns copies. -EINVAL with a sentence (offset, what was expected); -ENOMEM. */
int batch_decode(const void *data, size_t bytes, struct batch **ret_batch, struct err *err) must_check;

/* Where batches go; a sensor is handed one and does not know where it leads.
 * put(): 0 taken (copied or consumed; the caller may reuse the batch at once), negative: not taken, try later. */
struct sink {
	int (*put)(struct sink *sink, const struct batch *batch, struct err *err);
};
