/* cmocka with what it wants included before it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define assert_contains(text, part)                                                                                    \
	do {                                                                                                           \
		if (!strstr((text), (part)))                                                                           \
			fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                    \
	} while (0)

#define must(call)                                                                                                     \
	do {                                                                                                           \
		struct err must_err = {""};                                                                            \
		int must_code = (call);                                                                                \
		if (must_code != 0)                                                                                    \
			fail_msg("%s: %d %s", #call, must_code, must_err.text);                                        \
	} while (0)
