/* A progress bar on standard error, where that is a terminal; silent elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *label;
	uint64_t whole; /* 0: unknown, only what is done is shown */
	int64_t last_ns;
	bool shown;
	enum { PROGRESS_UNKNOWN, PROGRESS_TERMINAL, PROGRESS_SILENT } where;
};

/* Whether there is a terminal to draw on. Ask before a process confines itself; afterwards it cannot be found out. */
bool progress_visible(struct progress *progress);

/* Draw at most ten times a second. `unit_text` says what is done so far: "1.2 M packets". */
void progress_show(struct progress *progress, uint64_t done, const char *unit_text);
void progress_end(struct progress *progress); /* wipes the line */
