/* The progress bar. See progress.h. */
#include "cli/progress.h"

#include "core/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_CELLS = 30 };

bool progress_visible(struct progress *progress)
{
	if (progress->where == PROGRESS_UNKNOWN)
		progress->where = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_SILENT;
	return progress->where == PROGRESS_TERMINAL;
}

void progress_show(struct progress *progress, uint64_t done, const char *unit_text)
{
	int64_t now = clock_monotonic_ns();
	if (now - progress->last_ns < NS_PER_S / 10 || !progress_visible(progress))
		return;
	progress->last_ns = now;
	progress->shown = true;
	if (progress->whole == 0) {
		fprintf(stderr, "\r\033[K%s  %s", progress->label, unit_text);
		return;
	}
	if (done > progress->whole)
		done = progress->whole;
	unsigned cells = (unsigned)((double)done / (double)progress->whole * BAR_CELLS);
	fprintf(stderr, "\r\033[K%s  [", progress->label);
	for (unsigned i = 0; i < BAR_CELLS; i++)
		fputs(i < cells ? "#" : ".", stderr);
	fprintf(stderr, "] %3.0f %%  %s", (double)done * 100 / (double)progress->whole, unit_text);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
