/* Shared-memory ring, single producer and single consumer. See ring.h for who believes whom.
 *
 * Positions are bytes since the beginning and never wrap (2^64 bytes last for centuries at memory speed); the offset is
 * the position modulo the size. A record is its u32 length, then its bytes, padded to 8. Publishing is a release store
 * of `head`; giving back is a release store of `tail`. After the LMAX/io_uring manner the two sides write different
 * cache lines.
 */
#include "sys/ring.h"

#include "core/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

struct ring_shared {
	_Alignas(64) _Atomic uint64_t head; /* producer writes */
	_Atomic uint64_t records, bytes, lost_records, lost_bytes;
	_Alignas(64) _Atomic uint64_t tail; /* consumer writes */
	_Atomic uint64_t damaged;
	_Alignas(64) _Atomic uint32_t producer_waits;
	_Alignas(64) uint8_t data[];
};

struct ring {
	struct ring_shared *shared;
	size_t room; /* power of two */
	size_t mapped;
	int data_fd, room_fd;
	uint64_t position; /* of this side: next write, or next read */
	uint8_t *copy;
	size_t copy_room;
};

enum { RING_LENGTH_BYTES = 8, RING_LEAST = 4096 };

static uint64_t record_span(size_t bytes)
{
	return RING_LENGTH_BYTES + ((bytes + 7) & ~(size_t)7);
}

int ring_new(size_t bytes, struct ring **ret_ring, struct err *err)
{
	size_t room = RING_LEAST;
	while (room < bytes)
		room *= 2;
	struct ring *ring = calloc(1, sizeof *ring);
	if (!ring)
		return err_set(err, -ENOMEM, "no memory for a ring");
	ring->room = room;
	ring->mapped = sizeof(struct ring_shared) + room;
	ring->shared =
		mmap(NULL, ring->mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ring->data_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ring->room_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ring->shared == MAP_FAILED || ring->data_fd < 0 || ring->room_fd < 0) {
		int code = errno;
		ring_free(ring);
		return err_set(err, -code, "a ring of %zu bytes cannot be made: %s", room, strerror(code));
	}
	*ret_ring = ring;
	return 0;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->shared && ring->shared != MAP_FAILED)
		munmap(ring->shared, ring->mapped);
	if (ring->data_fd >= 0)
		close(ring->data_fd);
	if (ring->room_fd >= 0)
		close(ring->room_fd);
	free(ring->copy);
	free(ring);
}

static void event_signal(int fd)
{
	uint64_t one = 1;
	ssize_t written = write(fd, &one, sizeof one); /* full (-EAGAIN) means it is signalled already */
	(void)written;
}

static void event_clear(int fd)
{
	uint64_t count;
	ssize_t taken = read(fd, &count, sizeof count);
	(void)taken;
}

static void ring_copy_in(struct ring *ring, uint64_t position, const void *data, size_t bytes)
{
	size_t at = position & (ring->room - 1), first = ring->room - at;
	if (first > bytes)
		first = bytes;
	memcpy(ring->shared->data + at, data, first);
	memcpy(ring->shared->data, (const uint8_t *)data + first, bytes - first);
}

static void ring_copy_out(const struct ring *ring, uint64_t position, void *data, size_t bytes)
{
	size_t at = position & (ring->room - 1), first = ring->room - at;
	if (first > bytes)
		first = bytes;
	memcpy(data, ring->shared->data + at, first);
	memcpy((uint8_t *)data + first, ring->shared->data, bytes - first);
}

void ring_produce(struct ring *ring)
{
	uint64_t head = atomic_load(&ring->shared->head), tail = atomic_load(&ring->shared->tail);
	ring->position = head - tail <= ring->room ? head : tail;
	atomic_store(&ring->shared->head, ring->position);
	atomic_store(&ring->shared->producer_waits, 0);
}

static bool ring_has_room(const struct ring *ring, uint64_t span)
{
	uint64_t used = ring->position - atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
	return used <= ring->room && ring->room - used >= span;
}

