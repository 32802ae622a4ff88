/* Columns of numbers, packed: as bits above the smallest, in the largest unit that all share, with the few that are far
 * larger apart (PFOR: Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", 2006); as numbers of a dictionary
 * where few are distinct; as one where all are the same. Quick to make and quicker to read: nothing of it depends on
 * the value before.
 */
#pragma once

#include "core/cursor.h"

#include <stddef.h>
#include <stdint.h>

enum { PACK_ROWS_MAX = 65536 };

/* Bytes that pack_numbers() may write at most, with what unpacking may read past the end. */
size_t pack_bound(uint32_t count);
/* 1 <= count <= PACK_ROWS_MAX. Returns bytes written. */
size_t pack_numbers(const uint64_t *numbers, uint32_t count, uint8_t *out);

/* What pack_numbers() writes of numbers that are all the same. */
size_t pack_same(uint64_t number, uint8_t *out);

/* Read what pack_numbers() wrote, exactly `count` of them. 0; -EBADMSG: it is damaged, nothing past `in` was read. */
int unpack_numbers(struct cursor *in, uint64_t *ret_numbers, uint32_t count);
