/* Blocks of nfdump's files (wire/nfdump.h), unpacked, into batches of flows. */
#pragma once

#include "core/err.h"
#include "record/batch.h"
#include "wire/nfdump.h"

struct nfdump_reader;

/* Batches go to the sink, which is borrowed. -ENOTSUP: of a layout or packing that is not read; the sentence says how
 * to change it. -ENOMEM. */
int nfdump_reader_new(const struct nfdump_header *header, struct sink *sink, struct nfdump_reader **ret_reader,
		      struct err *err) must_check;
void nfdump_reader_free(struct nfdump_reader *reader); /* NULL is fine */

/* One block as it stands in the file. 0; 1: it cannot be read (further), `err` says why; negative: the sink fails. */
int nfdump_reader_block(struct nfdump_reader *reader, const struct nfdump_block *block, const uint8_t *data,
			struct err *err) must_check;
int nfdump_reader_flush(struct nfdump_reader *reader, struct err *err) must_check;