static bool ring_wait_room(struct ring *ring, uint64_t span, int wait_ms)
{
	int64_t until = wait_ms < 0 ? INT64_MAX : clock_monotonic_ns() + wait_ms * NS_PER_MS;
	bool room = false;
	atomic_store(&ring->shared->producer_waits, 1);
	for (int64_t now = clock_monotonic_ns(); !(room = ring_has_room(ring, span)) && now < until;
	     now = clock_monotonic_ns()) {
		struct pollfd poll_room = {.fd = ring->room_fd, .events = POLLIN};
		int64_t left_ms = wait_ms < 0 ? 1000 : (until - now) / NS_PER_MS + 1;
		if (poll(&poll_room, 1, left_ms > 1000 ? 1000 : (int)left_ms) > 0)
			event_clear(ring->room_fd);
	}
	atomic_store(&ring->shared->producer_waits, 0);
	return room;
}

int ring_write(struct ring *ring, const void *data, size_t bytes, int wait_ms, struct err *err)
{
	struct ring_shared *shared = ring->shared;
	uint64_t span = record_span(bytes);
	if (bytes == 0 || span > ring->room / 2)
		return err_set(err, -EMSGSIZE, "a record of %zu bytes does not fit a ring of %zu", bytes, ring->room);
	if (!ring_has_room(ring, span) && (wait_ms == 0 || !ring_wait_room(ring, span, wait_ms))) {
		atomic_fetch_add_explicit(&shared->lost_records, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&shared->lost_bytes, bytes, memory_order_relaxed);
		return err_set(err, -EAGAIN, "the ring is full: the reader is behind");
	}
	uint64_t length = bytes;
	ring_copy_in(ring, ring->position, &length, sizeof length);
	ring_copy_in(ring, ring->position + RING_LENGTH_BYTES, data, bytes);
	ring->position += span;
	atomic_store_explicit(&shared->head, ring->position, memory_order_release);
	atomic_fetch_add_explicit(&shared->records, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&shared->bytes, bytes, memory_order_relaxed);
	event_signal(ring->data_fd);
	return 0;
}

void ring_consume(struct ring *ring)
{
	ring->position = atomic_load(&ring->shared->tail);
}

static int ring_damage(struct ring *ring, uint64_t head, struct err *err)
{
	atomic_fetch_add(&ring->shared->damaged, 1);
	ring->position = head;
	ring_release(ring);
	return err_set(err, -EBADMSG, "a producer wrote nonsense into its ring; what it published was skipped");
}

int ring_take(struct ring *ring, const void **ret_data, size_t *ret_bytes, struct err *err)
{
	uint64_t head = atomic_load_explicit(&ring->shared->head, memory_order_acquire);
	uint64_t published = head - ring->position, length = 0;
	if (published == 0)
		return 0;
	if (published > ring->room || published < RING_LENGTH_BYTES)
		return ring_damage(ring, head, err);
	ring_copy_out(ring, ring->position, &length, sizeof length);
	if (length == 0 || length > ring->room / 2 || record_span(length) > published)
		return ring_damage(ring, head, err);
	if (length > ring->copy_room) {
		uint8_t *grown = realloc(ring->copy, length);
		if (!grown)
			return err_set(err, -ENOMEM, "no memory for a record of %llu bytes",
				       (unsigned long long)length);
		ring->copy = grown;
		ring->copy_room = length;
	}
	ring_copy_out(ring, ring->position + RING_LENGTH_BYTES, ring->copy, length);
	ring->position += record_span(length);
	*ret_data = ring->copy;
	*ret_bytes = length;
	return 1;
}

void ring_release(struct ring *ring)
{
	atomic_store_explicit(&ring->shared->tail, ring->position, memory_order_seq_cst);
	if (atomic_load(&ring->shared->producer_waits))
		event_signal(ring->room_fd);
}

int ring_fd(const struct ring *ring)
{
	return ring->data_fd;
}

void ring_quiet(struct ring *ring)
{
	event_clear(ring->data_fd);
}

void ring_fds(const struct ring *ring, int ret_fds[2])
{
	ret_fds[0] = ring->data_fd;
	ret_fds[1] = ring->room_fd;
}

struct ring_counters ring_counters(const struct ring *ring)
{
	const struct ring_shared *shared = ring->shared;
	uint64_t waiting = atomic_load(&shared->head) - atomic_load(&shared->tail);
	return (struct ring_counters){
		.records = atomic_load(&shared->records),
		.bytes = atomic_load(&shared->bytes),
		.lost_records = atomic_load(&shared->lost_records),
		.lost_bytes = atomic_load(&shared->lost_bytes),
		.damaged = atomic_load(&shared->damaged),
		.waiting_bytes = waiting <= ring->room ? waiting : ring->room,
		.room_bytes = ring->room,
	};
}
