/* A list of prefixes in shared memory: one process writes it, others read it, made before they are forked.
 *
 * The hub's keeper knows whose prefixes are whose and learns of changes while sensors run; a sensor is confined and can
 * neither open files nor be handed descriptors. So the list stands in a memfd that all of them have mapped. Readers map
 * it through a descriptor that is open for reading only: one that was taken over cannot make its mapping writable and
 * so cannot lie to the others.
 *
 * The list is kept twice. A new one is written over the older of the two, then its generation is published; readers
 * copy the one that is published, and copy again should the writer have come round twice meanwhile. Nobody waits for
 * anybody, and a writer that dies in the middle leaves what was published.
 */
#pragma once

#include "core/err.h"
#include "core/lpm.h"

#include <stddef.h>
#include <stdint.h>

struct prefix_board;

/* Room for `most` prefixes; memory is taken only as they come. -ENOMEM, -EMFILE ... */
int prefix_board_new(size_t most, struct prefix_board **ret_board, struct err *err) must_check;
void prefix_board_free(struct prefix_board *board); /* this process's hold; NULL is fine */
/* Give up the right to write, for good. */
void prefix_board_read_only(struct prefix_board *board);

/* Publish a list, copied. -E2BIG: more than there is room for; what was published stays. One thread at a time. */
int prefix_board_write(struct prefix_board *board, const struct lpm_entry *entries, size_t count,
		       struct err *err) must_check;

/* 0 before the first list; then it grows with each. */
uint64_t prefix_board_generation(const struct prefix_board *board);
/* The published list, malloc'd, and its generation. -EAGAIN: it changes too quickly; -ENOMEM. */
int prefix_board_read(const struct prefix_board *board, struct lpm_entry **ret_entries, size_t *ret_count,
		      uint64_t *ret_generation, struct err *err) must_check;
