/* What a fuzz target is: one function, by libFuzzer's name. It aborts by fuzz_check() where a promise is broken. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define fuzz_check(promise)                                                                                            \
	do {                                                                                                           \
		if (!(promise)) {                                                                                      \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #promise);                  \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)
