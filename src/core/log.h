/* Structured log: one JSON object a line on standard error (or logfmt-like text on a terminal), with a stable event id.
 *
 * `core`, `wire`, `record`, `analyze` never log; the others log once, at the boundary. Foreign bytes are escaped here,
 * so callers pass them as they are. Safe from several threads: each line is one write(2).
 */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
	const char *name; /* NULL ends the list */
	const char *text; /* NULL: number is meant */
	int64_t number;
};

#define LOG_TEXT(field, value)                                                                                         \
	{                                                                                                              \
		.name = (field), .text = (value)                                                                       \
	}
#define LOG_NUMBER(field, value)                                                                                       \
	{                                                                                                              \
		.name = (field), .number = (int64_t)(value)                                                            \
	}

void log_setup(const char *process, enum log_level least, int json); /* json: 1 yes, 0 no, -1 unless a terminal */

/* `event` is stable and dotted: "store.full", "sensor.started". Fields may be NULL. */
void log_event(enum log_level level, const char *event, const char *message, const struct log_field *fields);

#define LOG(level, event, message, ...)                                                                                \
	log_event(level, event, message, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.name = NULL}})
