/* Lists of prefixes in shared memory. See prefix_board.h. */
#include "sys/prefix_board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TRIES = 8, HEAD_BYTES = 4096 };

struct board_head {
	_Atomic uint64_t begun;     /* generation that is being written, or was written last */
	_Atomic uint64_t published; /* lists alternate: an odd generation stands in the second half */
	_Atomic uint64_t counts[2];
};
_Static_assert(sizeof(struct board_head) <= HEAD_BYTES, "lists begin behind the head");

struct prefix_board {
	size_t most, bytes;
	const struct board_head *head; /* mapped for reading only */
	struct board_head *own;        /* the same for writing; NULL: given up */
};

static size_t half_bytes(size_t most)
{
	return (most * sizeof(struct lpm_entry) + HEAD_BYTES - 1) & ~(size_t)(HEAD_BYTES - 1);
}

static const struct lpm_entry *half_of(const struct prefix_board *board, const void *head, uint64_t generation)
{
	return (const struct lpm_entry *)((const char *)head + HEAD_BYTES + (generation & 1) * half_bytes(board->most));
}

static int board_map(struct prefix_board *board, int fd, struct err *err)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int reading = open(path, O_RDONLY | O_CLOEXEC);
	if (reading < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	void *head = mmap(NULL, board->bytes, PROT_READ, MAP_SHARED, reading, 0);
	void *own = mmap(NULL, board->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int code = errno;
	close(reading);
	board->head = head == MAP_FAILED ? NULL : head;
	board->own = own == MAP_FAILED ? NULL : own;
	return board->head && board->own ? 0 : err_set(err, -code, "no shared memory: %s", strerror(code));
}

int prefix_board_new(size_t most, struct prefix_board **ret_board, struct err *err)
{
	struct prefix_board *board = calloc(1, sizeof *board);
	if (!board)
		return err_set(err, -ENOMEM, "no memory for a list of prefixes");
	board->most = most;
	board->bytes = HEAD_BYTES + 2 * half_bytes(most);
	int fd = memfd_create("prefixes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result = 0;
	if (fd < 0 || ftruncate(fd, (off_t)board->bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		result = err_set(err, -errno, "no shared memory for %zu prefixes: %s", most, strerror(errno));
	if (result == 0)
		result = board_map(board, fd, err);
	if (fd >= 0)
		close(fd);
	if (result < 0)
		prefix_board_free(board);
	else
		*ret_board = board;
	return result;
}

void prefix_board_read_only(struct prefix_board *board)
{
	if (board && board->own)
		munmap(board->own, board->bytes);
	if (board)
		board->own = NULL;
}

void prefix_board_free(struct prefix_board *board)
{
	if (!board)
		return;
	prefix_board_read_only(board);
	if (board->head)
		munmap((void *)(uintptr_t)board->head, board->bytes);
	free(board);
}

int prefix_board_write(struct prefix_board *board, const struct lpm_entry *entries, size_t count, struct err *err)
{
	if (count > board->most)
		return err_set(err, -E2BIG, "%zu prefixes of members; there is room for %zu", count, board->most);
	if (!board->own)
		return err_set(err, -EPERM, "this process only reads the prefixes of members");
	uint64_t generation = atomic_load(&board->own->published) + 1;
	atomic_store(&board->own->begun, generation);
	atomic_thread_fence(memory_order_seq_cst);
	if (count)
		memcpy((void *)(uintptr_t)half_of(board, board->own, generation), entries, count * sizeof *entries);
	atomic_store(&board->own->counts[generation & 1], count);
	atomic_store(&board->own->published, generation);
	return 0;
}

uint64_t prefix_board_generation(const struct prefix_board *board)
{
	return atomic_load_explicit(&board->head->published, memory_order_acquire);
}

int prefix_board_read(const struct prefix_board *board, struct lpm_entry **ret_entries, size_t *ret_count,
		      uint64_t *ret_generation, struct err *err)
{
	for (unsigned try = 0; try < TRIES; try++) {
		uint64_t generation = prefix_board_generation(board);
		size_t count = atomic_load(&board->head->counts[generation & 1]);
		if (count > board->most)
			continue;
		struct lpm_entry *entries = malloc((count + 1) * sizeof *entries);
		if (!entries)
			return err_set(err, -ENOMEM, "no memory for %zu prefixes", count);
		if (count)
			memcpy(entries, half_of(board, board->head, generation), count * sizeof *entries);
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&board->head->begun) <= generation + 1) {
			*ret_entries = entries;
			*ret_count = count;
			*ret_generation = generation;
			return 0;
		}
		free(entries);
	}
	return err_set(err, -EAGAIN, "the prefixes of members change more quickly than they can be read");
}
