/* A log line is one line of sound JSON, whatever bytes a stranger put into a field. */
#include "core/log.h"

#include "../check.h"

#include <stdio.h>
#include <unistd.h>

static void foreign_bytes_stay_inside_their_field(void **state)
{
	(void)state;
	int ends[2], kept = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_setup("test", LOG_INFO, 1);
	LOG(LOG_DEBUG, "test.quiet", "below the level");
	LOG(LOG_INFO, "test.event", "a \"quoted\"\nmessage", LOG_TEXT("peer", "\x1b[31m\\"), LOG_NUMBER("count", -3));
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[1]);
	char line[1024] = "";
	ssize_t bytes = read(ends[0], line, sizeof line - 1);
	close(ends[0]);
	assert_true(bytes > 0);
	assert_contains(line, "\"event\":\"test.event\",\"message\":\"a "
			      "\\\"quoted\\\"\\u000amessage\",\"peer\":\"\\u001b[31m\\\\\",\"count\":-3}\n");
	assert_ptr_equal(strchr(line, '\n'), line + bytes - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(foreign_bytes_stay_inside_their_field)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
