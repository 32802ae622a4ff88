/* A ring of records in shared memory: one producer process, one consumer process, made before they are forked.
 *
 * The producer may be taken over or die at any instruction. So the consumer believes nothing: it keeps its own
 * position, reads the producer's once, checks every length, and copies a record out before anybody looks at it. A
 * record is published by one store after it is whole, so a producer that dies in the middle has published nothing, and
 * its successor goes on where the ring stands. What was read is given back only by ring_release(): a consumer that dies
 * before that leaves it to its successor, who reads it again.
 *
 * Each process uses its own copy of `struct ring` (as fork leaves it). One thread at a time on each side.
 */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

struct ring;

struct ring_counters {
	uint64_t records, bytes;           /* published */
	uint64_t lost_records, lost_bytes; /* refused for want of room */
	uint64_t damaged;                  /* times the consumer found nonsense and skipped all that was published */
	uint64_t waiting_bytes;            /* published and not yet given back */
	uint64_t room_bytes;               /* of the whole ring */
};

/* `bytes` is rounded up to a power of two of at least a page. -ENOMEM, -EMFILE. */
int ring_new(size_t bytes, struct ring **ret_ring, struct err *err) must_check;
void ring_free(struct ring *ring); /* this process's hold; NULL is fine */

/* Producer. After a fork or restart: take up the ring where it stands. */
void ring_produce(struct ring *ring);
/* Publish one record. Waits up to wait_ms for room (0: does not; -1: as long as it takes). -EAGAIN: no room, counted as
 * lost; -EMSGSIZE: larger than a ring can take (half of it). */
int ring_write(struct ring *ring, const void *data, size_t bytes, int wait_ms, struct err *err) must_check;

/* Consumer. After a fork or restart: go on at what was given back last. */
void ring_consume(struct ring *ring);
/* The next record, a private copy that is valid until the next call. Returns 1, 0 when there is none, -EBADMSG when
 * the producer wrote nonsense (counted; everything published so far is skipped), -ENOMEM. */
int ring_take(struct ring *ring, const void **ret_data, size_t *ret_bytes, struct err *err) must_check;
/* Give back the room of everything read so far. */
void ring_release(struct ring *ring);
/* Readable when something was published since the last ring_quiet(). To poll(). */
int ring_fd(const struct ring *ring);
void ring_quiet(struct ring *ring);
/* The descriptors that a confined process keeps open: [0] data, [1] room. */
void ring_fds(const struct ring *ring, int ret_fds[2]);

struct ring_counters ring_counters(const struct ring *ring);
