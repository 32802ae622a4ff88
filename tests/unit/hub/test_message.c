/* Messages between front and keeper: what goes in comes out, and nonsense does not. */
#include "../check.h"

#include "core/hash.h"
#include "hub/message.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void test_there_and_back(void **state)
{
	(void)state;
	int fds[2];
	struct err err;
	static uint8_t buffer[LIMIT_MESSAGE_BYTES], out[LIMIT_MESSAGE_BYTES];
	struct message_head head;
	size_t bytes, used = 0;
	const char *const texts[] = {"/path", NULL, "\xe6\xab\x93"};
	const char *taken[3];
	assert_int_equal(message_pair(fds, &err), 0);
	assert_int_equal(message_receive(fds[1], &head, buffer, &bytes), 0);
	assert_int_equal(texts_put(out, sizeof out, &used, texts, 3), 0);
	memset(out + used, 7, sizeof out - used);
	const struct message_head sent = {.type = MESSAGE_REPLY, .flags = MESSAGE_LAST, .number = 200, .id = 42};
	assert_int_equal(message_send(fds[0], &sent, out, sizeof out, 0), 0);
	assert_int_equal(message_receive(fds[1], &head, buffer, &bytes), 1);
	assert_memory_equal(&head, &sent, sizeof head);
	assert_int_equal(bytes, sizeof out);
	assert_true(texts_take(buffer, bytes, taken, 3, &used));
	assert_string_equal(taken[0], "/path");
	assert_string_equal(taken[1], "");
	assert_string_equal(taken[2], "\xe6\xab\x93");
	assert_int_equal(buffer[used], 7);
	close(fds[0]);
	close(fds[1]);
}

static void test_a_full_pair_refuses(void **state)
{
	(void)state;
	int fds[2];
	struct err err;
	static uint8_t out[LIMIT_MESSAGE_BYTES];
	const struct message_head head = {.type = MESSAGE_DATA};
	unsigned sent = 0;
	assert_int_equal(message_pair(fds, &err), 0);
	while (message_send(fds[0], &head, out, sizeof out, 0) == 0)
		assert_true(++sent < 100000);
	assert_true(sent > 1);
	assert_int_equal(message_send(fds[0], &head, out, sizeof out, 20), -EAGAIN);
	close(fds[1]);
	int gone = message_send(fds[0], &head, out, sizeof out, 0);
	assert_true(gone == -EPIPE || gone == -ECONNRESET);
	close(fds[0]);
}

static void test_texts_of_nonsense(void **state)
{
	(void)state;
	uint64_t random = 3;
	uint8_t data[64];
	const char *taken[4];
	size_t used;
	for (unsigned round = 0; round < 100000; round++) {
		size_t bytes = random_below(&random, sizeof data + 1);
		for (size_t i = 0; i < bytes; i++)
			data[i] = (uint8_t)(random_below(&random, 3) ? 0 : random_below(&random, 12));
		uint8_t *exact = malloc(bytes ? bytes : 1); /* so that a sanitizer sees every byte past the end */
		memcpy(exact, data, bytes);
		if (texts_take(exact, bytes, taken, 4, &used)) {
			assert_true(used <= bytes);
			for (unsigned i = 0; i < 4; i++)
				assert_true(strlen(taken[i]) < bytes);
		}
		free(exact);
	}
}

static void test_texts_have_bounds(void **state)
{
	(void)state;
	char room[16];
	size_t used = 0;
	const char *const right[] = {"abc", "defghij"}, *const wrong[] = {"abc", "defghijk"};
	assert_int_equal(texts_put(room, sizeof room, &used, right, 2), 0);
	assert_int_equal(used, 16);
	used = 0;
	assert_int_equal(texts_put(room, sizeof room, &used, wrong, 2), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_a_full_pair_refuses),
		cmocka_unit_test(test_texts_of_nonsense),
		cmocka_unit_test(test_texts_have_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
