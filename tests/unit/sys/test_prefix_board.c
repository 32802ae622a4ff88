/* Lists of prefixes between processes: what is published is read whole, however quickly it changes, and only who may
 * write can. */
#include "sys/prefix_board.h"

#include "../check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 5000 };

static struct prefix_board *board_of(size_t most)
{
	struct prefix_board *board;
	struct err err = {""};
	assert_int_equal(prefix_board_new(most, &board, &err), 0);
	return board;
}

/* A list whose every entry says which it is. */
static void fill(struct lpm_entry *entries, size_t count, uint32_t mark)
{
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct lpm_entry){{addr_from_v4((uint32_t)i << 8), 120}, mark};
}

static void what_is_published_is_read(void **state)
{
	(void)state;
	struct prefix_board *board = board_of(3);
	struct lpm_entry entries[4], *read;
	struct err err = {""};
	size_t count;
	uint64_t generation;
	assert_int_equal(prefix_board_generation(board), 0);
	assert_int_equal(prefix_board_read(board, &read, &count, &generation, &err), 0);
	assert_int_equal(count, 0);
	free(read);
	for (uint32_t round = 1; round <= 5; round++) {
		fill(entries, 4, round);
		assert_int_equal(prefix_board_write(board, entries, round % 4, &err), 0);
		assert_int_equal(prefix_board_generation(board), round);
		assert_int_equal(prefix_board_read(board, &read, &count, &generation, &err), 0);
		assert_int_equal(count, round % 4);
		assert_int_equal(generation, round);
		assert_memory_equal(read, entries, count * sizeof *read);
		free(read);
	}
	assert_int_equal(prefix_board_write(board, entries, 4, &err), -E2BIG);
	assert_contains(err.text, "4 prefixes");
	assert_int_equal(prefix_board_generation(board), 5);
	prefix_board_free(board);
	prefix_board_free(NULL);
}

static void a_reader_cannot_write(void **state)
{
	(void)state;
	struct prefix_board *board = board_of(3);
	struct lpm_entry entry, *read;
	struct err err = {""};
	size_t count;
	uint64_t generation;
	fill(&entry, 1, 7);
	assert_int_equal(prefix_board_write(board, &entry, 1, &err), 0);
	prefix_board_read_only(board);
	assert_int_equal(prefix_board_write(board, &entry, 1, &err), -EPERM);
	assert_int_equal(prefix_board_read(board, &read, &count, &generation, &err), 0);
	assert_int_equal(count, 1);
	free(read);
	/* not even by force: the mapping comes from a descriptor that is open for reading */
	const void *head = *(void **)((char *)board + 2 * sizeof(size_t));
	assert_int_equal(mprotect((void *)(uintptr_t)head, 4096, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	prefix_board_free(board);
}

/* A child publishes lists as quickly as it can; each list that is read here is of one piece. */
static void no_list_is_torn(void **state)
{
	(void)state;
	struct prefix_board *board = board_of(MOST);
	struct err err = {""};
	pid_t pid = fork();
	if (pid == 0) {
		struct lpm_entry *entries = calloc(MOST, sizeof *entries);
		for (uint32_t mark = 1; entries; mark++) {
			fill(entries, MOST - mark % 100, mark);
			if (prefix_board_write(board, entries, MOST - mark % 100, &err) < 0)
				break;
		}
		_exit(1);
	}
	prefix_board_read_only(board);
	unsigned whole = 0, changed = 0;
	uint64_t last = 0;
	for (unsigned tries = 0; (whole < 300 || changed < 10) && tries < 100000; tries++) {
		struct lpm_entry *read;
		size_t count;
		uint64_t generation;
		int result = prefix_board_read(board, &read, &count, &generation, &err);
		if (result == -EAGAIN || (result == 0 && count == 0)) {
			if (result == 0)
				free(read);
			usleep(100);
			continue;
		}
		assert_int_equal(result, 0);
		assert_int_equal(count, MOST - generation % 100);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(read[i].value, generation);
		changed += generation != last;
		last = generation;
		whole++;
		free(read);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(whole >= 300 && changed >= 10);
	/* the writer died in the middle of it; another goes on */
	struct lpm_entry *read;
	size_t count;
	uint64_t generation;
	assert_int_equal(prefix_board_read(board, &read, &count, &generation, &err), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(read[i].value, generation);
	free(read);
	prefix_board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_published_is_read),
		cmocka_unit_test(a_reader_cannot_write),
		cmocka_unit_test(no_list_is_torn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
