/* Children: an end is noticed, a death restarted with growing pauses and counted, and descriptors are let go. */
#include "../check.h"

#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int sleeps(void *context, struct err *err)
{
	(void)context;
	(void)err;
	while (pause() < 0)
		;
	return 0;
}

static int answers(void *context, struct err *err)
{
	(void)err;
	return *(int *)context;
}

static void wait_for_end(const struct child *child)
{
	struct pollfd ended = {.fd = child_fd(child), .events = POLLIN};
	assert_int_equal(poll(&ended, 1, 5000), 1);
}

static void test_death_and_restart(void **state)
{
	(void)state;
	struct err err;
	char text[64];
	struct child child = {.name = "sleeper", .run = sleeps};
	assert_int_equal(child_start(&child, &err), 0);
	assert_int_equal(child_check(&child, &err), 0);
	int pauses[3];
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(kill(child.pid, SIGKILL), 0);
		wait_for_end(&child);
		assert_int_equal(child_check(&child, &err), 1);
		child_describe(&child, text, sizeof text);
		assert_contains(text, "killed by signal 9");
		assert_int_equal(child.state, CHILD_WAITING);
		assert_int_equal(child_fd(&child), -1);
		pauses[i] = child_wait_ms(&child);
		assert_int_equal(child_check(&child, &err), 0);
		poll(NULL, 0, pauses[i]);
		assert_int_equal(child_check(&child, &err), 3);
		assert_int_equal(child.restarts, i + 1);
	}
	assert_in_range(pauses[0], 50, 101);
	assert_in_range(pauses[1], 150, 201);
	assert_in_range(pauses[2], 350, 401);
	child_end(&child, 2000);
	assert_int_equal(child.state, CHILD_IDLE);
	assert_int_equal(child_wait_ms(&child), -1);
}

static void test_end_is_not_a_death(void **state)
{
	(void)state;
	struct err err;
	int answer = 0;
	struct child child = {.name = "once", .run = answers, .context = &answer, .may_end = true};
	assert_int_equal(child_start(&child, &err), 0);
	wait_for_end(&child);
	assert_int_equal(child_check(&child, &err), 2);
	assert_int_equal(child.state, CHILD_ENDED);
	assert_int_equal(child_check(&child, &err), 0);

	answer = -EIO;
	assert_int_equal(child_start(&child, &err), 0);
	wait_for_end(&child);
	assert_int_equal(child_check(&child, &err), 1);
	char text[64];
	child_describe(&child, text, sizeof text);
	assert_string_equal(text, "exit status 1");
	child_end(&child, 0);
	child_end(NULL, 0);
}

static int stubborn(void *context, struct err *err)
{
	(void)err;
	signal(SIGTERM, SIG_IGN);
	char byte = 1;
	if (write(*(int *)context, &byte, 1) != 1)
		return -EIO;
	while (pause() < 0)
		;
	return 0;
}

static void test_end_takes_force_when_needed(void **state)
{
	(void)state;
	struct err err;
	int fds[2];
	char byte;
	assert_int_equal(pipe(fds), 0);
	struct child child = {.name = "stubborn", .run = stubborn, .context = &fds[1]};
	assert_int_equal(child_start(&child, &err), 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	child_end(&child, 50);
	assert_int_equal(child.state, CHILD_IDLE);
	assert_int_equal(child.status & 0x7f, SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

static int keeps_two(void *context, struct err *err)
{
	(void)err;
	const int *fds = context;
	const int keep[] = {fds[2], -1, fds[0]};
	child_keep_only(keep, 3);
	bool right = fcntl(fds[0], F_GETFD) >= 0 && fcntl(fds[2], F_GETFD) >= 0 && fcntl(fds[1], F_GETFD) < 0 &&
		     fcntl(fds[3], F_GETFD) < 0 && fcntl(2, F_GETFD) >= 0;
	return right ? 0 : -EIO;
}

static int keeps_many(void *context, struct err *err)
{
	(void)err;
	const int *keep = context;
	child_keep_only(keep, 200);
	for (unsigned i = 0; i < 200; i++)
		if (fcntl(keep[i], F_GETFD) < 0)
			return -EIO;
	return 0;
}

static void test_many_descriptors_are_kept(void **state)
{
	(void)state;
	struct err err;
	int fds[200];
	for (unsigned i = 0; i < 200; i++) {
		fds[i] = dup(2);
		assert_true(fds[i] > 2);
	}
	struct child child = {.name = "keeper", .run = keeps_many, .context = fds, .may_end = true};
	assert_int_equal(child_start(&child, &err), 0);
	wait_for_end(&child);
	assert_int_equal(child_check(&child, &err), 2);
	for (unsigned i = 0; i < 200; i++)
		close(fds[i]);
}

static void test_descriptors_are_let_go(void **state)
{
	(void)state;
	struct err err;
	int fds[4];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(fds + 2), 0);
	struct child child = {.name = "tidy", .run = keeps_two, .context = fds, .may_end = true};
	assert_int_equal(child_start(&child, &err), 0);
	wait_for_end(&child);
	assert_int_equal(child_check(&child, &err), 2);
	for (unsigned i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_death_and_restart),           cmocka_unit_test(test_end_is_not_a_death),
		cmocka_unit_test(test_end_takes_force_when_needed), cmocka_unit_test(test_descriptors_are_let_go),
		cmocka_unit_test(test_many_descriptors_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
