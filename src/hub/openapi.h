/* data/openapi.json, built in. */
#pragma once

#include <stddef.h>

extern const char *const openapi_text;
extern const size_t openapi_bytes;
